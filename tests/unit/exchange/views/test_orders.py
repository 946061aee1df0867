"""Orders, trades and triggers as they are shown, against receipts and hand-worked figures."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.wire import actions
from mmbot.adapters.zo.wire.actions import TriggerKind
from tests.unit.exchange.scene import ASK, BID, FOK, IOC, POST_ONLY, Scene

D = Decimal
START = "2026-01-04T13:00:00.000000000Z"
LATER = "2026-01-04T13:00:05.000000000Z"


def test_an_order_is_shown_while_it_rests_and_when_it_is_filled() -> None:
    scene = Scene()
    order_id = scene.maker.place(BID, 600_000, 2000, POST_ONLY)
    placed_in = scene.exchange.state.action_id
    open_order = {
        "addedAt": START,
        "updatedAt": START,
        "tradeId": 0,
        "traderId": 1,
        "marketId": 0,
        "orderId": order_id,
        "side": "bid",
        "placedSize": D("0.02"),
        "filledSize": D("0.0"),
        "updateActionId": placed_in,
        "isReduceOnly": False,
        "fillMode": "PostOnly",
        "placedPrice": D("60000.0"),
        "originalSizeLimit": D("0.02"),
        "originalPriceLimit": D("60000.0"),
        "placementOrigin": "User",
        "finalizationReason": None,
        "marketSymbol": "BTCUSD",
        "tokenSymbol": "USDC",
    }
    assert scene.get(f"/order/{order_id}") == open_order
    scene.wait(5)
    scene.taker.place(ASK, 600_000, 2000, FOK)
    filled = {
        **open_order,
        "updatedAt": LATER,
        "tradeId": 1,
        "filledSize": D("0.02"),
        "updateActionId": placed_in + 1,
        "finalizationReason": "Filled",
    }
    assert scene.get(f"/order/{order_id}") == filled
    assert scene.get("/account/1/orders")["items"] == [filled]
    taken = scene.get("/account/2/orders")["items"]
    assert [(each["fillMode"], each["finalizationReason"]) for each in taken] == [
        ("FillOrKill", "Taken")
    ]


def test_orders_of_an_account_are_newest_first_whatever_became_of_them() -> None:
    scene = Scene()
    placed = [scene.maker.place(BID, 590_000 + step, 10) for step in range(6)]
    scene.maker.cancel(placed[1])
    scene.taker.place(ASK, 590_005, 10, IOC)
    shown = scene.pages("/account/1/orders", {"pageSize": "4"})
    assert [each["orderId"] for each in shown] == placed[::-1]
    assert [each["finalizationReason"] for each in shown] == [
        "Filled",
        None,
        None,
        None,
        "Canceled",
        None,
    ]


def _traded() -> Scene:
    scene = Scene()
    scene.show((ASK, 600_010, 200))
    scene.maker.place(BID, 600_000, 2000)
    scene.taker.place(ASK, 600_000, 500, IOC)
    scene.wait(5)
    scene.taker.place(BID, 600_010, 100, IOC)
    scene.maker.place(BID, 1_500_00, 10_000, market_id=2)
    scene.taker.place(ASK, 1_500_00, 10_000, IOC, market_id=2)
    return scene


def test_trades_name_both_sides_and_fees_to_the_atom() -> None:
    scene = _traded()
    last = scene.exchange.state.action_id
    sol, btc, first = scene.get("/trades")["items"]
    assert (sol["marketId"], sol["price"], sol["baseSize"]) == (2, 150, 10)
    assert btc == {
        "time": LATER,
        "actionId": last - 2,
        "tradeId": 2,
        "takerId": 2,
        "takerSide": "bid",
        "makerId": 0,
        "marketId": 0,
        "orderId": 0,
        "price": D("60001.0"),
        "baseSize": D("0.001"),
        "takerFee": D("0.02100035"),
        "makerFee": D("0.0"),
    }
    assert (first["takerFee"], first["makerFee"]) == (D("0.105"), D("0.03"))
    assert (first["takerSide"], first["makerId"], first["orderId"]) == ("ask", 1, 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [3, 2, 1]),
        ({"makerId": "1"}, [3, 1]),
        ({"takerId": "1"}, []),
        ({"takerId": "2"}, [3, 2, 1]),
        ({"makerId": "0"}, [2]),
        ({"makerId": "0", "takerId": "2", "marketId": "2"}, []),
        ({"takerSide": "ask"}, [3, 1]),
        ({"marketId": "0", "takerSide": "bid"}, [2]),
        ({"marketId": "77"}, []),
        ({"makerId": "77"}, []),
        ({"since": LATER}, [3, 2]),
        ({"until": LATER}, [1]),
        ({"since": START, "until": START}, []),
        ({"startInclusive": "2"}, [2, 1]),
        ({"makerId": "1", "startInclusive": "2"}, [1]),
        ({"startInclusive": "18446744073709551615"}, [3, 2, 1]),
    ],
)
def test_trades_by_who_what_and_when(query: dict[str, str], found: list[int]) -> None:
    assert [each["tradeId"] for each in _traded().get("/trades", query)["items"]] == found


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=25),
    st.sampled_from([{}, {"makerId": "1"}, {"takerId": "1"}, {"makerId": "2", "marketId": "0"}]),
    st.integers(1, 6),
)
def test_pages_of_trades_are_the_trades_of_the_history(
    deals: list[tuple[bool, int]], query: dict[str, str], size: int
) -> None:
    scene = Scene()
    for swapped, lots in deals:
        maker, taker = (scene.taker, scene.maker) if swapped else (scene.maker, scene.taker)
        maker.place(BID, 600_000, lots)
        taker.place(ASK, 600_000, lots, IOC)
    expected = [
        trade.trade_id
        for trade in reversed(scene.exchange.state.trades)
        if query.get("makerId") in (None, str(trade.maker_id))
        and query.get("takerId") in (None, str(trade.taker_id))
    ]
    shown = scene.pages("/trades", {**query, "pageSize": str(size)})
    assert [each["tradeId"] for each in shown] == expected


def test_a_restored_exchange_shows_what_was_saved() -> None:
    scene, paths = _traded(), ("/trades", "/account/1/orders", "/order/1/trades", "/account/2")
    saved, shown = scene.exchange.dump(), [scene.get(path) for path in paths]
    scene.taker.place(ASK, 600_000, 500, IOC)
    assert [scene.get(path) for path in paths] != shown
    scene.exchange.load(saved)
    assert [scene.get(path) for path in paths] == shown
    # Ids begin again where the saved exchange was: the index must not take them for known ones.
    scene.taker.place(ASK, 600_000, 300, IOC)
    assert scene.get("/trades", {"makerId": "1"})["items"][0]["baseSize"] == D("0.003")


def test_executions_of_an_order_as_maker_and_as_taker() -> None:
    scene = Scene()
    order_id = scene.maker.place(BID, 600_000, 30)
    for _ in range(3):
        scene.taker.place(ASK, 600_000, 10, IOC)
    taken = scene.get("/account/2/orders")["items"][0]["orderId"]
    assert [each["tradeId"] for each in scene.pages(f"/order/{order_id}/trades", {})] == [3, 2, 1]
    assert [each["tradeId"] for each in scene.pages(f"/order/{taken}/trades", {})] == [3]


def test_volume_counts_both_sides_of_an_account() -> None:
    scene = _traded()
    both = [
        {"marketId": 0, "volumeBase": D("0.006"), "volumeQuote": D("360.001")},
        {"marketId": 2, "volumeBase": D("10.0"), "volumeQuote": D("1500.0")},
    ]
    assert scene.get("/account/volume", {"accountId": "2"}) == both
    assert scene.get("/account/volume", {"accountId": "2", "marketIds": "2,1"}) == both[1:]
    assert scene.get("/account/volume", {"accountId": "2", "marketId": "0"}) == both[:1]
    assert scene.get("/account/volume", {"accountId": "1", "until": LATER}) == [
        {"marketId": 0, "volumeBase": D("0.005"), "volumeQuote": D("300.0")}
    ]


def test_triggers_from_set_to_removed() -> None:
    scene = _traded()
    scene.maker.send(
        actions.AddTrigger(0, ASK, TriggerKind.STOP_LOSS, 580_000, limit_ticks=570_000)
    )
    set_in = scene.exchange.state.action_id
    scene.maker.send(actions.AddTrigger(0, ASK, TriggerKind.TAKE_PROFIT, 650_000))
    stop = {
        "accountId": 1,
        "marketId": 0,
        "triggerPrice": 580_000,
        "limitPrice": 570_000,
        "side": "ask",
        "kind": "stopLoss",
        "actionId": set_in,
        "createdAt": LATER,
    }
    profit = {
        **stop,
        "triggerPrice": 650_000,
        "limitPrice": None,
        "kind": "takeProfit",
        "actionId": set_in + 1,
    }
    assert scene.get("/account/1/triggers") == [stop, profit]
    assert scene.pages("/triggers/active", {"pageSize": "1"}) == [profit, stop]
    scene.wait(1)
    scene.maker.send(actions.RemoveTrigger(0, ASK, TriggerKind.STOP_LOSS))
    assert scene.get("/account/1/triggers") == [profit]
    assert scene.pages("/account/1/triggers/history", {"pageSize": "1"}) == [
        {
            **profit,
            "status": "Active",
            "createdAtActionId": set_in + 1,
            "finalizedAtActionId": None,
            "finalizedAt": None,
        },
        {
            **stop,
            "status": "Removed",
            "createdAtActionId": set_in,
            "finalizedAtActionId": set_in + 2,
            "finalizedAt": "2026-01-04T13:00:06.000000000Z",
        },
    ]
    assert scene.get("/account/1/triggers/history", {"until": LATER})["items"] == []
