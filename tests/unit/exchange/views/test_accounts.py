"""Views of accounts against the protocol page's example, worked by hand."""

from decimal import Decimal

from mmbot.adapters.zo.wire import base58
from mmbot.exchange.model import Order, Position
from tests.unit.exchange.scene import ASK, BID, IOC, LIMIT, Scene

D = Decimal
USD = 10**12


def _example() -> Scene:
    """The account of protocol 3.10: long 0.02 at 61,000, an order for 0.01 left of 0.02."""
    scene = Scene()
    scene.exchange.set_index(0, 611_600)
    scene.exchange.state.markets[0].funding_index = 15_000_000
    held = scene.exchange.state.accounts[1]
    held.update_id = 812345
    held.balances[0] = 1000 * USD
    held.positions[0] = Position(2000, 1220 * USD, 10_000_000, 99)
    held.orders[5551] = Order(
        5551, 1, 0, BID, 600_000, 1000, 2000, 1000, LIMIT, False, 17, None, 0, 0, 99
    )
    return scene


def test_the_example_of_the_protocol() -> None:
    assert _example().get("/account/1") == {
        "updateId": 812345,
        "orders": [
            {
                "orderId": 5551,
                "marketId": 0,
                "side": "bid",
                "size": D("0.01"),
                "price": D("60000.0"),
                "originalOrderSize": D("0.02"),
                "clientOrderId": 17,
            }
        ],
        "positions": [
            {
                "marketId": 0,
                "openOrders": 1,
                "perp": {
                    "baseSize": D("0.02"),
                    "price": D("61000.0"),
                    "updatedFundingRateIndex": D("1.0"),
                    "fundingPaymentPnl": D("-0.01"),
                    "tradingPnl": D("3.2"),
                    "sizePricePnl": D("3.2"),
                    "isLong": True,
                },
                "actionId": 99,
            }
        ],
        "balances": [{"tokenId": 0, "token": "USDC", "amount": D("1000.0")}],
        # 0.03 x 61,160 = 1834.8 could be open, 0.02 x 61,160 = 1223.2 is held.
        "margins": {
            "omf": D("1003.19"),
            "mf": D("1003.19"),
            "imf": D("36.696"),
            "cmf": D("22.935"),
            "mmf": D("12.232"),
            "pon": D("1834.8"),
            "pn": D("1223.2"),
            "bankruptcy": False,
        },
    }


def test_a_short_has_a_positive_size_and_is_not_long() -> None:
    scene = _example()
    held = scene.exchange.state.accounts[1]
    held.positions[0] = Position(-3, -2 * USD, 0, 99)
    perp = scene.get("/account/1")["positions"][0]["perp"]
    assert (perp["baseSize"], perp["isLong"]) == (D("0.00003"), False)
    # 2 USD for 0.00003 is 66666.6 recurring: shown to a millionth of a tick, nearest.
    assert perp["price"] == D("66666.6666667")
    # 2 USD got, 0.00003 x 61,160 owed.
    assert perp["tradingPnl"] == D("0.1652")
    # Shorts receive a rising index: 3 lots x 15,000,000 atoms.
    assert perp["fundingPaymentPnl"] == D("0.000045")


def test_noise_in_sizes_stays_within_a_trace_of_a_lot() -> None:
    scene = _example()
    scene.exchange.state.accounts[1].positions[0].lots = 2
    scene.rules.float_noise = True
    shown = scene.get("/account/1")
    assert shown["positions"][0]["perp"]["baseSize"] == D("0.0000199999999989617")
    assert shown["orders"][0]["size"] == D("0.0099999999999989617")


def test_a_market_with_orders_only_has_no_perp_and_a_flat_one_is_not_listed() -> None:
    scene = Scene()
    scene.maker.place(BID, 150_000, 1, market_id=2)
    scene.maker.place(BID, 600_000, 5)
    scene.taker.place(ASK, 600_000, 5, IOC)
    scene.taker.place(BID, 600_000, 5)
    scene.maker.place(ASK, 600_000, 5)
    positions = scene.get("/account/1")["positions"]
    assert positions == [{"marketId": 2, "openOrders": 1, "perp": None, "actionId": 0}]


def test_a_wallet_finds_its_account_and_sessions() -> None:
    scene = Scene()
    wallet = base58.encode(scene.maker.pubkey)
    session = base58.encode(bytes(scene.maker.key.verify_key))
    number = str(scene.maker.session_id)
    expiry = "2026-02-03T13:00:00.000000000Z"
    assert scene.get(f"/user/{wallet}") == {
        "accountIds": [1],
        "sessions": {number: {"pubkey": session, "expiry": expiry}},
    }
    scene.rules.session_fields = "long"
    assert scene.get(f"/user/{wallet}")["sessions"] == {
        number: {"session_pubkey": session, "expiry_timestamp": expiry}
    }
    assert scene.get("/account/1/pubkey") == wallet


def test_account_figures() -> None:
    scene = Scene(withdraw_fee_usd=2)
    scene.exchange.state.accounts[2].fee_tier = 3
    assert scene.get("/account/2/fee/tier") == 3
    assert scene.get("/account/2/fees/withdrawal") == 2
    assert scene.get("/accounts/count") == 2
    assert scene.pages("/accounts/fee-tiers", {"pageSize": "1"}) == [
        {"accountId": 2, "feeTier": 3},
        {"accountId": 1, "feeTier": 0},
    ]
