"""Numbers and times as JSON text: every price, size and amount is exactly its decimal value.

A double is handed on only where its shortest text is that value, plainly written; anything else
becomes literal text. So nothing the exchange says carries binary noise (protocol 2).
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isfinite

from msgspec import Raw

# Fifteen digits survive the way through a double; below 10^-5 the encoder writes exponents.
_EXACT = 10**15
_PLAIN_PLACES = 5
_NS = 10**9
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,18}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH).total_seconds())
# What a position of 0.00002 BTC was short of when the venue was seen to send binary noise.
_NOISE = 10383
_NOISE_PLACES = 19

Number = float | Raw


class Scale:
    """Turns integers in units of 10^-places into JSON numbers; both directions are exact."""

    __slots__ = ("_least", "one", "places")

    def __init__(self, places: int) -> None:
        self.places = places
        self.one: int = 10**places
        self._least: int = 10 ** max(places - _PLAIN_PLACES, 0)

    def __call__(self, value: int) -> Number:
        """JSON number of `value` units; negative values allowed."""
        if self._least <= abs(value) < _EXACT or value == 0:
            return value / self.one
        return Raw(self.text(value).encode())

    def text(self, value: int) -> str:
        """Plain decimal text, without trailing zeros but with at least one decimal."""
        whole, rest = divmod(abs(value), self.one)
        fraction = f"{rest:0{self.places}d}".rstrip("0") if rest else "0"
        return f"{'-' if value < 0 else ''}{whole}.{fraction}"

    def noisy(self, value: int) -> Number:
        """Like a call, short of the value by the trace of a binary subtraction (protocol 2)."""
        if value == 0:
            return 0.0
        away = abs(value) * 10 ** (_NOISE_PLACES - self.places) - _NOISE
        text = _NOISY.text(-away if value < 0 else away)
        return Raw(text.encode())


_NOISY = Scale(_NOISE_PLACES)
# An average price is shown to this many places more than the tick.
_AVERAGE_PLACES = 6
# By decimal places: every scale of prices, sizes and products of both.
SCALES = tuple(Scale(places) for places in range(25))
ATOMS = SCALES[12]


def pairs(
    levels: Iterable[tuple[int, int]], price: Scale, size: Scale
) -> list[tuple[Number, Number]]:
    """Return levels of (ticks, lots) as numbers: what calls of both scales give, but faster."""
    if max(price.places, size.places) > _PLAIN_PLACES:
        return [(price(ticks), size(lots)) for ticks, lots in levels]
    tick, lot = price.one, size.one
    return [
        (
            ticks / tick if ticks < _EXACT else price(ticks),
            lots / lot if lots < _EXACT else size(lots),
        )
        for ticks, lots in levels
    ]


def average(total: int, count: int, scale: Scale) -> Number:
    """The average `total` / `count` in units of the scale, to a millionth of one; both above 0."""
    fine = SCALES[scale.places + _AVERAGE_PLACES]
    return fine((2 * total * 10**_AVERAGE_PLACES + count) // (2 * count))


def ratio(value: float | None) -> Number | None:
    """A measured quantity, such as a funding rate, without an exponent; null when unknown."""
    if value is None or not isfinite(value):
        return None
    if abs(value) >= 10**-_PLAIN_PLACES:
        return value
    return Raw(f"{Decimal(repr(value)):f}".encode())


def price_of(ticks: float | None, scale: Scale) -> Number | None:
    """A price between ticks, such as an index, to a millionth of a tick; null when unknown."""
    if ticks is None or not isfinite(ticks):
        return None
    return ratio(round(ticks / scale.one, scale.places + 6))


def timestamp(ns: int) -> str:
    """RFC 3339 with nine fractional digits, UTC; times outside years 1970-9999 are clamped."""
    seconds, rest = divmod(max(ns, 0), _NS)
    moment = _EPOCH + timedelta(seconds=min(seconds, _LAST_SECOND))
    return f"{moment.isoformat()[:19]}.{rest:09d}Z"


def parse_timestamp(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time; ValueError for anything else."""
    # A plus sign of an offset arrives as a space where the client left it unescaped.
    found = _RFC_3339.fullmatch(text.replace(" ", "+"))
    if found is None:
        raise ValueError("not an RFC 3339 time")
    day, fraction, offset = found.groups(default="")
    since = datetime.fromisoformat(f"{day}{offset}") - _EPOCH
    seconds = since.days * 86_400 + since.seconds
    return seconds * _NS + int(fraction[:9].ljust(9, "0"))
