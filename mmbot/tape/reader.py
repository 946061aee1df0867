"""Read tapes: whole blocks only; a torn end is left out and told, damage before it is an error."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from mmbot.domain.market import Market
from mmbot.errors import DataError
from mmbot.tape.feed import Feed, FeedOptions, joined, known_market, shaped
from mmbot.tape.format import (
    BLOCK_HEAD_BYTES,
    PREFIX_BYTES,
    BlockHead,
    Header,
    decode_block,
    decode_block_head,
    decode_header,
    header_text_length,
)
from mmbot.tape.grid import placed
from mmbot.tape.source import file_size, open_binary, sha256_of

_COPY_BYTES = 1 << 20


class TapeFile:
    """One tape; after a whole pass `torn_bytes` is what follows the last whole block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = file_size(path)
        self.torn_bytes = 0
        self.consumed = 0
        with open_binary(path) as file:
            self.header = self._header(file)
            self._body = file.tell()

    def heads(self) -> Iterator[BlockHead]:
        """Yield every block's head. DataError: file, byte and what was expected."""
        for head, _ in self.blocks(-1):
            yield head

    def rows(self, market: int, index: int) -> Iterator[bytes]:
        """Yield the rows of one market, giving them the number `index`."""
        for head, payload in self.blocks(market):
            if head.market == market:
                try:
                    yield decode_block(head, payload, index)
                except ValueError as error:
                    place = self.consumed - len(payload) - BLOCK_HEAD_BYTES
                    raise DataError(f"{self.path}, block at byte {place}: {error}") from error

    def blocks(self, market: int) -> Iterator[tuple[BlockHead, bytes]]:
        """Yield every block; payloads of other markets than `market` are passed over, empty."""
        self.torn_bytes = 0
        with open_binary(self.path) as file:
            file.seek(self._body)
            self.consumed = self._body
            while self.consumed < self.size:
                head = self._head(file)
                if head is None:
                    self._give_up_rest()
                    return
                after = self.consumed + BLOCK_HEAD_BYTES + head.length
                payload = b""
                if head.market == market or after == self.size:
                    payload = file.read(head.length)
                    if after == self.size and zlib.crc32(payload) != head.crc:
                        # The last write before a power cut: its length is there, not all its bytes.
                        self._give_up_rest()
                        return
                else:
                    file.seek(head.length, 1)
                self.consumed = after
                yield head, payload

    def _give_up_rest(self) -> None:
        self.torn_bytes = self.size - self.consumed
        self.consumed = self.size

    def _header(self, file: BinaryIO) -> Header:
        try:
            prefix = file.read(PREFIX_BYTES)
            if len(prefix) < PREFIX_BYTES:
                raise ValueError(f"expected the header of a tape, found {len(prefix)} bytes")
            length = header_text_length(prefix)
            header = decode_header(prefix, file.read(min(length, self.size)))
            for index in range(len(header.markets)):
                header.market(index)
            return header
        except ValueError as error:
            raise DataError(f"{self.path}, byte 0: {error}") from error

    # The head of the block at `consumed`, or None when what is left is the torn end.
    def _head(self, file: BinaryIO) -> BlockHead | None:
        left = self.size - self.consumed
        if left < BLOCK_HEAD_BYTES:
            return None
        try:
            head = decode_block_head(file.read(BLOCK_HEAD_BYTES))
        except ValueError as error:
            if self._zero_to_end(file):
                return None
            raise DataError(f"{self.path}, byte {self.consumed}: {error}") from error
        if head.market >= len(self.header.markets):
            raise DataError(
                f"{self.path}, byte {self.consumed}: expected a market below"
                f" {len(self.header.markets)}, found {head.market}"
            )
        return head if head.length <= left - BLOCK_HEAD_BYTES else None

    # Some file systems leave zeros where the last write before a power cut should be.
    def _zero_to_end(self, file: BinaryIO) -> bool:
        file.seek(self.consumed)
        while block := file.read(_COPY_BYTES):
            if block.strip(b"\0"):
                return False
        return True


class TapeFeed:
    """The rows of one symbol of one or several tapes, in time order."""

    def __init__(
        self, parts: Sequence[tuple[TapeFile, int]], market: Market, options: FeedOptions
    ) -> None:
        self.market = market
        self.paths = tuple(tape.path for tape, _ in parts)
        self.sha256 = sha256_of(self.paths)
        self._parts = parts
        self._options = options
        heads = [head for tape, number in parts for head in tape.heads() if head.market == number]
        self.counts: Mapping[str, int] = {
            "rows": sum(head.rows for head in heads),
            "blocks": len(heads),
        }

    def chunks(self) -> Iterator[bytes]:
        """Read the tapes anew; DataError with file and byte at the first damaged block."""
        return shaped(self._rows(), self.market, self._options)

    def notes(self) -> list[str]:
        """Tell the same."""
        return self.problems()

    def problems(self) -> list[str]:
        """Say what a crash has cost."""
        return [
            f"{tape.path}: the last block is torn; {tape.torn_bytes} bytes at the end left out"
            for tape, _ in self._parts
            if tape.torn_bytes
        ]

    def progress(self) -> float:
        """Share of the tapes' bytes consumed by the current pass."""
        return sum(tape.consumed for tape, _ in self._parts) / sum(
            tape.size for tape, _ in self._parts
        )

    def _rows(self) -> Iterator[bytes]:
        for tape, _ in self._parts:
            tape.consumed = 0
        index = self.market.index
        return joined([tape.rows(number, index) for tape, number in self._parts], self.paths)


def open_tapes(paths: Sequence[Path], options: FeedOptions) -> list[Feed]:
    """Return one feed per symbol, each over its tapes in time order."""
    by_symbol: dict[str, list[tuple[TapeFile, int]]] = {}
    for path in paths:
        for number, told in enumerate(TapeFile(path).header.markets):
            by_symbol.setdefault(told.symbol, []).append((TapeFile(path), number))
    return [
        _open_symbol(symbol, index, parts, options)
        for index, (symbol, parts) in enumerate(by_symbol.items())
    ]


def _open_symbol(
    symbol: str, index: int, parts: list[tuple[TapeFile, int]], options: FeedOptions
) -> TapeFeed:
    parts.sort(key=_first_local)
    grids = [tape.header.markets[number] for tape, number in parts]
    if len({(grid.tick, grid.lot, grid.contract, grid.contract_size) for grid in grids}) > 1:
        raise DataError(f"{symbol}: expected the same grid and contract in all of its tapes")
    told = placed(parts[0][0].header.market(parts[0][1]), symbol, index)
    given = known_market(symbol, index, options)
    if given is not None and (given.tick, given.lot) != (told.tick, told.lot):
        raise DataError(
            f"{parts[0][0].path}: expected tick {given.tick} and lot {given.lot} of {symbol},"
            f" found {told.tick} and {told.lot}"
        )
    return TapeFeed(parts, given or told, options)


def _first_local(part: tuple[TapeFile, int]) -> int:
    tape, number = part
    first = next(tape.rows(number, 0), None)
    return int.from_bytes(first[8:16], "little", signed=True) if first else tape.header.created_ns
