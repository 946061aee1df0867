"""Account frames by json, Decimal and nothing else; what is odd in any way raises Odd."""

import json
from decimal import Decimal
from typing import Any

Fill = tuple[int, int, int, int, int, int, bool, int, int]
Order = tuple[int, int, int, int, int]
Found = tuple[int, int | None, int, list[Fill], list[Order], list[Order]]
# A number a little beside its grid is on it; see protocol 2.
NEAR = Decimal("1e-6")
MOST = 2**64


class Odd(Exception):  # noqa: N818 - it is what the oracle answers
    """This is no account frame."""


def read_account(frame: bytes, grids: dict[int, tuple[int, int]]) -> Found:
    """Return (account, last id, id, fills, places, cancels)."""
    try:
        outer = json.loads(
            frame.decode(), object_pairs_hook=_once, parse_float=Decimal, parse_constant=_refuse
        )
        told = outer["account"]
        maps = [_map(told.get(name)) for name in ("fills", "places", "cancels")]
        for amount in _map(told.get("balances")).values():
            _number(amount)
        last = told.get("last_update_id")
        return (
            _id(_whole(told["account_id"])),
            None if last is None else _id(last),
            _id(told["update_id"]),
            [_fill(key, each, grids) for key, each in maps[0].items()],
            [_order(key, each, grids) for key, each in maps[1].items()],
            [_order(key, each, grids) for key, each in maps[2].items()],
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Odd(str(error)) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise Odd("a key twice")
    return dict(pairs)


def _refuse(word: str) -> None:
    raise Odd(word)


def _map(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Odd("no map")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise Odd("no whole number")
    return value


def _id(value: Any) -> int:
    if type(value) is str and value.isascii() and value.isdigit():
        value = int(value)
    if not 0 <= _whole(value) < 2**63:
        raise Odd("no id")
    return int(value)


def _number(value: Any) -> Decimal:
    if type(value) not in (int, Decimal):
        raise Odd("no number")
    return Decimal(value)


def _steps(value: Any, decimals: int) -> tuple[int, bool]:
    number = _number(value)
    if number and number.adjusted() < -30:
        return 0, True
    if number and number.adjusted() > 30:
        raise Odd("too large")
    scaled = number.scaleb(decimals)
    steps = int(scaled.to_integral_value())
    if abs(steps) >= MOST:
        raise Odd("too large")
    return steps, abs(scaled - steps) <= max(NEAR, abs(scaled) / 2**50)


def _exact(value: Any, decimals: int, least: int) -> int:
    steps, near = _steps(value, decimals)
    if not near or steps < least:
        raise Odd("off the grid")
    return steps


def _fill(key: str, told: dict[str, Any], grids: dict[int, tuple[int, int]]) -> Fill:
    market = _whole(told["market_id"])
    prices, sizes = grids[market]
    if told.get("order_id") is not None and _id(told["order_id"]) != _id(key):
        raise Odd("another order")
    ticks, near = _steps(told["price"], prices)
    if ticks < 1:
        raise Odd("no price")
    remaining, rests = _steps(told["remaining"], sizes)
    if not rests:
        raise Odd("off the grid")
    return (
        _id(key),
        market,
        {"bid": 1, "ask": -1}[told["side"]],
        _exact(told["quantity"], sizes, 1),
        max(remaining, 0),
        ticks,
        near,
        _id(_whole(told["maker_id"])),
        _id(_whole(told["taker_id"])),
    )


def _order(key: str, told: dict[str, Any], grids: dict[int, tuple[int, int]]) -> Order:
    market = _whole(told["market_id"])
    prices, sizes = grids[market]
    return (
        _id(key),
        market,
        {"bid": 1, "ask": -1}[told["side"]],
        _exact(told["price"], prices, 1),
        _exact(told["current_size"], sizes, 0),
    )
