"""How reports write numbers: money with its sign, thousands apart, a dash for what is missing."""

from collections.abc import Sequence
from datetime import UTC, datetime

MISSING = "-"
_SMALL = 1.0
_FINE = 10.0
_LARGE = 100_000.0


def money(usd: float) -> str:
    """Write USD with sign: cents, or four decimals below a dollar, none in large sums."""
    if abs(usd) >= _LARGE:
        return f"{usd:+,.0f}"
    return f"{usd:+,.2f}" if abs(usd) >= _SMALL or not usd else f"{usd:+.4f}"


def money_column(column: Sequence[float]) -> list[str]:
    """Write USD with sign and the same decimals for all: as many as the largest deserves."""
    largest = max(map(abs, column), default=0.0)
    decimals = 4 if largest < _FINE else 2 if largest < _LARGE else 0
    return [f"{usd:+,.{decimals}f}" if usd else "0" for usd in column]


def amount(usd: float) -> str:
    """Write USD without a plus sign: cents, none in large sums."""
    return f"{usd:,.0f}" if abs(usd) >= _LARGE else f"{usd:,.2f}"


def number(value: float | None, decimals: int, unit: str = "") -> str:
    """Write a number with fixed decimals and its unit, or a dash."""
    return MISSING if value is None else f"{value:,.{decimals}f}{unit}"


def signed(value: float | None, decimals: int, unit: str = "") -> str:
    """Write a number with its sign and unit, or a dash."""
    return MISSING if value is None else f"{value:+,.{decimals}f}{unit}"


def span(seconds: float) -> str:
    """Write a time span with its two largest units, as `2 h 05 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02d} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def iso_time(ts_ns: int) -> str:
    """Write a time as ISO 8601 in UTC, to the millisecond."""
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"
