"""What a running bot logs: notices by their severity, a line on its state now and then, and with
`debug` every order and fill.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import Event, Fill
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView
from mmbot.interfaces.terminal import Seen, status_line
from mmbot.logs.logs import logger

STATUS_EVERY_S = 300.0
# A line that may come as often as it likes.
STEADY = {"steady": True}
_LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.CRITICAL: logging.ERROR,
}


class RunLog:
    """Listener of a run; `about` tells it of what, `run` logs the state until cancelled."""

    def __init__(self) -> None:
        self._bot, self._orders = logger("bot"), logger("orders")
        self._status: Callable[[], StatusView] | None = None
        self._markets: tuple[Market, ...] = ()

    def about(self, status: Callable[[], StatusView], markets: Sequence[Market]) -> None:
        """Know what to tell of."""
        self._status, self._markets = status, tuple(markets)

    def say(self, text: str) -> None:
        """Log a line for information, such as those of the start and the end."""
        self._bot.info("%s", text, extra=STEADY)

    def warn(self, text: str) -> None:
        """Log a warning that is no event of the engine."""
        self._bot.warning("%s", text)

    def event(self, event: Event) -> None:
        """Log a fill as soon as its order is known."""
        if isinstance(event, Fill) and event.order_id and self._orders.isEnabledFor(logging.DEBUG):
            market = self._markets[event.market]
            self._orders.debug(
                "order %d filled: %s %s at %s, %s",
                event.order_id,
                event.side.name.lower(),
                f"{market.size(event.lots):f}",
                f"{market.price(event.ticks):f}",
                "maker" if event.maker else "taker",
                extra={"market": market.symbol},
            )

    def batch(self, batch: Batch) -> None:
        """Log what was sent."""
        if not self._orders.isEnabledFor(logging.DEBUG):
            return
        for action in batch.actions:
            market = self._markets[action.market]
            words = f"cancel of order {action.order_id} sent"
            if isinstance(action, Place):
                words = (
                    f"order {action.order_id} sent: {action.side.name.lower()} "
                    f"{market.size(action.lots):f} at {market.price(action.ticks):f}"
                )
            self._orders.debug("%s", words, extra={"market": market.symbol})

    def notices(self, notices: Sequence[Notice]) -> None:
        """Log what the engine wants a person to know."""
        for each in notices:
            market = None if each.market is None else self._markets[each.market].symbol
            extra = {"code": each.code, "market": market}
            # A line of the log is one line: the chat has these below each other.
            text = "; ".join(each.text.splitlines())
            self._bot.log(_LEVELS[each.severity], "%s", text, extra=extra)

    async def run(self) -> None:
        """Log the state until cancelled."""
        while self._status is not None:
            await asyncio.sleep(STATUS_EVERY_S)
            self.say(status_line(Seen(self._status(), self._markets)))
