"""What the venue's JSON says of what matters here: the time, accounts, orders. Pure.

Numbers of ids are whole or the answer is not believed: ProtocolViolation names the field.
"""

import json
from typing import Any, NamedTuple

from mmbot.errors import ProtocolViolation

U64_END = 2**64
# Where the instance stands in a client order id: behind 13 bits of epoch and 32 of sequence.
SEQUENCE_BITS = 32
EPOCH_BITS = 13
INSTANCE_SHIFT = SEQUENCE_BITS + EPOCH_BITS


class Resting(NamedTuple):
    """An order that rests."""

    order_id: int
    market_id: int
    client_order_id: int | None

    @property
    def instance(self) -> int | None:
        """Whose it is by its client order id, None without one."""
        number = self.client_order_id
        return None if number is None else number >> INSTANCE_SHIFT

    @property
    def epoch(self) -> int:
        """Which run of its instance placed it."""
        return ((self.client_order_id or 0) >> SEQUENCE_BITS) % (1 << EPOCH_BITS)


class Snapshot(NamedTuple):
    """The orders of an account as of an update."""

    update_id: int
    orders: tuple[Resting, ...]


def engine_second(body: bytes) -> int:
    """Read `/timestamp`."""
    return _whole(_json(body), "timestamp")


def first_account(body: bytes) -> int:
    """Read `/user/{pubkey}`: the wallet's first account."""
    accounts = _field(_json(body), "accountIds")
    if not isinstance(accounts, list) or not accounts:
        raise ProtocolViolation("accountIds: no account")
    return _whole(accounts[0], "accountIds")


def snapshot(body: bytes) -> Snapshot:
    """Read `/account/{id}`."""
    found = _json(body)
    orders = _field(found, "orders")
    if not isinstance(orders, list):
        raise ProtocolViolation("orders: is no list")
    return Snapshot(_whole(_field(found, "updateId"), "updateId"), tuple(map(_resting, orders)))


def market_number(body: bytes, symbol: str) -> int | None:
    """Read `/info`: the number of a market, None when it is not listed."""
    markets = _field(_json(body), "markets")
    if not isinstance(markets, list):
        raise ProtocolViolation("markets: is no list")
    for each in markets:
        if _field(each, "symbol") == symbol:
            return _whole(_field(each, "marketId"), "marketId")
    return None


def _resting(found: Any) -> Resting:
    client = found.get("clientOrderId") if isinstance(found, dict) else None
    return Resting(
        _whole(_field(found, "orderId"), "orderId"),
        _whole(_field(found, "marketId"), "marketId"),
        None if client is None else _whole(client, "clientOrderId"),
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ProtocolViolation("the answer is not JSON") from None


def _field(found: Any, name: str) -> Any:
    if not isinstance(found, dict) or name not in found:
        raise ProtocolViolation(f"{name}: is missing")
    return found[name]


def _whole(found: Any, name: str) -> int:
    if isinstance(found, str) and found.isascii() and found.isdecimal() and len(found) <= 20:
        found = int(found)
    if type(found) is not int or not 0 <= found < U64_END:
        raise ProtocolViolation(f"{name}: is not a whole number of 64 bits")
    return found
