"""The layout of a tape file (docs/tape-format.md): one header, then blocks of rows of one market.

Little-endian. Header: magic, length and crc32 of a JSON text, the text. Block: mark, market, number
of rows, length and crc32 of the payload, crc32 of these five fields, the payload.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from mmbot.cext.capture import ROW_BYTES, pack_rows, unpack_rows
from mmbot.domain.market import Contract, Market

MAGIC = b"mmbtape\n"
VERSION = 1
BLOCK_MARK = b"rows"
# Rows after which a block is written; a reader holds one block at a time.
BLOCK_ROWS = 1 << 16
_PREFIX = struct.Struct("<8sII")
_BLOCK = struct.Struct("<4sIIII")
_CRC = struct.Struct("<I")
PREFIX_BYTES = _PREFIX.size
BLOCK_HEAD_BYTES = _BLOCK.size + _CRC.size


class TapeMarket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A market as the header tells it; decimals as text."""

    symbol: str
    tick: Decimal
    lot: Decimal
    min_lots: int
    contract: Contract
    contract_size: Decimal


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a tape says about itself; `created_ns` is Unix time."""

    version: int
    source: str
    created_ns: int
    markets: tuple[TapeMarket, ...]

    def market(self, index: int) -> Market:
        """Return the market at this place as the rest of the program knows it."""
        told = self.markets[index]
        return Market(
            told.symbol,
            told.tick,
            told.lot,
            index=index,
            min_lots=told.min_lots,
            contract=told.contract,
            contract_size=told.contract_size,
        )


class _Versioned(msgspec.Struct, frozen=True):
    version: int


@dataclass(frozen=True, slots=True)
class BlockHead:
    """One block's market, rows and payload."""

    market: int
    rows: int
    length: int
    crc: int


def header_for(markets: Sequence[Market], *, source: str, created_ns: int) -> Header:
    """Return the header of a tape of these markets; their order is their number in the blocks."""
    told = (
        TapeMarket(m.symbol, m.tick, m.lot, m.min_lots, m.contract, m.contract_size)
        for m in markets
    )
    return Header(VERSION, source, created_ns, tuple(told))


def encode_header(header: Header) -> bytes:
    """Write the file's first bytes."""
    text = msgspec.json.encode(header)
    return _PREFIX.pack(MAGIC, len(text), zlib.crc32(text)) + text


def header_text_length(prefix: bytes) -> int:
    """Return the length of the JSON text; ValueError when this is no tape."""
    magic, length, _ = _PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise ValueError(f"expected the first bytes of a tape {MAGIC!r}, found {magic!r}")
    return int(length)


def decode_header(prefix: bytes, text: bytes) -> Header:
    """Read the header; ValueError when it is damaged or of another version."""
    if zlib.crc32(text) != _PREFIX.unpack(prefix)[2]:
        raise ValueError("expected the header to match its checksum")
    try:
        version = msgspec.json.decode(text, type=_Versioned).version
        if version != VERSION:
            raise ValueError(f"expected tape version {VERSION}, found {version}")
        return msgspec.json.decode(text, type=Header)
    except msgspec.DecodeError as error:
        raise ValueError(f"expected the header of a tape ({error})") from error


def encode_block(market: int, rows: bytes) -> bytes:
    """Write one block of rows of one market."""
    payload = zlib.compress(pack_rows(rows))
    count = len(rows) // ROW_BYTES
    head = _BLOCK.pack(BLOCK_MARK, market, count, len(payload), zlib.crc32(payload))
    return head + _CRC.pack(zlib.crc32(head)) + payload


def decode_block_head(head: bytes) -> BlockHead:
    """Read a block's head; ValueError when it is damaged."""
    mark, market, rows, length, crc = _BLOCK.unpack_from(head)
    if mark != BLOCK_MARK or _CRC.unpack_from(head, _BLOCK.size)[0] != zlib.crc32(
        head[: _BLOCK.size]
    ):
        raise ValueError(f"expected the head of a block, found {head[:8]!r}")
    return BlockHead(market, rows, length, crc)


def decode_block(head: BlockHead, payload: bytes, market: int) -> bytes:
    """Unpack a block's rows, giving them `market`; ValueError when it is damaged."""
    if zlib.crc32(payload) != head.crc:
        raise ValueError("expected a block that matches its checksum")
    try:
        packed = zlib.decompress(payload)
    except zlib.error as error:
        raise ValueError(f"expected compressed rows ({error})") from error
    return unpack_rows(packed, head.rows, market)
