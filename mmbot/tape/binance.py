"""Raw Binance captures: 19 digits of local nanoseconds, a blank, the message as received.

Default: diffs obey the exchange's rule (they wait for the snapshot, chain by their ids, and a gap
clears the book). Compatible: every diff in arrival order, and a snapshot overwrites.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmbot.cext.capture import Decoder, Sequencer
from mmbot.domain.market import Market
from mmbot.errors import DataError
from mmbot.tape.feed import HORIZON_NS, Feed, FeedOptions, grid_notes, known_market, shaped
from mmbot.tape.grid import SURVEY_GRID, grid_of, inferred_market
from mmbot.tape.source import Source, sha256_of

_LONGEST_LINE = 1 << 24
_LEFT_OUT = {
    "other_trades": "trades that hit no order in the book",
    "stale_diffs": "depth updates older than the book",
    "stale_snapshots": "snapshots older than the book",
}
_CHAIN_FIGURES = ("gaps", "stale_diffs", "stale_snapshots", "dropped_diffs")


class Lines:
    """Feed the lines of several files, one behind the other, to one decoder."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.sources = [Source(path) for path in paths]
        self._first_lines: list[int] = []

    def decode(self, decoder: Decoder) -> Iterator[None]:
        """Yield after every block decoded. DataError: file, line and what was expected."""
        self._first_lines = []
        for source in self.sources:
            self._first_lines.append(decoder.line)
            rest = b""
            for block in source.blocks():
                text = rest + block
                rest = text[self._feed(decoder, text) :]
                if len(rest) > _LONGEST_LINE:
                    raise DataError(
                        f"{self.place(decoder.line + 1)}: expected the end of the line within"
                        f" {_LONGEST_LINE} bytes"
                    )
                yield
            if rest:
                self._feed(decoder, rest + b"\n")
                yield

    def place(self, line: int) -> str:
        """Name the file and the line in it of the line counted over all files."""
        index = max(bisect_right(self._first_lines, line - 1) - 1, 0)
        return f"{self.sources[index].path}, line {line - self._first_lines[index]}"

    def progress(self) -> float:
        """Share of the bytes consumed, 0 to 1."""
        consumed = sum(source.consumed for source in self.sources)
        return consumed / sum(source.size for source in self.sources)

    def _feed(self, decoder: Decoder, text: bytes) -> int:
        try:
            return decoder.feed(text)
        except ValueError as error:
            raise DataError(f"{self.place(decoder.line)}, {error}") from error


class CaptureFeed:
    """The rows of one symbol's captures, in time order."""

    def __init__(
        self, paths: Sequence[Path], market: Market, options: FeedOptions, survey: Decoder
    ) -> None:
        self.market = market
        self.paths = tuple(paths)
        self.sha256 = sha256_of(paths)
        self._options = options
        self._survey = survey
        self._lines = Lines(paths)
        self._decoder: Decoder | None = None

    @property
    def offset_ns(self) -> int:
        """Nanoseconds added to the local times of the capture."""
        if self._options.clock_offset_ns is not None:
            return self._options.clock_offset_ns
        least = self._survey.figures["least_latency"]
        return self._options.feed_latency_ns - least if least < 0 else 0

    @property
    def counts(self) -> Mapping[str, int]:
        """Lines by what they hold; levels are not counted."""
        figures = self._survey.figures
        return {
            "lines": self._survey.line,
            "depth messages": figures["depth_messages"],
            "trades": figures["trades"],
            "snapshots": figures["snapshots"],
            "other messages": figures["other_messages"] + figures["other_trades"],
        }

    def chunks(self) -> Iterator[bytes]:
        """Read the captures anew; DataError with file and line at the first fault."""
        return shaped(self._rows(), self.market, self._options)

    def notes(self) -> list[str]:
        """Tell the grid if inferred, the clock offset, what was left out, and the problems."""
        symbol = self.market.symbol
        notes = grid_notes(self.market, self._options)
        if self.offset_ns:
            least = self._survey.figures["least_latency"]
            notes.append(
                f"{symbol}: {self.offset_ns:+,} ns added to local times"
                f" (smallest local - exchange time {least:,} ns)"
            )
        figures = self._figures()
        notes += [
            f"{symbol}: left out {figures[name]:,} {what}"
            for name, what in _LEFT_OUT.items()
            if figures[name]
        ]
        return notes + self.problems()

    def problems(self) -> list[str]:
        """Tell of a missing snapshot, missing trades, and the gaps that a pass has met."""
        symbol = self.market.symbol
        figures = self._figures()
        gaps = self._decoder.gaps if self._decoder else []
        problems = []
        if not self._survey.figures["snapshots"]:
            problems.append(f"{symbol}: no snapshot; a level is unknown until first touched")
        if figures["missing_trades"]:
            problems.append(f"{symbol}: {figures['missing_trades']:,} trade ids are missing")
        problems += [self._gap_text(*gap) for gap in gaps]
        if figures["gaps"] > len(gaps):
            problems.append(f"{symbol}: {figures['gaps']:,} gaps in the depth ids in all")
        if figures["dropped_diffs"]:
            problems.append(f"{symbol}: {figures['dropped_diffs']:,} depth updates waited in vain")
        return problems

    def progress(self) -> float:
        """Share of the files' bytes consumed by the current pass."""
        return self._lines.progress()

    def _rows(self) -> Iterator[bytes]:
        decoder = Decoder(
            grid_of(self.market),
            self.market.index,
            self.offset_ns,
            "arrival" if self._options.compat else "exchange",
            self._survey.figures["snapshots"],
        )
        self._decoder = decoder
        sequencer = Sequencer(HORIZON_NS)
        for _ in self._lines.decode(decoder):
            if self._options.strict and decoder.gaps:
                raise DataError(self._gap_text(*decoder.gaps[0]))
            try:
                yield sequencer.push(decoder.take())
            except ValueError as error:
                raise DataError(f"{self._lines.place(decoder.line)} or before: {error}") from error
        yield sequencer.finish()

    # The survey has counted what the files hold; only a pass follows the chain.
    def _figures(self) -> dict[str, int]:
        figures = self._survey.figures
        if self._decoder is not None:
            met = self._decoder.figures
            figures |= {name: met[name] for name in _CHAIN_FIGURES}
        return figures

    def _gap_text(self, line: int, expected: int, found: int) -> str:
        return (
            f"{self._lines.place(line)}: gap in the depth ids, expected {expected},"
            f" found {found}; the book is empty until it is known again"
        )


def open_captures(paths: Sequence[Path], options: FeedOptions) -> list[Feed]:
    """Return one feed per symbol, each over its captures in time order.

    Every line is read once: DataError names the file and line of the first fault.
    """
    by_symbol: dict[str, list[tuple[int, Path]]] = {}
    for path in paths:
        symbol, first_local = _identify(path)
        by_symbol.setdefault(symbol, []).append((first_local, path))
    return [
        _open_symbol(symbol, index, [path for _, path in sorted(found)], options)
        for index, (symbol, found) in enumerate(by_symbol.items())
    ]


def _identify(path: Path) -> tuple[str, int]:
    decoder = Decoder(SURVEY_GRID, rule="survey")
    for _ in Lines([path]).decode(decoder):
        if decoder.symbol:
            break
    if not decoder.symbol:
        raise DataError(f"{path}: expected depth updates or trades of a symbol, found none")
    return decoder.symbol, decoder.figures["first_local"]


def _open_symbol(
    symbol: str, index: int, paths: Sequence[Path], options: FeedOptions
) -> CaptureFeed:
    known = known_market(symbol, index, options)
    survey = Decoder(grid_of(known) if known else SURVEY_GRID, rule="survey")
    for _ in Lines(paths).decode(survey):
        pass
    if 0 in survey.divisors:
        raise DataError(f"{paths[0]}: expected prices and sizes of {symbol}, found none")
    market = known or inferred_market(symbol, index, survey.divisors)
    return CaptureFeed(paths, market, options, survey)
