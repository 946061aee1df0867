"""The folder of a run: its tapes, its journal, its settings and how it ended; see `compare`.

Nothing here stops trading: what the disk refuses is told once, and recording ends.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from mmbot.adapters.zo.market_terms import BookedMarket
from mmbot.assemble.live.feeds import Levels
from mmbot.domain.actions import Batch
from mmbot.domain.events import Event, ReferencePrice
from mmbot.domain.order import Side
from mmbot.errors import MmbotError
from mmbot.tape.journal import Begun, Journal
from mmbot.tape.recorder import MarketRecorder

CONFIG, JOURNAL, STATUS = "config.yaml", "journal.jsonl", "status.json"


class RunFolder:
    """MarketTap, and a listener to what the bot does. `warn` is told of the first failure."""

    def __init__(
        self,
        folder: Path,
        markets: Sequence[BookedMarket],
        begun: Begun,
        warn: Callable[[str], None],
    ) -> None:
        """OSError when the folder cannot be made; `begun` is the journal's first line."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._warn = warn
        self._failed = False
        self._recorders = [
            MarketRecorder(folder, each.listing.market(0), each.book) for each in markets
        ]
        self._file: BinaryIO = (folder / JOURNAL).open("ab")
        self._journal = Journal(begun, self._file.write)

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the folder as a whole."""
        self._kept(lambda: (self.folder / name).write_bytes(content))

    def snapshot(self, market: int, now_ns: int) -> None:
        """See MarketTap."""
        self._kept(lambda: self._recorders[market].snapshot(now_ns))

    def depth(self, market: int, sides: tuple[Levels, Levels], now_ns: int) -> None:
        """See MarketTap."""
        self._kept(lambda: self._recorders[market].depth(*sides, now_ns))

    def gap(self, market: int, now_ns: int) -> None:
        """See MarketTap."""
        self._kept(lambda: self._recorders[market].gap(now_ns))

    def trade(
        self, market: int, side: Side, level: tuple[int, int], times: tuple[int | None, int]
    ) -> None:
        """See MarketTap."""
        self._kept(lambda: self._recorders[market].trade(side, level, *times))

    def reference(self, event: ReferencePrice) -> None:
        """See MarketTap: no tape has a place for it."""

    def batch(self, batch: Batch) -> None:
        """Note what was sent."""
        self._kept(lambda: self._journal.batch(batch))

    def event(self, event: Event) -> None:
        """Note what became of it."""
        self._kept(lambda: self._journal.event(event))

    def flush(self) -> None:
        """Have what is settled on the disk."""
        self._kept(self._file.flush)
        for recorder in self._recorders:
            self._kept(recorder.flush)

    def close(self) -> None:
        """Write what is left."""
        for recorder in self._recorders:
            self._kept(recorder.close)
        self._kept(self._file.close)

    def _kept(self, work: Callable[[], object]) -> None:
        if self._failed:
            return
        try:
            work()
        except (MmbotError, OSError, ValueError) as error:
            self._failed = True
            self._warn(f"recording ends: {error}")
