"""Replay a run's own recording with its own settings, beside what its journal says of it.

Twice: once with the run's own orders, which tests the pretend exchange alone, and once with the
engine deciding for itself, from where the run began and at the moments it decided.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from mmbot.assemble import (
    MILLISECOND_NS,
    Recorded,
    Run,
    RunOptions,
    market_settings,
    recorded_run,
)
from mmbot.assemble.comparing.run_folder import CONFIG, RunFolder, open_run
from mmbot.assemble.comparing.same_orders import resent, send_again
from mmbot.assemble.comparing.tapped import STEP_NS, Opening, Tapped
from mmbot.assemble.comparing.timetable import OnTime, timetable
from mmbot.config.schema import Config
from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import Event
from mmbot.domain.market import MICRO
from mmbot.errors import DataError
from mmbot.research.fill_matching import Terms
from mmbot.research.lives import Trace, trace
from mmbot.research.record import RunRecord
from mmbot.research.run_comparison import Marked, RunComparison, Traces, compare_runs, remeasured
from mmbot.runtime.replay import replay
from mmbot.tape import FeedOptions, open_feeds
from mmbot.tape.own_orders import WithoutOwn, own_sizes

__all__ = ["CONFIG", "Compared", "RunFolder", "compare_run", "open_run"]

# Books of a long run are told less promptly, so that its replay does not take hours.
MOST_STEPS = 10_000_000


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison, and the record of the replay in it."""

    comparison: RunComparison
    record: RunRecord


class _Told(NamedTuple):
    """A run's journal, with markets numbered as its recordings are."""

    folder: RunFolder
    config: Config
    entries: list[Batch | Event]
    live: Trace
    lots: list[int]


class _Replayed(NamedTuple):
    run: Run
    trace: Trace
    record: RunRecord


def compare_run(
    folder: RunFolder, terms: Terms, keep_going: Callable[[], bool] = lambda: True
) -> Compared:
    """Replay and compare."""
    told = _told(folder)
    same = _same_orders(told)
    replayed = _decided(told, told.config, keep_going)
    markets = [Marked(each.market, each.final_half_ticks) for each in replayed.record.markets]
    traces = Traces(told.live, same, replayed.trace)
    found = compare_runs(traces, markets, _assumed_ms(told.config), terms)
    latency = found.latency
    if latency.p50_ms is not None:
        entry_ms = latency.p50_ms / 2
        response_ms = max(entry_ms, latency.fill_p50_ms or 0.0)
        slower = _with_delays(told.config, entry_ms, response_ms)
        again = _decided(told, slower, keep_going).trace
        measured = remeasured(told.live, again, markets, (entry_ms, response_ms), terms)
        found = replace(found, measured=measured)
    notes = tuple(_notes(folder, replayed.run))
    return Compared(replace(found, notes=notes), replayed.record)


def _told(folder: RunFolder) -> _Told:
    begun, entries = folder.journal
    recorded = [feed.market.symbol for feed in open_feeds(folder.tapes, "tape", FeedOptions())]
    indices = _indices(begun.symbols, recorded, folder.path)
    numbered = [_renumbered(entry, indices) for entry in entries]
    lots = [0] * len(recorded)
    for index, held in enumerate(begun.lots):
        lots[indices[index]] = held
    config = _as_it_began(folder.config, begun.equity_uusd)
    return _Told(folder, config, numbered, trace(numbered), lots)


def _sources(told: _Told) -> list[Recorded]:
    """Return the recordings, less the run's own orders."""
    feeds = open_feeds(told.folder.tapes, "tape", FeedOptions())
    if not told.folder.journal.begun.own_in_book:
        return list(feeds)
    return [WithoutOwn(feed, own_sizes(told.entries, feed.market.index)) for feed in feeds]


def _same_orders(told: _Told) -> Trace:
    """What the pretend exchange makes of the run's own orders."""
    run = recorded_run(told.config, _sources(told), RunOptions(observe=True))
    return trace(send_again(run.venue, resent(told.entries)))


def _decided(told: _Told, config: Config, keep_going: Callable[[], bool]) -> _Replayed:
    """What the engine makes of the recording."""
    said: list[Batch | Event] = []
    sources = _sources(told)
    run = recorded_run(config, sources, RunOptions(log=said.append))
    times = [
        timetable(told.entries, market.index, _interval_ns(config, market.symbol))
        for market in (source.market for source in sources)
    ]
    openings = [
        Opening(known[0] if known else told.live.first_ns, lots)
        for known, lots in zip(times, told.lots, strict=True)
    ]
    step_ns = max(STEP_NS, (told.live.last_ns - told.live.first_ns) // MOST_STEPS)
    venue = Tapped(run.venue, openings, said.append, run.watch.carry, step_ns)
    replay(OnTime(run.engine, times), venue, run.watch, keep_going=keep_going)
    record = run.watch.finish()
    return _Replayed(run, trace(said), record)


def _interval_ns(config: Config, symbol: str) -> int:
    return market_settings(config, symbol).requote.min_interval_ms * MILLISECOND_NS


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
    return _with(config, {"initial_equity_usd": Decimal(equity_uusd) / MICRO})


def _with_delays(config: Config, entry_ms: float, response_ms: float) -> Config:
    delays = {"model": "constant", "file": None, "entry_ms": entry_ms, "response_ms": response_ms}
    return _with(config, {"latency": config.backtest.latency.model_copy(update=delays)})


def _with(config: Config, update: dict[str, object]) -> Config:
    return config.model_copy(update={"backtest": config.backtest.model_copy(update=update)})


def _assumed_ms(config: Config) -> float:
    latency = config.backtest.latency
    return latency.entry_ms + latency.response_ms


def _notes(folder: RunFolder, run: Run) -> list[str]:
    notes = list(run.notes())
    params = folder.config.backtest
    if params.latency.model != "constant":
        notes.append(f"the replay's delays are of the model {params.latency.model}")
    if params.fill_model == "probabilistic":
        notes.append("the replay's fills are drawn: they say nothing about this run's")
    return notes
