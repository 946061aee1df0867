"""Reduce-only orders never open, follow the position, and obey the venue's rule of the moment."""

import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine import interventions
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.model import AccountChange
from tests.unit.exchange.traders import (
    IOC,
    LIMIT,
    POST_ONLY,
    Trader,
    error,
    fills,
    opened,
    posted,
    rows,
)

ASK, BID = pb.ASK, pb.BID


def long_100(**rules: object) -> tuple[Exchange, Trader]:
    exchange = opened(rules=rules)
    trader = Trader(exchange, 1)
    exchange.background(0, rows((1, 1, 990, 9_000), (1, -1, 1010, 9_000)))
    trader.place(BID, 0, 100, IOC)
    return exchange, trader


def reduce(trader: Trader, side: int, ticks: int, lots: int, mode: int = LIMIT) -> pb.Receipt:
    return trader.place(side, ticks, lots, mode, is_reduce_only=True)


def resting(exchange: Exchange) -> dict[int, int]:
    return {order.ticks: order.lots for order in exchange.state.accounts[1].orders.values()}


def test_an_immediate_order_takes_no_more_than_the_position() -> None:
    _, trader = long_100()
    assert fills(reduce(trader, ASK, 0, 500, IOC)) == [(990, 100)]
    assert trader.lots == 0
    assert error(reduce(trader, ASK, 0, 500, IOC)) == pb.POSITION_NOT_FOUND


def test_only_the_closing_side() -> None:
    _, trader = long_100()
    assert error(reduce(trader, BID, 1000, 5)) == pb.POSITION_STATE_ORDER_SIDE


def test_resting_orders_follow_the_position() -> None:
    exchange, trader = long_100()
    assert reduce(trader, ASK, 1005, 500).trade_or_place.posted.size == 100
    trader.place(ASK, 0, 30, IOC)
    assert resting(exchange) == {1005: 70}
    trader.place(ASK, 0, 70, IOC)
    assert resting(exchange) == {}
    assert exchange.violations() == []


def test_one_sweep_cannot_turn_the_position() -> None:
    exchange, trader = long_100()
    reduce(trader, ASK, 1005, 60)
    assert reduce(trader, ASK, 1006, 60).trade_or_place.posted.size == 40
    assert error(reduce(trader, ASK, 1007, 1)) == pb.ORDER_SIZE_EXCEEDS_POSITION_SIZE
    # A plain order in front takes its share first.
    trader.place(ASK, 1004, 80)
    assert resting(exchange) == {1004: 80, 1005: 20}
    exchange.background(0, rows((5, 1, 1009, 500)))
    assert trader.lots == 0
    assert exchange.violations() == []


def test_the_position_may_also_fall_by_the_operators_hand() -> None:
    exchange, trader = long_100()
    reduce(trader, ASK, 1005, 100)
    behind = posted(trader.place(ASK, 1006, 60))
    assert interventions.fill(exchange.venue, behind, 60) == 60
    assert resting(exchange) == {1005: 40}
    assert exchange.violations() == []


def test_the_streams_tell_a_shrunken_order() -> None:
    exchange, trader = long_100()
    order_id = posted(reduce(trader, ASK, 1005, 100))
    exchange.take_changes()
    trader.place(ASK, 0, 30, IOC)
    told = [c for c in exchange.take_changes() if isinstance(c, AccountChange)]
    assert [(o.order_id, o.lots) for o in told[0].places] == [(order_id, 70)]


@pytest.mark.parametrize(
    ("rule", "mode", "ticks", "lots", "code"),
    [
        ("post_only", IOC, 0, 10, pb.ORDER_REDUCE_IS_POST_ONLY),
        ("post_only", POST_ONLY, 1005, 10, None),
        ("exact", IOC, 0, 101, pb.ORDER_SIZE_EXCEEDS_POSITION_SIZE),
        ("exact", IOC, 0, 100, None),
        ("dynamic", IOC, 0, 101, None),
        ("only_without_orders", IOC, 0, 10, None),
    ],
)
def test_rules_of_the_venue(rule: str, mode: int, ticks: int, lots: int, code: int | None) -> None:
    _, trader = long_100(reduce_rule=rule)
    assert error(reduce(trader, ASK, ticks, lots, mode)) == code


def test_the_rule_that_wants_all_orders_cancelled() -> None:
    _, trader = long_100(reduce_rule="only_without_orders")
    order_id = posted(trader.place(BID, 980, 1))
    code = pb.CAN_REDUCE_POSITION_ONLY_IF_ALL_ORDERS_ARE_CANCELED
    assert error(reduce(trader, ASK, 0, 10, IOC)) == code
    trader.cancel(order_id)
    assert error(reduce(trader, ASK, 0, 10, IOC)) is None
