"""Stream messages: the shapes of the protocol page, and a book and account rebuilt from them."""

from collections.abc import Container
from decimal import Decimal
from json import loads
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.exchange.views.frames import encode
from tests.unit.exchange.scene import ASK, BID, IOC, LIMIT, START_S, Scene

D = Decimal
START = "2026-01-04T13:00:00.000000000Z"


def _told(scene: Scene, wanted: Container[str] | None = None) -> list[tuple[str, Any]]:
    found = []
    for change in scene.exchange.take_changes():
        for stream, message in encode(scene.exchange, change, wanted, scene.rules):
            found.append((stream, loads(message, parse_float=Decimal)))
    return found


def _of(told: list[tuple[str, Any]], stream: str) -> list[Any]:
    return [message for name, message in told if name == stream]


def _deal() -> tuple[Scene, int, list[tuple[str, Any]]]:
    """The maker rests 0.02 at 60,000, the taker sells 0.005 to it; what the deal told."""
    scene = Scene()
    order_id = scene.maker.place(BID, 600_000, 2000)
    scene.exchange.take_changes()
    scene.taker.place(ASK, 600_000, 500, IOC)
    return scene, order_id, _told(scene)


def test_a_delta_has_pairs_and_nothing_but_ids() -> None:
    scene, _, told = _deal()
    last = scene.exchange.state.action_id
    assert _of(told, "deltas@BTCUSD") == [
        {
            "delta": {
                "last_update_id": last - 1,
                "update_id": last,
                "market_symbol": "BTCUSD",
                "asks": [],
                "bids": [[D("60000.0"), D("0.015")]],
            }
        }
    ]


def test_a_level_that_is_gone_has_size_zero_and_levels_can_be_objects() -> None:
    scene, order_id, _ = _deal()
    scene.rules.object_levels = True
    scene.maker.cancel(order_id)
    [message] = _of(_told(scene), "deltas@BTCUSD")
    assert message["delta"]["bids"] == [{"price": D("60000.0"), "size": D("0.0")}]


def test_trades_are_told_in_the_live_form_with_the_side_of_the_taker() -> None:
    scene, _, told = _deal()
    last = scene.exchange.state.action_id
    trade = {
        "trade_id": 1,
        "action_id": last,
        "side": "ask",
        "price": D("60000.0"),
        "size": D("0.005"),
        "physical_time": START,
    }
    [message] = _of(told, "trades@BTCUSD")
    assert message == {
        "trades": {
            "last_update_id": 1,
            "update_id": last,
            "market_symbol": "BTCUSD",
            "trades": [trade],
        }
    }
    scene.rules.trade_side = "maker"
    scene.taker.place(ASK, 600_000, 500, IOC)
    [message] = _of(_told(scene), "trades@BTCUSD")
    assert message["trades"]["last_update_id"] == last
    assert message["trades"]["trades"][0]["side"] == "bid"


def test_an_account_hears_its_own_side_of_a_fill() -> None:
    scene, order_id, told = _deal()
    last = scene.exchange.state.action_id
    fill = {
        "side": "bid",
        "quantity": D("0.005"),
        "remaining": D("0.015"),
        "price": D("60000.0"),
        "order_id": str(order_id),
        "market_id": 0,
        "maker_id": 1,
        "taker_id": 2,
        "sender_tracking_id": None,
    }
    assert _of(told, "account@1") == [
        {
            "account": {
                "last_update_id": last - 1,
                "update_id": last,
                "account_id": 1,
                "fills": {str(order_id): fill},
                "places": {},
                "cancels": {},
                "balances": {"0": D("9999.97")},
            }
        }
    ]
    [[taken]] = [message["account"]["fills"].values() for message in _of(told, "account@2")]
    assert (taken["side"], taken["quantity"], taken["remaining"]) == ("ask", D("0.005"), 0)


def test_places_and_cancels_are_told_by_order_id() -> None:
    scene, order_id, _ = _deal()
    scene.maker.cancel(order_id)
    placed = scene.maker.place(ASK, 600_500, 7)
    scene.rules.balance_keys = "symbol"
    scene.exchange.fund(1, 10**12)
    first, second, third = (message["account"] for message in _of(_told(scene), "account@1"))
    assert first["cancels"] == {
        str(order_id): {
            "side": "bid",
            "current_size": D("0.015"),
            "price": D("60000.0"),
            "market_id": 0,
        }
    }
    assert second["places"] == {
        str(placed): {
            "side": "ask",
            "current_size": D("0.00007"),
            "price": D("60050.0"),
            "market_id": 0,
        }
    }
    assert third["balances"] == {"USDC": D("10000.97")}


def test_bars_are_told_bare_in_every_resolution() -> None:
    _, _, told = _deal()
    names = [name.partition(":")[2] for name, _ in told if name.startswith("candle@BTCUSD:")]
    assert names == ["1", "5", "15", "30", "60", "240", "1D", "1W", "1M", "4H"]
    assert _of(told, "candle@BTCUSD:1") == [
        {
            "res": "1",
            "mid": 0,
            "t": START_S,
            "o": D("60000.0"),
            "h": D("60000.0"),
            "l": D("60000.0"),
            "c": D("60000.0"),
            "v": D("0.005"),
        }
    ]
    four_hours, same = (_of(told, f"candle@BTCUSD:{name}")[0] for name in ("4H", "240"))
    assert four_hours == {**same, "res": "4H"}


def test_only_what_is_wanted_is_written() -> None:
    for wanted in ({"account@2", "candle@BTCUSD:60"}, {"deltas@BTCUSD"}, {"trades@BTCUSD"}, set()):
        scene = Scene()
        scene.maker.place(BID, 600_000, 2000)
        scene.exchange.take_changes()
        scene.taker.place(ASK, 600_000, 500, IOC)
        assert {name for name, _ in _told(scene, wanted)} == wanted


_DEALS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([BID, ASK]),
        st.integers(599_990, 600_010),
        st.integers(1, 50),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(_DEALS)
def test_a_reader_of_the_streams_holds_the_book_and_the_accounts_of_the_rest_views(
    deals: list[tuple[bool, Any, int, int, bool]],
) -> None:
    scene = Scene()
    for first, side, ticks, lots, cancel in deals:
        trader = scene.maker if first else scene.taker
        order_id = trader.place(side, ticks, lots, LIMIT)
        if cancel and order_id:
            trader.cancel(order_id)
    told = _told(scene)
    book, update_id = _book(told)
    shown = scene.get("/market/0/orderbook")
    for name in ("bids", "asks"):
        assert book[name] == {price: size for price, size in shown[name]}
    assert update_id in (0, shown["updateId"])
    for account_id in (1, 2):
        position, balance = _account(told, account_id)
        account = scene.get(f"/account/{account_id}")
        assert balance == account["balances"][0]["amount"]
        perps = [each["perp"] for each in account["positions"] if each["perp"]]
        assert position == sum(
            each["baseSize"] if each["isLong"] else -each["baseSize"] for each in perps
        )


def _book(told: list[tuple[str, Any]]) -> tuple[dict[str, dict[Decimal, Decimal]], int]:
    book: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}
    last = 0
    for message in _of(told, "deltas@BTCUSD"):
        delta = message["delta"]
        assert last in (0, delta["last_update_id"])
        last = delta["update_id"]
        for name, side in book.items():
            for price, size in delta[name]:
                side.pop(price, None)
                if size:
                    side[price] = size
    return book, last


def _account(told: list[tuple[str, Any]], account_id: int) -> tuple[Decimal, Decimal]:
    position, balance = D(0), D(0)
    for message in _of(told, f"account@{account_id}"):
        change = message["account"]
        balance = change["balances"].get("0", balance)
        for fill in change["fills"].values():
            position += fill["quantity"] if fill["side"] == "bid" else -fill["quantity"]
    return position, balance


def test_a_sweep_is_told_at_its_average_price() -> None:
    scene = Scene()
    for ticks in (600_000, 600_001):
        scene.maker.place(ASK, ticks, 10)
    scene.maker.place(ASK, 600_004, 10)
    scene.exchange.take_changes()
    scene.taker.place(BID, 600_004, 30, IOC)
    (account,) = _of(_told(scene), "account@2")
    (fill,) = account["account"]["fills"].values()
    # 60000.0, 60000.1 and 60000.4 for as much each.
    assert (fill["quantity"], fill["price"]) == (D("0.0003"), D("60000.1666667"))
