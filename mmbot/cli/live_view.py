"""Shows a running bot: a screen that is drawn anew on a terminal, elsewhere a line now and then.

A line is due every ten seconds, and when it begins or ceases to quote.
"""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mmbot.cli.output import say
from mmbot.domain.actions import Batch
from mmbot.domain.events import Event, Fill
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView
from mmbot.interfaces.terminal import Seen, render, status_line

if TYPE_CHECKING:
    from rich.live import Live

REDRAW_EVERY_S = 0.25
LINE_EVERY_S = 10.0
KEPT = 50


class LiveView:
    """What there is to see; `run` shows it until it is cancelled.

    Progress goes to standard error, so that standard output has nothing but results.
    """

    def __init__(
        self, status: Callable[[], StatusView], markets: Sequence[Market], *, quiet: bool = False
    ) -> None:
        self._status = status
        self._markets = tuple(markets)
        self._quiet = quiet
        self._terminal = sys.stderr.isatty() and not quiet
        self._notices: deque[Notice] = deque(maxlen=KEPT)
        self._fills: deque[Fill] = deque(maxlen=KEPT)
        self._known: deque[tuple[int, int]] = deque(maxlen=KEPT)

    def event(self, event: Event) -> None:
        """Keep the newest fills."""
        if isinstance(event, Fill):
            # It comes a second time when its order is known.
            key = (event.market, event.trade_id)
            if key not in self._known:
                self._known.append(key)
                self._fills.append(event)

    def batch(self, batch: Batch) -> None:
        """See Listener: what was sent is in the status."""

    def notices(self, notices: Sequence[Notice]) -> None:
        """Keep the newest notices; without a screen they are told at once, if they matter."""
        self._notices += notices
        if self._terminal or self._quiet:
            return
        for notice in notices:
            if notice.severity >= Severity.WARNING:
                where = "" if notice.market is None else f"{self._markets[notice.market].symbol}: "
                say(f"{where}{notice.code}: {notice.text}")

    def seen(self) -> Seen:
        """Return everything as it is now."""
        return Seen(self._status(), self._markets, list(self._notices), list(self._fills))

    async def run(self) -> None:
        """Show until cancelled; the last screen stays."""
        if self._quiet:
            return
        if not self._terminal:
            await self._lines()
            return
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True)
        with Live(console=console, auto_refresh=False, screen=False) as live:
            try:
                while True:
                    self._draw(live)
                    await asyncio.sleep(REDRAW_EVERY_S)
            finally:
                self._draw(live)

    def _draw(self, live: "Live") -> None:
        live.update(render(self.seen(), live.console.width), refresh=True)

    async def _lines(self) -> None:
        told_s, mode = time.monotonic(), self._status().mode
        while True:
            await asyncio.sleep(REDRAW_EVERY_S)
            seen = self.seen()
            if seen.view.mode is not mode or time.monotonic() - told_s >= LINE_EVERY_S:
                told_s, mode = time.monotonic(), seen.view.mode
                say(status_line(seen))
