"""Placing and cancelling: every mode, every limit, ids, owners and batches."""

from typing import Any

import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import FillMode
from mmbot.exchange.model import AccountChange, Finalization
from tests.unit.exchange.traders import (
    FOK,
    IOC,
    LIMIT,
    POST_ONLY,
    Trader,
    cut,
    error,
    fills,
    opened,
    part,
    posted,
    rows,
)

BID, ASK = pb.BID, pb.ASK


def pair(**changes: Any) -> tuple[Trader, Trader]:
    exchange = opened(**changes)
    return Trader(exchange, 1), Trader(exchange, 2)


def test_a_limit_order_crosses_first_and_rests_the_remainder() -> None:
    maker, taker = pair()
    ids = [posted(maker.place(ASK, ticks, 10)) for ticks in (1002, 1001)]
    receipt = taker.place(BID, 1001, 25, client_order_id=7, sender_tracking_id=9)
    done = receipt.trade_or_place
    assert [(f.order_id, f.price, f.size, f.account_id) for f in done.fills] == [
        (ids[1], 1001, 10, 1)
    ]
    left = done.posted
    assert (left.side, left.market_id, left.price, left.size, left.account_id) == (
        BID,
        0,
        1001,
        15,
        2,
    )
    assert (done.client_order_id, done.sender_tracking_id) == (7, 9)
    order = taker.exchange.state.accounts[2].orders[left.order_id]
    assert (order.placed_lots, order.filled_lots, order.lots) == (25, 10, 15)


def test_price_then_time() -> None:
    maker, taker = pair()
    for lots, ticks in ((3, 1001), (4, 1000), (5, 1000)):
        maker.place(ASK, ticks, lots)
    assert fills(taker.place(BID, 0, 10, IOC)) == [(1000, 4), (1000, 5), (1001, 1)]


def test_post_only_never_takes() -> None:
    maker, taker = pair()
    maker.place(ASK, 1000, 1)
    code = pb.POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS
    assert error(taker.place(BID, 1000, 1, POST_ONLY)) == code
    assert posted(taker.place(BID, 999, 1, POST_ONLY)) == 2


def test_immediate_orders_drop_the_rest_or_are_refused() -> None:
    maker, taker = pair()
    assert error(taker.place(BID, 1000, 5, IOC)) == pb.IMMEDIATE_ORDER_GOT_NO_FILLS
    maker.place(ASK, 1000, 2)
    receipt = taker.place(BID, 1000, 5, IOC)
    assert fills(receipt) == [(1000, 2)]
    assert not receipt.trade_or_place.HasField("posted")
    done = list(taker.exchange.state.finished.values())
    assert [(o.account_id, o.finalization, o.filled_lots, o.placed_lots) for o in done] == [
        (1, Finalization.FILLED, 2, 2),
        (2, Finalization.TAKEN, 2, 5),
    ]
    assert done[1].mode is FillMode.IOC


def test_fill_or_kill_is_whole_or_nothing() -> None:
    maker, taker = pair()
    maker.place(ASK, 1000, 5)
    assert error(taker.place(BID, 1000, 6, FOK)) == pb.ORDER_EXECUTION_FILL_OR_KILL
    assert error(taker.place(BID, 0, 6, FOK)) == pb.FAILED_TO_FILL_LIMIT
    assert fills(taker.place(BID, 0, 5, FOK)) == [(1000, 5)]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({}, pb.ORDER_EXECUTION_MISSING_LIMITS),
        ({"lots": 5}, pb.ORDER_EXECUTION_MISSING_PRICE),
        ({"lots": 5, "mode": POST_ONLY}, pb.ORDER_EXECUTION_MISSING_PRICE),
        ({"ticks": 900}, pb.ORDER_EXECUTION_SIZE_LIMIT),
        ({"ticks": 900, "lots": 2**48}, pb.ORDER_EXECUTION_SIZE_LIMIT),
        ({"ticks": 900, "lots": 2**64 - 1}, pb.ORDER_EXECUTION_SIZE_LIMIT),
        ({"ticks": 900, "quote": 899}, pb.ORDER_EXECUTION_EMPTY),
        ({"ticks": 49, "lots": 5}, pb.ORDER_EXECUTION_LIMIT_PRICE),
        ({"ticks": 1951, "lots": 5}, pb.ORDER_EXECUTION_LIMIT_PRICE),
        ({"ticks": 2**64 - 1, "lots": 5}, pb.ORDER_EXECUTION_LIMIT_PRICE),
        ({"ticks": 900, "lots": 5, "market": 2}, pb.MARKET_NOT_FOUND),
        ({"ticks": 900, "lots": 5, "market": 2**32 - 1}, pb.MARKET_NOT_FOUND),
        ({"ticks": 900, "lots": 5, "client": 2**63}, pb.CLIENT_ORDER_ID_TOO_LARGE),
        ({"ticks": 900, "lots": 5, "mode": 7}, pb.DECODE_FAILURE_DOMAIN),
        ({"ticks": 900, "lots": 5, "side": 2}, pb.DECODE_FAILURE_DOMAIN),
        ({"ticks": 900, "lots": 5, "account": 99}, pb.ACCOUNT_NOT_FOUND),
        ({"ticks": 900, "lots": 5, "account": 2}, pb.ACCOUNT_INVALID_OWNER),
        ({"ticks": 900, "lots": 5, "account": 0}, pb.ACCOUNT_INVALID_OWNER),
        ({"ticks": 50, "lots": 5}, None),
        ({"ticks": 1950, "lots": 5}, None),
        ({"ticks": 900, "lots": 5, "client": 2**63 - 1, "account": 1}, None),
        ({"ticks": 900, "lots": 5, "client": 0}, None),
        ({"ticks": 900, "quote": 900}, None),
    ],
)
def test_limits_of_an_order(order: dict[str, Any], code: int | None) -> None:
    trader, _ = pair(rules={"price_band_bps": 9_500})
    more: dict[str, Any] = {}
    for key, field in (
        ("client", "client_order_id"),
        ("market", "market_id"),
        ("account", "sender_account_id"),
    ):
        if key in order:
            more[field] = order[key]
    if "quote" in order:
        more["quote_size"] = pb.U128(lo=order["quote"])
    args = (order.get("side", BID), order.get("ticks", 0), order.get("lots", 0))
    assert error(trader.place(*args, order.get("mode", LIMIT), **more)) == code
    assert trader.exchange.violations() == []


def test_the_band_is_wide_unless_told_otherwise() -> None:
    trader, _ = pair()
    assert error(trader.place(BID, 1, 1)) is None
    assert error(trader.place(ASK, 5000, 1)) is None
    assert error(trader.place(ASK, 5001, 1)) == pb.ORDER_EXECUTION_LIMIT_PRICE


def test_the_size_cap_holds_for_what_rests() -> None:
    # 2^48 lots at the index are far beyond any margin: the largest order there may be is refused
    # for risk, one lot more for its size.
    trader, _ = pair()
    most = trader.place(BID, 900, 2**48 - 1)
    assert error(most) == pb.RISK_OMF_LESS_THAN_OR_EQUAL_IMF
    assert error(trader.place(BID, 900, 2**48)) == pb.ORDER_EXECUTION_SIZE_LIMIT


def test_quote_sizes_bound_the_money() -> None:
    maker, taker = pair()
    maker.place(ASK, 1000, 5)
    maker.place(ASK, 1010, 50)
    # 5 x 1000 + 9 x 1010 = 14,090; a tenth at 1010 would be 15,100.
    spent = {"quote_size": pb.U128(lo=15_099)}
    assert fills(taker.place(BID, 0, 0, IOC, **spent)) == [(1000, 5), (1010, 9)]
    both = taker.place(BID, 0, 3, IOC, **spent)
    assert fills(both) == [(1010, 3)]
    # 1010 x 38 = 38,380 for the asks left, 39,390 - 38,380 = 1010: one lot more rests.
    rest = taker.place(BID, 1010, 0, LIMIT, quote_size=pb.U128(lo=39_390 + 1009))
    assert fills(rest) == [(1010, 38)]
    assert rest.trade_or_place.posted.size == 1


def test_the_legacy_quote_size_is_size_times_price() -> None:
    trader, _ = pair()
    receipt = trader.place(BID, 900, 0, LIMIT, quote_size=pb.U128(lo=30, hi=90))
    assert receipt.trade_or_place.posted.size == 30 * 90 // 900


def test_client_ids_are_unique_among_live_orders_or_for_ever() -> None:
    for forever in (False, True):
        trader, other = pair(rules={"client_id_forever": forever})
        first = posted(trader.place(BID, 900, 1, client_order_id=5))
        assert error(trader.place(BID, 900, 1, client_order_id=5)) == pb.REPEATED_ORDER_ID
        assert error(other.place(BID, 900, 1, client_order_id=5)) is None
        trader.cancel(first)
        again = trader.place(BID, 900, 1, client_order_id=5)
        assert error(again) == (pb.REPEATED_ORDER_ID if forever else None)


def test_the_open_order_cap() -> None:
    maker, taker = pair(rules={"max_open_orders": 2})
    ids = [posted(maker.place(BID, 900, 1)) for _ in range(2)]
    assert error(maker.place(BID, 900, 1)) == pb.TOO_MANY_OPEN_ORDERS
    swapped = maker.batch(cut(ids[0]), part(BID, 901, 1))
    assert error(swapped) is None
    assert fills(taker.place(ASK, 0, 1, IOC)) == [(901, 1)]


def test_market_states() -> None:
    trader, _ = pair()
    order_id = posted(trader.place(BID, 900, 1))
    rules = trader.exchange.rules
    rules.frozen_markets.add(0)
    assert error(trader.place(BID, 900, 1)) == pb.MARKET_FROZEN
    rules.frozen_refuses_cancels = True
    assert error(trader.cancel(order_id)) == pb.MARKET_FROZEN
    rules.frozen_refuses_cancels = False
    assert error(trader.cancel(order_id)) is None
    rules.frozen_markets.clear()
    rules.immediate_only_markets.add(0)
    assert error(trader.place(BID, 900, 1)) == pb.ONLY_IMMEDIATE_ORDERS_ALLOWED
    assert error(trader.place(BID, 900, 1, IOC)) == pb.IMMEDIATE_ORDER_GOT_NO_FILLS


def test_cancelling() -> None:
    trader, other = pair()
    order_id = posted(trader.place(BID, 900, 4, client_order_id=12))
    assert error(other.cancel(order_id)) == pb.INVALID_ORDER_OWNER
    assert error(trader.cancel(order_id + 1)) == pb.ORDER_NOT_FOUND
    done = trader.cancel(order_id).cancel_order_result
    assert (done.order_id, done.account_id, done.client_order_id) == (order_id, 1, 12)
    assert error(trader.cancel(order_id)) == pb.ORDER_NOT_FOUND
    assert trader.exchange.clobs[0].best() == (None, None)
    finished = trader.exchange.state.finished[order_id]
    assert (finished.finalization, finished.filled_lots) == (Finalization.CANCELED, 0)


def test_cancelling_by_client_id() -> None:
    trader, other = pair()
    order_id = posted(trader.place(BID, 900, 4, client_order_id=12))
    for who, code in ((other, pb.ORDER_NOT_FOUND), (trader, None), (trader, pb.ORDER_NOT_FOUND)):
        asked = pb.CancelOrderByClientId(session_id=who.session_id, client_order_id=12)
        receipt = who.send(pb.Action(cancel_order_by_client_id=asked))
        assert error(receipt) == code
        if code is None:
            assert receipt.cancel_order_result.order_id == order_id


def test_a_requote_of_four_parts() -> None:
    trader, _ = pair()
    ids = [posted(trader.place(side, ticks, 5)) for side, ticks in ((BID, 990), (ASK, 1010))]
    receipt = trader.batch(cut(ids[0]), cut(ids[1]), part(BID, 991, 6), part(ASK, 1009, 7))
    kinds = [result.WhichOneof("inner") for result in receipt.atomic.results]
    assert kinds == ["cancel_order"] * 2 + ["place_order_result"] * 2
    sizes = [result.place_order_result.posted.size for result in receipt.atomic.results[2:]]
    assert sizes == [6, 7]
    assert trader.exchange.clobs[0].best() == (991, 1009)
    assert receipt.action_id == trader.exchange.state.markets[0].update_id


def test_one_bad_part_refuses_the_whole_batch() -> None:
    trader, other = pair()
    mine = posted(trader.place(BID, 990, 5, client_order_id=3))
    other.place(ASK, 1000, 5)
    before = trader.exchange.dump()
    for parts, code in (
        ([cut(mine), part(BID, 1000, 1)], 135),
        ([cut(mine), cut(mine)], 8),
        ([part(BID, 1000, 5, IOC), part(BID, 1000, 5, IOC)], 133),
        ([part(BID, 1000, 5, LIMIT), part(BID, 999, 5, client_order_id=3)], 128),
        ([part(BID, 1000, 5, IOC), part(BID, 999, 200_000)], 226),
        ([cut(mine), part(BID, 999, 5), pb.AtomicSubactionKind()], 35),
        ([part(BID, 990, 1)] * 5, 256),
        ([], 256),
    ):
        assert error(trader.batch(*parts)) == code
        assert trader.exchange.dump() == before


def test_the_order_of_parts_is_per_market() -> None:
    trader, other = pair()
    ids = [posted(trader.place(BID, 990, 5, market_id=market)) for market in (0, 1, 0)]
    other.place(ASK, 1000, 5)
    trade, place = part(BID, 1000, 1, IOC), part(BID, 990, 1)
    assert error(trader.batch(place, cut(ids[0]))) == 258
    assert error(trader.batch(trade, cut(ids[0]))) == 258
    assert error(trader.batch(place, trade)) == 257
    assert error(trader.batch(trade, place, cut(ids[1]))) is None
    assert error(trader.batch(cut(ids[0]), trade, place, part(BID, 990, 1))) is None


def test_a_batch_is_of_one_account() -> None:
    trader, other = pair()
    assert error(other.batch(cut(posted(trader.place(BID, 990, 5))))) == pb.INVALID_ORDER_OWNER


@pytest.mark.parametrize(
    ("rule", "code", "traded", "left"),
    [
        ("allow", None, [(1000, 3)], {1}),
        ("cancel_resting", None, [], {2}),
        ("cancel_taker", pb.ORDER_EXECUTION_EMPTY, [], {1}),
    ],
)
def test_meeting_ones_own_order(
    rule: str, code: int | None, traded: list[tuple[int, int]], left: set[int]
) -> None:
    trader, _ = pair(rules={"self_trade": rule})
    trader.place(ASK, 1000, 5)
    receipt = trader.place(BID, 1000, 3)
    assert error(receipt) == code
    assert fills(receipt) == traded
    assert set(trader.exchange.state.accounts[1].orders) == left
    assert trader.exchange.violations() == []


def test_an_order_placed_and_met_in_one_batch_is_told_as_it_ends() -> None:
    trader, _ = pair()
    trader.exchange.take_changes()
    trader.batch(part(ASK, 1000, 10, LIMIT), part(BID, 1000, 4, LIMIT))
    (told,) = [c for c in trader.exchange.take_changes() if isinstance(c, AccountChange)]
    assert [(order.order_id, order.lots) for order in told.places] == [(1, 6)]
    assert {fill.order_id: (fill.lots, fill.remaining) for fill in told.fills} == {
        1: (4, 6),
        2: (4, 0),
    }
    trader.batch(part(BID, 999, 5, LIMIT), part(ASK, 999, 5, LIMIT))
    (told,) = [c for c in trader.exchange.take_changes() if isinstance(c, AccountChange)]
    assert told.places == []
    assert [fill.remaining for fill in told.fills] == [0, 0]


def test_a_position_limit_is_an_option() -> None:
    maker, taker = pair(rules={"position_limit_lots": 10})
    maker.place(ASK, 1000, 50)
    assert error(taker.place(BID, 1000, 11, IOC)) == pb.POSITION_SIZE_LIMIT
    assert error(taker.place(BID, 1000, 10, IOC)) is None
    taker.exchange.rules.position_limit_lots = 5
    assert error(maker.place(BID, 999, 3)) is None
    assert error(taker.place(ASK, 999, 3, IOC)) is None


def test_the_background_trades_with_users() -> None:
    trader, _ = pair()
    trader.exchange.background(0, rows((1, 1, 990, 8), (1, -1, 1010, 8)))
    trader.place(BID, 1000, 5)
    trader.exchange.background(0, rows((5, -1, 995, 2)))
    assert trader.lots == 2
    assert trader.exchange.state.accounts[0].positions[0].lots == -2
    trade = trader.exchange.state.trades[-1]
    assert (trade.taker_id, trade.maker_id, trade.order_id, trade.ticks) == (0, 1, 1, 1000)
    assert fills(trader.place(BID, 0, 3, IOC)) == [(1010, 3)]
    assert trader.exchange.violations() == []
