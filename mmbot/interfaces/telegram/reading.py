"""Questions of the chat that change nothing: each name and the text that answers it."""

from collections.abc import Callable

from msgspec.structs import replace

from mmbot.domain.status import StatusView
from mmbot.errors import UsageError
from mmbot.interfaces.answer_text import explain_lines
from mmbot.interfaces.health_text import health_lines
from mmbot.interfaces.status_block import status_block
from mmbot.interfaces.telegram.menu import KEYBOARD, help_lines
from mmbot.interfaces.telegram.talk import Buttons, Parts, Talk
from mmbot.interfaces.telegram.wishes import only_market
from mmbot.interfaces.telegram.wording import (
    alert_lines,
    balance_lines,
    order_lines,
    plain,
    position_lines,
    risk_lines,
    table,
)

REFRESH = "refresh"
_ABOUT_MARKETS = frozenset({"status", "explain", "positions", "orders"})


class Reading:
    """Answers them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lines: dict[str, Callable[[StatusView, str | None], list[str]]] = {
            "status": lambda view, _: status_block(view, narrow=True),
            "positions": lambda view, _: position_lines(view),
            "orders": lambda view, _: order_lines(view),
            "balance": lambda view, _: balance_lines(view, parts.fees),
            "risk": lambda view, _: risk_lines(view),
            "explain": lambda _, market: explain_lines(parts.control.explain(market)),
            "health": lambda view, _: health_lines(view),
            "alerts": lambda view, _: alert_lines(view.alerts, ""),
            "version": lambda view, _: [f"mmbot {view.version}, run {view.epoch}"],
        }

    async def answer(self, talk: Talk, name: str, rest: str) -> None:
        """Answer a question of the menu."""
        view = self._parts.control.status()
        if name == "help":
            text = table(view, help_lines(talk.role))
            await talk.say(text, keyboard=KEYBOARD if talk.heard.private else ())
            return
        try:
            text = self._text(view, name, rest)
        except UsageError as error:
            await talk.say(plain(view, str(error)))
            return
        await talk.say(text, self._buttons(talk, name, rest))

    async def refresh(self, talk: Talk, message_id: int, market: str) -> None:
        """Put the status of now in the place of an older one."""
        text = self._text(self._parts.control.status(), "status", market)
        await talk.correct(message_id, text, self._buttons(talk, "status", market))

    def _text(self, view: StatusView, name: str, rest: str) -> str:
        symbols = [each.symbol for each in self._parts.control.markets]
        market = None
        if name in _ABOUT_MARKETS:
            market = only_market(rest, symbols)
        if market is not None:
            own = tuple(each for each in view.markets if each.symbol == market)
            view = replace(view, markets=own)
        return table(view, self._lines[name](view, market))

    @staticmethod
    def _buttons(talk: Talk, name: str, rest: str) -> Buttons:
        if name != "status":
            return ()
        return (("Refresh", f"{REFRESH}:{talk.heard.user_id}:{rest.upper()[:32]}"),)
