"""Decimals to the protocol's raw integers (protocol 5.6), by two rules.

The bot uses `to_raw_exact`: a value off the grid is refused, never rounded. `to_raw` is the rule of
the venue's own clients, which cut digits off; tests and tools that must agree with them use it.
"""

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_UP, Context, Decimal

from mmbot.errors import ActionError

U64_MAX = 2**64 - 1
U128_MAX = 2**128 - 1

Number = Decimal | str | int

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?", re.ASCII)


def to_raw(value: Number, decimals: int, most: int = U64_MAX) -> int:
    """Scale as the venue's clients do: round half up to as many digits as `most` has (20), cut off.

    Exact zero is 0. ActionError for what is negative, no number, above `most` (U64_MAX, or U128_MAX
    for a quote size), or not zero but cut off to zero.
    """
    number = _number(value)
    if not number:
        return 0
    digits = Context(prec=len(str(most)), rounding=ROUND_HALF_UP, Emax=MAX_EMAX, Emin=MIN_EMIN)
    return _whole(number.scaleb(decimals, _UNBOUNDED), number, most, digits)


def to_raw_exact(value: Number, decimals: int, most: int = U64_MAX) -> int:
    """Scale a value that lies on the grid; ActionError for any other, for it is never rounded."""
    number = _number(value)
    if not number:
        return 0
    scaled = number.scaleb(decimals, _UNBOUNDED)
    raw = _whole(scaled, number, most, _UNBOUNDED)
    if raw != scaled:
        raise ActionError(f"{number} has more than {decimals} decimals")
    return raw


_UNBOUNDED = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def _number(value: Number) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | str | int):
        raise ActionError(f"{value!r}: give decimals as text, Decimal or int")
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        raise ActionError(f"{value!r} is no number")
    number = Decimal(value)
    if not number.is_finite():
        raise ActionError(f"{number} is no number")
    if number < 0:
        raise ActionError(f"{number} is negative")
    return number


def _whole(scaled: Decimal, number: Decimal, most: int, digits: Context) -> int:
    # Sizes first: the integer of 1e999999999 would not fit into memory.
    if scaled.adjusted() > len(str(most)):
        raise ActionError(f"{number} is out of range: {most} allowed")
    if scaled.adjusted() < -1:
        raise ActionError(f"Precision loss when converting {number} to scaled integer")
    raw = int(digits.plus(scaled))
    if raw > most:
        raise ActionError(f"{number} is out of range: {raw} exceeds {most}")
    if raw == 0:
        raise ActionError(f"Precision loss when converting {number} to scaled integer")
    return raw
