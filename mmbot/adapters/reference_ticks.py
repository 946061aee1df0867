"""Best quotes of an outside venue as prices of our markets, without the senseless ones.

Binance futures `bookTicker`, alone or in a combined stream; the spot form, without times, too.
"""

import math
from collections import deque
from decimal import Decimal, InvalidOperation
from statistics import median

import msgspec
from msgspec import Raw, Struct

from mmbot.adapters.web.clock import NS_PER_MS

# Prices that agree are within this of their median (reliability H02).
_NEAR = 0.01
_WINDOW = 5
_PERSISTING_NS = 1_000 * NS_PER_MS
_LONGEST_NUMBER = 32
_SMALLEST, _LARGEST = Decimal("1e-12"), Decimal("1e12")


class BookTicker(Struct, frozen=True):
    """One best quote; prices as told, `venue_ns` None where no time is told."""

    symbol: str
    update_id: int
    bid: float
    ask: float
    venue_ns: int | None


class ToldQuote(Struct, frozen=True):
    """One best quote exactly as told: (price, size) of both sides, above 0 and not crossed."""

    symbol: str
    update_id: int
    bid: tuple[Decimal, Decimal]
    ask: tuple[Decimal, Decimal]


class _Ticker(Struct):
    # The venue's names: symbol, order book number, prices, sizes, when the engine changed the book.
    s: str
    u: int
    b: str
    a: str
    B: str = ""
    A: str = ""
    T: int | None = None


class _Combined(Struct):
    stream: str
    data: Raw


class _Kind(Struct):
    e: str | None = None
    b: str | None = None
    data: Raw = Raw()


def read_ticker(frame: bytes) -> BookTicker | None:
    """Return the quote in a frame, None for other messages; ValueError when it makes no sense."""
    told = _told(frame)
    if told is None:
        return None
    venue_ns = None if told.T is None else told.T * NS_PER_MS
    return BookTicker(told.s, told.u, _price(told.b), _price(told.a), venue_ns)


def read_quote(frame: bytes) -> ToldQuote | None:
    """Return the quote in a frame exactly, None for other messages; ValueError as `read_ticker`."""
    told = _told(frame)
    if told is None:
        return None
    bid, ask = (_exact(told.b), _exact(told.B)), (_exact(told.a), _exact(told.A))
    if bid[0] > ask[0]:
        raise ValueError("expected a bid that is not above the ask")
    return ToldQuote(told.s, told.u, bid, ask)


def _told(frame: bytes) -> _Ticker | None:
    try:
        kind = msgspec.json.decode(frame, type=_Kind)
        if bytes(kind.data):
            frame = bytes(msgspec.json.decode(frame, type=_Combined).data)
            kind = msgspec.json.decode(frame, type=_Kind)
        if kind.e not in (None, "bookTicker") or kind.b is None:
            return None
        return msgspec.json.decode(frame, type=_Ticker)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ValueError("expected a bookTicker") from None


def _exact(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= _LONGEST_NUMBER else Decimal(0)
    except InvalidOperation:
        number = Decimal(0)
    if not number.is_finite() or not _SMALLEST <= number <= _LARGEST:
        raise ValueError("expected a price or size above 0")
    return number


def _price(text: str) -> float:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("expected a shorter price")
    # Also takes inf and nan, which the filter refuses.
    return float(text)


class TickFilter:
    """Lets through the prices one can believe: five that agree, then those near their median.

    A price that is not near is held back until it has persisted: five in a row that agree with each
    other, for at least a second.
    """

    def __init__(self) -> None:
        self.rejected = 0
        self._trusted: deque[float] = deque(maxlen=_WINDOW)
        self._candidates: deque[tuple[float, int]] = deque()

    def reset(self) -> None:
        """Trust must be built again: time has passed unseen."""
        self._trusted.clear()
        self._candidates.clear()

    def mid(self, bid: float, ask: float, now_ns: int) -> float | None:
        """Return the mid of a quote if it can be believed."""
        mid = (bid + ask) / 2
        # Not a number fails every comparison.
        if not 0.0 < bid <= ask or not math.isfinite(mid):
            self.rejected += 1
            return None
        if self._trusted and _agrees(mid, median(self._trusted)):
            self._candidates.clear()
            self._trusted.append(mid)
            return mid
        if self._candidates and not _agrees(mid, median(each for each, _ in self._candidates)):
            self.rejected += len(self._candidates)
            self._candidates.clear()
        self._candidates.append((mid, now_ns))
        persisted_ns = now_ns - self._candidates[0][1]
        if len(self._candidates) > _WINDOW and persisted_ns < _PERSISTING_NS:
            # The first one counts for how long, the last ones for what.
            del self._candidates[1]
        if len(self._candidates) < _WINDOW or (self._trusted and persisted_ns < _PERSISTING_NS):
            return None
        self._trusted.clear()
        self._trusted.extend(each for each, _ in list(self._candidates)[-_WINDOW:])
        self._candidates.clear()
        return mid


def _agrees(one: float, other: float) -> bool:
    return abs(one - other) <= _NEAR * other


def reference_symbol(symbol: str) -> str:
    """Return what a market of ours is called outside: BTCUSD is BTCUSDT, kPEPEUSD 1000PEPEUSDT.

    ValueError: no rule tells.
    """
    base = symbol.removesuffix("USD")
    if base == symbol or not (base.isascii() and base.isalnum()):
        raise ValueError(f"no rule tells the outside name of {symbol}")
    thousands = base.startswith("k") and base[1:].isupper()
    return f"{f'1000{base[1:]}' if thousands else base}USDT".upper()
