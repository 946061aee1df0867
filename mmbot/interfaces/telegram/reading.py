"""Questions of the chat that change nothing of the trading: pages, lists, what is muted."""

from mmbot.errors import UsageError
from mmbot.interfaces.telegram.alerting import Alerting
from mmbot.interfaces.telegram.looking import LOOKED_UP, Looking
from mmbot.interfaces.telegram.menu import help_lines, keyboard
from mmbot.interfaces.telegram.pages import ABOUT_MARKETS, page
from mmbot.interfaces.telegram.talk import Buttons, Parts, Talk
from mmbot.interfaces.telegram.wishes import muted_by, only_market
from mmbot.interfaces.telegram.wording import alert_lines, plain, table

REFRESH = "refresh"
NS_PER_S = 1_000_000_000


class Reading:
    """Answers them."""

    def __init__(self, parts: Parts, alerting: Alerting) -> None:
        self._parts = parts
        self._alerting = alerting
        self.looking = Looking(parts)

    async def answer(self, talk: Talk, name: str, rest: str) -> None:
        """Answer a question of the menu."""
        if name in LOOKED_UP:
            await self.looking.answer(talk, name, rest)
            return
        view = self._parts.control.status()
        if name == "help":
            keys = keyboard(talk.role) if talk.heard.private else ()
            await talk.say(table(view, help_lines(talk.role)), keyboard=keys)
            return
        try:
            text = table(view, self._lines(name, rest))
        except UsageError as error:
            await talk.say(plain(view, str(error)))
            return
        await talk.say(text, self._buttons(talk, name, rest))

    async def refresh(self, talk: Talk, message_id: int, market: str) -> None:
        """Put the status of now in the place of an older one."""
        text = table(self._parts.control.status(), self._lines("status", market))
        await talk.correct(message_id, text, self._buttons(talk, "status", market))

    def _lines(self, name: str, rest: str) -> list[str]:
        parts, alerting = self._parts, self._alerting
        if name == "mute":
            most, span_s = muted_by(rest)
            alerting.mute(most, parts.clock() + span_s * NS_PER_S)
        elif name == "unmute":
            alerting.mute_until_ns = 0
        if name in ("alerts", "mute", "unmute"):
            alerts = parts.control.status().alerts
            return alert_lines(alerts, alerting.muted(parts.clock()))
        symbols = [each.symbol for each in parts.control.markets]
        market = only_market(rest, symbols) if name in ABOUT_MARKETS else None
        return page(parts, name, market)

    @staticmethod
    def _buttons(talk: Talk, name: str, rest: str) -> Buttons:
        if name != "status":
            return ()
        return (("Refresh", f"{REFRESH}:{talk.heard.user_id}:{rest.upper()[:32]}"),)
