"""Events files of hftbacktest, .npz or .npy: structured 64-byte rows, read without numpy.

The rows carry both clocks and the stream bits already; they name no symbol, so the file's name
does: the letters and digits in front of the first other character.
"""

import ast
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import gcd
from pathlib import Path
from typing import IO

from mmbot.cext.capture import EventDecoder
from mmbot.domain.market import Market
from mmbot.errors import DataError
from mmbot.tape.feed import Feed, FeedOptions, grid_notes, joined, known_market, shaped
from mmbot.tape.grid import SURVEY_GRID, grid_of, inferred_market
from mmbot.tape.source import file_size, open_binary, sha256_of

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
ROW_BYTES = 64
_BLOCK_ROWS = 1 << 14
_FIELDS = [
    ("ev", "<u8"),
    ("exch_ts", "<i8"),
    ("local_ts", "<i8"),
    ("px", "<f8"),
    ("qty", "<f8"),
    ("order_id", "<u8"),
    ("ival", "<i8"),
    ("fval", "<f8"),
]


class EventsFile:
    """One array of event rows; `rows` is the length its header gives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = file_size(path)
        with self._array() as stream:
            self.rows = _rows_in_header(path, stream)
        self.rows_read = 0

    @property
    def symbol(self) -> str:
        """Upper-case symbol from the file's name."""
        found = re.match(r"[A-Za-z0-9]+", self.path.name)
        return found.group().upper() if found else self.path.name.upper()

    def blocks(self) -> Iterator[bytes]:
        """Yield whole rows; DataError when the array is shorter than its header says."""
        self.rows_read = 0
        with self._array() as stream:
            _rows_in_header(self.path, stream)
            while self.rows_read < self.rows:
                wanted = min(_BLOCK_ROWS, self.rows - self.rows_read) * ROW_BYTES
                block = stream.read(wanted)
                if len(block) < wanted:
                    place = self.rows_read + len(block) // ROW_BYTES
                    raise DataError(
                        f"{self.path}, row {place}: expected {self.rows} rows, found the end"
                    )
                yield block
                self.rows_read += wanted // ROW_BYTES

    @contextmanager
    def _array(self) -> Iterator[IO[bytes]]:
        with open_binary(self.path) as file:
            if file.read(4) != ZIP_MAGIC:
                file.seek(0)
                yield file
                return
            try:
                with (
                    zipfile.ZipFile(file) as archive,
                    archive.open(_member(self.path, archive)) as stream,
                ):
                    yield stream
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                raise DataError(f"{self.path}: damaged npz file ({error})") from error


class EventsFeed:
    """The rows of one symbol's events files, in time order."""

    def __init__(self, files: Sequence[EventsFile], market: Market, options: FeedOptions) -> None:
        self.market = market
        self.paths = tuple(file.path for file in files)
        self.sha256 = sha256_of(self.paths)
        self._files = files
        self._options = options

    @property
    def counts(self) -> Mapping[str, int]:
        """Rows by the files' headers."""
        return {"rows": sum(file.rows for file in self._files)}

    def chunks(self) -> Iterator[bytes]:
        """Read the files anew; DataError with file and row at the first fault."""
        grid, index = grid_of(self.market), self.market.index
        parts = [_decoded(file, EventDecoder(grid, index)) for file in self._files]
        return shaped(joined(parts, self.paths), self.market, self._options)

    def notes(self) -> list[str]:
        """Say that the grid was inferred, if it was; the rows are taken as they are."""
        return grid_notes(self.market, self._options)

    def problems(self) -> list[str]:
        """Nothing: what is wrong with such a file is an error."""
        return []

    def progress(self) -> float:
        """Share of the rows consumed by the current pass."""
        return sum(file.rows_read for file in self._files) / self.counts["rows"]


def open_events(paths: Sequence[Path], options: FeedOptions) -> list[Feed]:
    """Return one feed per symbol, each over its files in time order."""
    by_symbol: dict[str, list[EventsFile]] = {}
    for path in paths:
        file = EventsFile(path)
        if not file.rows:
            raise DataError(f"{path}: expected event rows, found none")
        by_symbol.setdefault(file.symbol, []).append(file)
    return [
        _open_symbol(symbol, index, files, options)
        for index, (symbol, files) in enumerate(by_symbol.items())
    ]


def _open_symbol(
    symbol: str, index: int, files: list[EventsFile], options: FeedOptions
) -> EventsFeed:
    files.sort(key=_first_local)
    known = known_market(symbol, index, options)
    if known is not None:
        return EventsFeed(files, known, options)
    prices = sizes = 0
    for file in files:
        survey = EventDecoder(SURVEY_GRID, survey=True)
        for _ in _decoded(file, survey):
            pass
        prices = gcd(prices, survey.divisors[0])
        sizes = gcd(sizes, survey.divisors[1])
    if not prices or not sizes:
        raise DataError(f"{files[0].path}: expected prices and sizes, found none")
    return EventsFeed(files, inferred_market(symbol, index, (prices, sizes)), options)


def _first_local(file: EventsFile) -> int:
    return int.from_bytes(next(file.blocks())[16:24], "little", signed=True)


def _decoded(file: EventsFile, decoder: EventDecoder) -> Iterator[bytes]:
    for block in file.blocks():
        try:
            yield decoder.feed(block)
        except ValueError as error:
            raise DataError(f"{file.path}, row {decoder.count}: {error}") from error


def _member(path: Path, archive: zipfile.ZipFile) -> str:
    names = archive.namelist()
    arrays = [name for name in names if name.endswith(".npy")]
    if len(arrays) == 1 or "data.npy" in arrays:
        return arrays[0] if len(arrays) == 1 else "data.npy"
    raise DataError(f"{path}: expected the array data.npy, found {', '.join(names)}")


def _rows_in_header(path: Path, stream: IO[bytes]) -> int:
    prefix = stream.read(8)
    if prefix[:6] != NPY_MAGIC or len(prefix) < 8:
        raise DataError(f"{path}: expected a numpy array, found {prefix[:6]!r}")
    width = 2 if prefix[6] == 1 else 4
    text = stream.read(int.from_bytes(stream.read(width), "little"))
    try:
        header = ast.literal_eval(text.decode("latin-1").strip())
        fields, shape, fortran = header["descr"], header["shape"], header["fortran_order"]
    except (ValueError, SyntaxError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: expected the header of a numpy array, found {text[:40]!r}"
        ) from error
    if fields != _FIELDS or len(shape) != 1 or fortran:
        raise DataError(f"{path}: expected one column of event rows {_FIELDS}, found {fields}")
    return int(shape[0])
