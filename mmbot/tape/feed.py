"""What a recorded market looks like to the rest: its grid, its rows in chunks, what was noticed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mmbot.cext.capture import Sequencer, Window, arrival_rows
from mmbot.domain.market import Market
from mmbot.errors import DataError
from mmbot.tape.grid import placed

CHUNK_BYTES = 1 << 20
# How far back exchange time may reach behind the newest seen and still be put in order.
HORIZON_NS = 10_000_000_000
ANY_SYMBOL = "*"
OnProgress = Callable[[float], None]
_FIRST_NS = -(2**63)
_LAST_NS = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOptions:
    """How input files become feeds. Times in nanoseconds.

    grids: markets by upper-case symbol, "*" for any symbol; a symbol without one gets its grid
    inferred. compat: take captures as hftbacktest does (diffs as they arrive, a snapshot
    overwrites). strict: a gap in the depth ids is an error. clock_offset_ns: added to local times;
    None makes the smallest latency feed_latency_ns where it is negative, and changes nothing where
    it is not. start_ns, end_ns: window of exchange time, end excluded.
    """

    grids: Mapping[str, Market] = field(default_factory=dict)
    compat: bool = False
    strict: bool = False
    clock_offset_ns: int | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    feed_latency_ns: int = 0


class Feed(Protocol):
    """One market's recorded rows."""

    @property
    def market(self) -> Market:
        """Grid and contract; its index is written into the rows."""
        ...

    @property
    def paths(self) -> tuple[Path, ...]:
        """The input files in time order."""
        ...

    @property
    def sha256(self) -> str:
        """Hash of the input files' bytes, one behind the other."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """What the input holds by kind: lines, rows, trades and so on."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Read the input anew and yield its rows in their final order, about a megabyte each."""
        ...

    def notes(self) -> list[str]:
        """What a person should know about the input, one line each; the problems among them."""
        ...

    def problems(self) -> list[str]:
        """What is missing or broken in the input; complete after a pass."""
        ...

    def progress(self) -> float:
        """Share of the input consumed by the current pass, 0 to 1."""
        ...


def known_market(symbol: str, index: int, options: FeedOptions) -> Market | None:
    """Return the market that the options give for a symbol, under this index."""
    given = options.grids.get(symbol) or options.grids.get(ANY_SYMBOL)
    return placed(given, symbol, index) if given is not None else None


def grid_notes(market: Market, options: FeedOptions) -> list[str]:
    """Say that a grid was inferred, if it was."""
    if known_market(market.symbol, market.index, options) is not None:
        return []
    return [
        f"{market.symbol}: grid inferred from the numbers seen: tick {market.tick:f},"
        f" lot {market.lot:f}, {market.contract} contract of {market.contract_size}"
    ]


def shaped(rows: Iterator[bytes], market: Market, options: FeedOptions) -> Iterator[bytes]:
    """Cut rows to the window of the options and join them to chunks of about a megabyte."""
    parts: list[bytes] = []
    size = 0
    for part in rows if _whole(options) else _windowed(rows, market, options):
        parts.append(part)
        size += len(part)
        if size >= CHUNK_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    if size:
        yield b"".join(parts)


def nth_of(count: int, number: int, on_progress: OnProgress) -> OnProgress:
    """Return what reports the share of the `number`th of `count` equal parts as one of all."""

    def report(share: float) -> None:
        on_progress((number + share) / count)

    return report


def joined(parts: Sequence[Iterator[bytes]], paths: Sequence[Path]) -> Iterator[bytes]:
    """Join the rows of files that follow one another in time.

    Over the border between two files exchange times may overlap, so several are put in order anew.
    DataError: local time goes back from one file to the next.
    """
    if len(parts) == 1:
        yield from parts[0]
        return
    sequencer = Sequencer(HORIZON_NS)
    for part, path in zip(parts, paths, strict=True):
        for rows in part:
            try:
                yield sequencer.push(arrival_rows(rows))
            except ValueError as error:
                raise DataError(f"{path}: {error}") from error
    yield sequencer.finish()


def _whole(options: FeedOptions) -> bool:
    return options.start_ns is None and options.end_ns is None


def _windowed(rows: Iterator[bytes], market: Market, options: FeedOptions) -> Iterator[bytes]:
    start = _FIRST_NS if options.start_ns is None else options.start_ns
    end = _LAST_NS if options.end_ns is None else options.end_ns
    window = Window(start, end, HORIZON_NS, market.index)
    for part in rows:
        yield window.push(part)
        if window.done:
            return
