"""Lines of small captures as Binance would send them, and rows as tuples."""

import gzip
import json
import struct
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from mmbot.domain.market import Market

SHARED = Path(__file__).resolve().parents[3] / "../shared/data"
RAW = SHARED / "btcusdt_usdm_20240808.gz"
EVENTS = SHARED / "reference/btcusdt_20240808.events.npz"

# 2024-08-08T23:54:15Z, on both clocks.
MS = 1_723_161_255_000
NS = MS * 1_000_000
BTC = Market("BTCUSDT", Decimal("0.1"), Decimal("0.001"))

Row = tuple[int, int, int, int, int, int]
Levels = Sequence[tuple[str, str]]


def rows_of(data: bytes) -> list[Row]:
    """Unpack rows."""
    return list(struct.iter_unpack("<qqqqII", data))


def packed(rows: Sequence[Row]) -> bytes:
    """Pack rows."""
    return b"".join(struct.pack("<qqqqII", *row) for row in rows)


def line(after_ms: float, message: object) -> str:
    """One line received so long after the start."""
    return f"{NS + int(after_ms * 1_000_000)} {json.dumps(message, separators=(',', ':'))}"


def depth(
    local_ms: float,
    exch_ms: int,
    ids: tuple[int, int, int],
    bids: Levels = (),
    asks: Levels = (),
    symbol: str = "BTCUSDT",
) -> str:
    """A diff with ids (U, u, pu)."""
    stamp = MS + exch_ms
    told = {"e": "depthUpdate", "E": stamp + 1, "T": stamp, "s": symbol}
    chain = {"U": ids[0], "u": ids[1], "pu": ids[2], "b": bids, "a": asks}
    stream = f"{symbol.lower()}@depth@0ms"
    return line(local_ms, {"stream": stream, "data": told | chain})


def trade(
    times: tuple[float, int],
    trade_id: int,
    price: str,
    size: str,
    *,
    sold: bool = False,
    order_type: str = "MARKET",
) -> str:
    """One trade, at its (local, exchange) milliseconds; `sold` when the aggressor sold."""
    stamp = MS + times[1]
    told = {"e": "trade", "E": stamp, "T": stamp, "s": "BTCUSDT", "t": trade_id}
    what = {"p": price, "q": size, "X": order_type, "m": sold}
    return line(times[0], {"stream": "btcusdt@trade", "data": told | what})


def snapshot(local_ms: float, exch_ms: int, last_id: int, bids: Levels, asks: Levels) -> str:
    """A REST snapshot."""
    stamp = MS + exch_ms
    told = {"lastUpdateId": last_id, "E": stamp + 3, "T": stamp, "bids": bids, "asks": asks}
    return line(local_ms, told)


def write(path: Path, lines: Sequence[str]) -> Path:
    """Write a capture, compressed if its name ends in .gz."""
    text = "".join(f"{text}\n" for text in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def small_capture() -> list[str]:
    """A snapshot, two diffs and two trades."""
    return [
        snapshot(10, 5, 100, [("100.0", "1.000"), ("99.9", "2")], [("100.1", "1.5")]),
        depth(20, 15, (101, 110, 100), [("100.0", "0.500")], [("100.2", "3.000")]),
        trade((21, 14), 1, "100.0", "0.100", sold=True),
        depth(30, 25, (111, 120, 110), [("100.0", "0.000")], [("100.1", "0.001")]),
        trade((40, 39), 2, "100.1", "0.001"),
    ]
