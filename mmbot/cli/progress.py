"""Progress of a long run on standard error, and the first Ctrl-C as a wish to stop early."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_LINE_EVERY_S = 10.0
_REDRAW_EVERY_S = 0.1


class Meter:
    """Turns a share of work done into a bar (terminal) or a line every 10 s (anything else)."""

    def __init__(self, share: Callable[[], float], market_ns: Callable[[], int] | None) -> None:
        """`share` is 0 to 1; `market_ns`, where there is one, is the market time reached."""
        self.stopped = False
        self._share = share
        self._market_ns = market_ns
        self._started_s = perf_counter()
        self._first_ns = 0 if market_ns is None else market_ns()
        self._shown_s = self._started_s
        self._bar: Progress | None = None

    def keep_going(self) -> bool:
        """Show progress when it is time to; False after Ctrl-C."""
        now_s = perf_counter()
        terminal = sys.stderr.isatty()
        if now_s - self._shown_s >= (_REDRAW_EVERY_S if terminal else _LINE_EVERY_S):
            self._shown_s = now_s
            self._show(now_s - self._started_s, terminal)
        return not self.stopped

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._bar is not None:
            self._bar.stop()

    def _show(self, elapsed_s: float, terminal: bool) -> None:
        share = self._share()
        rate = ""
        if self._market_ns is not None:
            market_s = (self._market_ns() - self._first_ns) / 1e9
            rate = f" {market_s / elapsed_s:,.0f}x real time"
        if terminal:
            self._draw(share, rate)
            return
        left = elapsed_s * (1 - share) / share if share > 0 else 0.0
        eta = f"{int(left) // 60:02d}:{int(left) % 60:02d}"
        sys.stderr.write(f"progress {share:.0%}{rate} eta {eta}\n")

    def _draw(self, share: float, rate: str) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%{task.description}  eta"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.add_task("", total=1.0)
            self._bar.start()
        task = self._bar.task_ids[0]
        self._bar.update(task, completed=share, description=rate)


@contextmanager
def metered(share: Callable[[], float], market_ns: Callable[[], int] | None) -> Iterator[Meter]:
    """Meter a run; the first Ctrl-C asks it to stop, the second interrupts the program."""
    meter = Meter(share, market_ns)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if meter.stopped:
            raise KeyboardInterrupt
        meter.stopped = True

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield meter
    finally:
        signal.signal(signal.SIGINT, previous)
        meter.close()
