"""Replay a run's own recording with its own settings, beside what its journal says of it.

A run's folder has its tapes, `config.yaml` as it was in force, and `journal.jsonl`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from mmbot.assemble import Recorded, Run, RunOptions, recorded_run
from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import BookUpdate, Event
from mmbot.domain.market import MICRO
from mmbot.errors import DataError
from mmbot.ports import SimVenue
from mmbot.research.fill_matching import Terms
from mmbot.research.lives import trace
from mmbot.research.record import RunRecord
from mmbot.research.run_comparison import Marked, RunComparison, compare_runs
from mmbot.runtime.replay import replay
from mmbot.tape import FeedOptions, open_feeds
from mmbot.tape.journal import Journalled, read_journal
from mmbot.tape.own_orders import WithoutOwn, own_sizes

CONFIG = "config.yaml"
JOURNAL = "journal.jsonl"
TAPES = "*.tape"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """What a run left behind."""

    path: Path
    config: Config
    journal: Journalled

    @property
    def tapes(self) -> list[Path]:
        """Its recordings, sorted by name."""
        return sorted(self.path.glob(TAPES))


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison, and the record of the replay in it."""

    comparison: RunComparison
    record: RunRecord


def open_run(path: Path) -> RunFolder:
    """Open the folder of a run; DataError or ConfigError say what is missing or wrong in it."""
    if not path.is_dir():
        raise DataError(f"{path}: expected the folder of a run")
    config = load([path / CONFIG]).config
    folder = RunFolder(path, config, read_journal(path / JOURNAL))
    if not folder.tapes:
        raise DataError(f"{path}: expected the recordings of a run ({TAPES}), found none")
    return folder


class Tapped:
    """A pretend exchange whose books are seen from `start_ns` on; `told` is given its events."""

    def __init__(self, venue: SimVenue, start_ns: int, told: Callable[[Event], object]) -> None:
        self._venue = venue
        self._start_ns = start_ns
        self._told = told
        self._unseen: dict[int, BookUpdate] = {}

    @property
    def now_ns(self) -> int:
        """See SimVenue."""
        return self._venue.now_ns

    @property
    def finished(self) -> bool:
        """See SimVenue."""
        return self._venue.finished

    def advance(self, until_ns: int) -> Sequence[Event]:
        """See SimVenue."""
        waiting = self._venue.now_ns < self._start_ns
        events = self._venue.advance(min(until_ns, self._start_ns) if waiting else until_ns)
        if waiting:
            events = self._first(events)
        for event in events:
            self._told(event)
        return events

    def _first(self, events: Sequence[Event]) -> list[Event]:
        """Hold books back until it is time, then show them all."""
        now_ns = self._venue.now_ns
        others: list[Event] = []
        for event in events:
            if isinstance(event, BookUpdate):
                self._unseen[event.market] = replace(event, ts_recv_ns=now_ns)
            else:
                others.append(event)
        if now_ns < self._start_ns:
            return others
        return [*others, *self._unseen.values()]

    def submit(self, batch: Batch) -> None:
        """See SimVenue."""
        self._venue.submit(batch)


def compare_run(
    folder: RunFolder, terms: Terms, keep_going: Callable[[], bool] = lambda: True
) -> Compared:
    """Replay and compare."""
    begun, entries = folder.journal
    feeds = open_feeds(folder.tapes, "tape", FeedOptions())
    indices = _indices(begun.symbols, [feed.market.symbol for feed in feeds], folder.path)
    live_entries = [_renumbered(entry, indices) for entry in entries]
    live = trace(live_entries)
    sources: list[Recorded] = list(feeds)
    if begun.own_in_book:
        sources = [WithoutOwn(feed, own_sizes(live_entries, feed.market.index)) for feed in feeds]
    config = _as_it_began(folder.config, begun.equity_uusd)
    told: list[Batch | Event] = []
    run = recorded_run(config, sources, RunOptions(log=told.append))
    venue = Tapped(run.venue, live.first_ns, told.append)
    replay(run.engine, venue, run.watch, keep_going=keep_going)
    record = run.watch.finish()
    markets = [Marked(each.market, each.final_half_ticks) for each in record.markets]
    found = compare_runs(live, trace(told), markets, _assumed_ms(config), terms)
    return Compared(replace(found, notes=tuple(_notes(folder, run))), record)


def _indices(symbols: Sequence[str], recorded: Sequence[str], path: Path) -> dict[int, int]:
    """Return the replay's number of each of the run's markets."""
    missing = [symbol for symbol in symbols if symbol not in recorded]
    if missing:
        raise DataError(f"{path}: expected recordings of {', '.join(missing)}, found none")
    return {index: recorded.index(symbol) for index, symbol in enumerate(symbols)}


def _renumbered(entry: Batch | Event, indices: dict[int, int]) -> Batch | Event:
    if isinstance(entry, Batch):
        actions: list[Place | Cancel] = [
            replace(action, market=indices[action.market]) for action in entry.actions
        ]
        return Batch(entry.ts_ns, tuple(actions))
    market: int | None = getattr(entry, "market", None)
    return entry if market is None else replace(entry, market=indices[market])


def _as_it_began(config: Config, equity_uusd: int) -> Config:
    params = config.backtest.model_copy(update={"initial_equity_usd": Decimal(equity_uusd) / MICRO})
    return config.model_copy(update={"backtest": params})


def _assumed_ms(config: Config) -> float:
    latency = config.backtest.latency
    return latency.entry_ms + latency.response_ms


def _notes(folder: RunFolder, run: Run) -> list[str]:
    begun = folder.journal.begun
    notes = list(run.notes())
    notes += [
        f"{symbol}: the run began with a position of {lots:+d} lots, the replay with none"
        for symbol, lots in zip(begun.symbols, begun.lots, strict=True)
        if lots
    ]
    params = folder.config.backtest
    if params.latency.model != "constant":
        notes.append(f"the replay's delays are of the model {params.latency.model}")
    if params.fill_model == "probabilistic":
        notes.append("the replay's fills are drawn: they say nothing about this run's")
    return notes
