"""Price bars from CSV with a header or a JSON array of objects.

Columns (any case, with or without underscores): timestamp, open, high, low, close, volume,
bid_depth, ask_depth. Prices must lie on the grid; volumes and depths are rounded down to lots.
"""

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from mmbot.domain.market import Market
from mmbot.errors import DataError
from mmbot.tape.grid import placed
from mmbot.tape.source import Source

_TIME = ("timestamp", "ts", "time", "opentime", "date")
_PRICES = ("open", "high", "low", "close")
_SIZES = ("volume", "biddepth", "askdepth")
# A number is in the unit that makes it a time after 2001 and before 5138.
_UNITS = ((11, 1_000_000_000), (14, 1_000_000), (17, 1_000), (20, 1))


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its timestamp in nanoseconds, prices in ticks, volume and depth in lots."""

    ts_ns: int
    open: int
    high: int
    low: int
    close: int
    volume_lots: int
    bid_depth_lots: int
    ask_depth_lots: int


@dataclass(frozen=True, slots=True)
class _Numbers:
    """A bar as the file tells it, and where it stands."""

    place: str
    ts_ns: int
    prices: tuple[Decimal, ...]
    sizes: tuple[Decimal, ...]


def read_bars(path: Path, market: Market | None = None) -> tuple[Market, Iterator[Bar]]:
    """Return the market and an iterator over its bars in time order.

    Without `market` the grid is the coarsest that fits all numbers of the file. DataError: file,
    line or bar, and what was expected: a missing column, a number that is none, negative or off the
    grid, a high below a low, time not going forward.
    """
    known = _inferred(path) if market is None else market
    return known, (_on_grid(numbers, known) for numbers in _checked(path))


def _inferred(path: Path) -> Market:
    ticks: list[Decimal] = []
    lots: list[Decimal] = []
    for numbers in _checked(path):
        ticks = [_divisor([*ticks, *numbers.prices])]
        lots = [_divisor([*lots, *numbers.sizes])]
    if not ticks:
        raise DataError(f"{path}: expected bars, found none")
    name = re.match(r"[A-Za-z0-9]+", path.name)
    market = Market("BARS", ticks[0], lots[0] if lots[0] else Decimal(1))
    return placed(market, name.group().upper() if name else market.symbol, 0)


def _divisor(values: list[Decimal]) -> Decimal:
    places = max(0, *(-int(value.as_tuple().exponent) for value in values))
    return Decimal(math.gcd(*(int(value.scaleb(places)) for value in values))).scaleb(-places)


def _on_grid(numbers: _Numbers, market: Market) -> Bar:
    try:
        ticks = [market.ticks(price) for price in numbers.prices]
    except ValueError as error:
        raise DataError(f"{numbers.place}: expected prices on the grid ({error})") from error
    return Bar(numbers.ts_ns, *ticks, *(market.floor_lots(size) for size in numbers.sizes))


def _checked(path: Path) -> Iterator[_Numbers]:
    before: int | None = None
    for place, record in _records(path):
        numbers = _numbers(place, record)
        opened, high, low, close = numbers.prices
        if not 0 < low <= min(opened, close) <= max(opened, close) <= high:
            raise DataError(
                f"{place}: expected 0 < low <= open and close <= high,"
                f" found open {opened} high {high} low {low} close {close}"
            )
        if before is not None and numbers.ts_ns <= before:
            raise DataError(f"{place}: expected a time after {before} ns, found {numbers.ts_ns} ns")
        before = numbers.ts_ns
        yield numbers


def _numbers(place: str, record: Mapping[str, object]) -> _Numbers:
    named = {key.lower().replace("_", "").strip(): value for key, value in record.items()}
    stamp = next((name for name in _TIME if name in named), None)
    missing = [name for name in (*_PRICES, *_SIZES) if name not in named]
    if stamp is None or missing:
        raise DataError(
            f"{place}: expected timestamp, open, high, low, close, volume, bid_depth and ask_depth;"
            f" missing {', '.join(missing if stamp else ['timestamp', *missing])}"
        )
    return _Numbers(
        place,
        _time_ns(place, named[stamp]),
        tuple(_decimal(place, name, named[name]) for name in _PRICES),
        tuple(_decimal(place, name, named[name]) for name in _SIZES),
    )


def _decimal(place: str, name: str, value: object) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise DataError(f"{place}: expected {name} to be a number not below 0, found {value!r}")
    return number


def _time_ns(place: str, value: object) -> int:
    text = str(value)
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            digits = len(text.partition(".")[0])
            return int(Decimal(text) * next(unit for most, unit in _UNITS if digits <= most))
        moment = datetime.fromisoformat(text)
    except (ValueError, StopIteration) as error:
        raise DataError(
            f"{place}: expected a time (ISO 8601, or seconds, ms, us or ns), found {value!r}"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    text = b"".join(Source(path).blocks())
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, byte {error.start}: expected UTF-8 text") from error
    if decoded.lstrip().startswith("["):
        yield from _json_records(path, decoded)
        return
    rows = csv.reader(io.StringIO(decoded))
    names = next(rows)
    for row in rows:
        place = f"{path}, line {rows.line_num}"
        if len(row) != len(names):
            raise DataError(f"{place}: expected {len(names)} columns, found {len(row)}")
        yield place, dict(zip(names, row, strict=True))


def _json_records(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        bars = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise DataError(f"{path}: expected a JSON array of bars ({error})") from error
    for number, bar in enumerate(bars, start=1):
        if not isinstance(bar, dict):
            raise DataError(f"{path}, bar {number}: expected an object, found {bar!r}")
        yield f"{path}, bar {number}", bar
