"""Turn any readable recording into tapes; a tape appears under its name only when it is whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from mmbot.errors import DataError
from mmbot.tape.feed import Feed, FeedOptions, OnProgress, nth_of
from mmbot.tape.opening import Format, open_feeds
from mmbot.tape.writer import TapeWriter


@dataclass(frozen=True, slots=True)
class Conversion:
    """One tape written: its symbols, its rows, its bytes, and what the inputs' feeds noticed."""

    path: Path
    symbols: tuple[str, ...]
    rows: int
    size_bytes: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """When the tapes are made (Unix ns, told in their headers) and who hears of the progress."""

    created_ns: int
    on_progress: OnProgress


def convert(
    paths: Sequence[Path], fmt: Format, out: Path, options: FeedOptions, target: Target
) -> Conversion:
    """Write all symbols of the inputs to one tape.

    DataError: the first fault of the inputs, or `out` exists; nothing is left behind then.
    """
    return _write(out, open_feeds(paths, fmt, options), target)


def import_recordings(
    paths: Sequence[Path], fmt: Format, folder: Path, options: FeedOptions, target: Target
) -> list[Conversion]:
    """Write each symbol of the inputs to a tape in `folder`, which is made if it is missing.

    A tape is named by symbol and exchange time of its first row: BTCUSDT_20240808T235416Z.tape.
    DataError: the first fault of the inputs, or a tape of that name exists; whole tapes stay.
    """
    feeds = open_feeds(paths, fmt, options)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, feed in enumerate(feeds):
        report = nth_of(len(feeds), number, target.on_progress)
        part = Target(created_ns=target.created_ns, on_progress=report)
        written.append(_write(folder / _dated_name(feed), [feed], part))
    return written


def _write(out: Path, feeds: Sequence[Feed], target: Target) -> Conversion:
    source = ", ".join(path.name for feed in feeds for path in feed.paths)
    markets = [feed.market for feed in feeds]
    with TapeWriter(out, markets, source=source, created_ns=target.created_ns) as writer:
        for number, feed in enumerate(feeds):
            report = nth_of(len(feeds), number, target.on_progress)
            for rows in feed.chunks():
                writer.append_to(number, rows)
                report(feed.progress())
    notes = tuple(chain.from_iterable(feed.notes() for feed in feeds))
    symbols = tuple(market.symbol for market in markets)
    return Conversion(out, symbols, writer.rows, out.stat().st_size, notes)


def _dated_name(feed: Feed) -> str:
    first = next(feed.chunks(), b"")
    if not first:
        raise DataError(f"{feed.paths[0]}: expected rows of {feed.market.symbol}, found none")
    seconds = int.from_bytes(first[:8], "little", signed=True) // 1_000_000_000
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return f"{feed.market.symbol}_{moment:%Y%m%dT%H%M%SZ}.tape"
