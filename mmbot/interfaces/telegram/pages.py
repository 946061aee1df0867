"""Pages of the chat: the state of the moment, by the name that asks for it. Pure."""

from collections.abc import Callable

from msgspec.structs import replace

from mmbot.domain.status import StatusView
from mmbot.interfaces.answer_text import explain_lines
from mmbot.interfaces.health_text import health_lines
from mmbot.interfaces.status_block import status_block
from mmbot.interfaces.telegram.talk import Parts
from mmbot.interfaces.telegram.wording import (
    balance_lines,
    order_lines,
    position_lines,
    risk_lines,
)

ABOUT_MARKETS = frozenset({"status", "explain", "positions", "orders"})
_PAGES: dict[str, Callable[[StatusView], list[str]]] = {
    "status": lambda view: status_block(view, narrow=True),
    "positions": position_lines,
    "orders": order_lines,
    "risk": risk_lines,
    "health": health_lines,
    "version": lambda view: [f"mmbot {view.version}, run {view.epoch}"],
}


def page(parts: Parts, name: str, market: str | None) -> list[str]:
    """Return the lines of a page; `market` None: of all markets."""
    if name == "explain":
        return explain_lines(parts.control.explain(market))
    view = parts.control.status()
    if name == "balance":
        return balance_lines(view, parts.fees)
    if market is not None:
        own = tuple(each for each in view.markets if each.symbol == market)
        view = replace(view, markets=own)
    return _PAGES[name](view)
