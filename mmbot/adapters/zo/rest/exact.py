"""Numbers and times of the venue's JSON as exact integers; nothing here passes through a float.

A function raises ValueError naming the field and what was expected, never what was sent.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from mmbot.domain.order import Side

NS_PER_S = 1_000_000_000
MICRO_DECIMALS = 6
RAW_LIMIT = 1 << 64
# Far outside anything real, far inside what integer arithmetic does at once.
_MAX_MAGNITUDE = 30
_MAX_DIGITS = 100
_CONTEXT = Context(prec=80, Emin=-200, Emax=200, traps=[])
_OFF_GRID = Decimal("1e-6")
_DOUBLE_NOISE = Decimal(2) ** -50
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):([0-5]\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIDES = {"bid": Side.BID, "ask": Side.ASK}


def on_grid(value: Decimal, decimals: int, field: str) -> int:
    """Return value x 10^decimals, an integer up to 2^64 either way.

    Tolerates what a double adds to a number on the grid: 1e-6 of a step, or 2^-50 of a large value
    (protocol 2). ValueError when the value is off the grid, not finite or out of range.
    """
    scaled = _scaled(value, decimals, field)
    nearest = scaled.to_integral_value(ROUND_HALF_EVEN, _CONTEXT)
    allowed = max(_OFF_GRID, _CONTEXT.multiply(abs(scaled), _DOUBLE_NOISE))
    if _CONTEXT.subtract(scaled, nearest).copy_abs() > allowed:
        raise ValueError(f"{field} is not a multiple of 1e-{decimals}")
    return _within(int(nearest), field)


def nearest(value: Decimal, decimals: int, field: str) -> int:
    """Return the integer nearest to value x 10^decimals; for sums that lie on no grid."""
    scaled = _scaled(value, decimals, field)
    return _within(int(scaled.to_integral_value(ROUND_HALF_EVEN, _CONTEXT)), field)


def positive(raw: int, field: str) -> int:
    """Return `raw`; ValueError unless it is above zero."""
    if raw <= 0:
        raise ValueError(f"{field} is not positive")
    return raw


def finite(value: Decimal, field: str) -> Decimal:
    """Return a number of everyday magnitude as it is, ValueError for any other."""
    _scaled(value, 0, field)
    return value


def ident(value: int | str, field: str) -> int:
    """Return an id that came as a number or as decimal text, of any width (protocol 2)."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS):
            raise ValueError(f"{field} is not an integer")
        return int(value)
    if value < 0:
        raise ValueError(f"{field} is negative")
    return value


def side(value: str, field: str) -> Side:
    """Return the side of a venue's word."""
    try:
        return _SIDES[value]
    except KeyError:
        raise ValueError(f"{field} is neither bid nor ask") from None


def time_ns(text: str, field: str) -> int:
    """Return an RFC 3339 time with up to nine fractional digits as Unix nanoseconds."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{field} is not an RFC 3339 time")
    whole, fraction, sign, hours, minutes = found.groups()
    try:
        moment = datetime.fromisoformat(f"{whole}+00:00")
    except ValueError:
        raise ValueError(f"{field} is not a time of the calendar") from None
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    if sign is not None:
        shift = int(hours) * 3600 + int(minutes) * 60
        seconds += -shift if sign == "+" else shift
    return seconds * NS_PER_S + int((fraction or "").ljust(9, "0"))


def _scaled(value: Decimal, decimals: int, field: str) -> Decimal:
    if not value.is_finite():
        raise ValueError(f"{field} is not a finite number")
    if not value:
        return Decimal(0)
    if abs(value.adjusted()) > _MAX_MAGNITUDE:
        # A speck is nothing: doubles leave 1e-300 where zero is meant.
        if value.adjusted() < 0:
            return Decimal(0)
        raise ValueError(f"{field} is out of range")
    return _CONTEXT.scaleb(_CONTEXT.plus(value), decimals)


def _within(raw: int, field: str) -> int:
    if abs(raw) >= RAW_LIMIT:
        raise ValueError(f"{field} is out of range")
    return raw
