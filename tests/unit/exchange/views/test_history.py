"""An account's money over time, worked by hand from the trades that moved it."""

from decimal import Decimal

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.codec import frame
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.model import Liquidated
from tests.unit.exchange.scene import ASK, BID, IOC, Scene

D = Decimal
START = "2026-01-04T13:00:00.000000000Z"
LATER = "2026-01-04T13:00:05.000000000Z"


def _round_trip() -> Scene:
    """The maker buys 0.02 at 60,000 and sells half of it 100 higher, five seconds later."""
    scene = Scene()
    scene.maker.place(BID, 600_000, 2000)
    scene.taker.place(ASK, 600_000, 2000, IOC)
    scene.wait(5)
    scene.maker.place(ASK, 601_000, 1000)
    scene.taker.place(BID, 601_000, 1000, IOC)
    return scene


def test_profit_has_the_fields_of_both_generations() -> None:
    scene = _round_trip()
    assert scene.get("/account/1/pnl") == {
        "items": [
            {
                "time": LATER,
                "actionId": scene.exchange.state.action_id,
                "accountId": 1,
                "marketId": 0,
                "tradingPnl": D("1.0"),
                "settledFundingPnl": D("0.0"),
                "positionSize": D("0.01"),
                "pricePnlDelta": D("1.0"),
                "fundingPnlDelta": D("0.0"),
                "pnl": D("1.0"),
            }
        ],
        "nextStartInclusive": None,
    }
    [loss] = scene.get("/account/2/pnl")["items"]
    assert (loss["tradingPnl"], loss["positionSize"]) == (D("-1.0"), D("-0.01"))


def test_profit_in_time_in_pages_and_summed() -> None:
    scene = _round_trip()
    for _ in range(5):
        scene.maker.place(ASK, 602_000, 100)
        scene.taker.place(BID, 602_000, 100, IOC)
    shown = scene.pages("/account/1/pnl", {"pageSize": "2"})
    assert [each["pnl"] for each in shown] == [D("0.2")] * 5 + [D("1.0")]
    assert scene.get("/account/1/pnl", {"until": LATER})["items"] == []
    assert len(scene.get("/account/1/pnl", {"since": LATER})["items"]) == 6
    total = {"marketId": 0, "tradingPnl": D("2.0"), "settledFundingPnl": D("0.0")}
    assert scene.get("/account/1/pnl/summary") == {"items": [total]}
    assert scene.get("/account/1/pnl/summary", {"marketId": "0"}) == {"items": [total]}
    assert scene.get("/account/1/pnl/summary", {"marketId": "1"}) == {"items": []}
    assert scene.get("/account/1/pnl/summary", {"until": START}) == {"items": []}


def test_funding_of_an_hour() -> None:
    scene = Scene()
    scene.maker.place(BID, 600_000, 2000)
    scene.taker.place(ASK, 600_000, 2000, IOC)
    scene.exchange.set_index(0, 599_400)
    scene.show((BID, 599_990, 10), (ASK, 600_010, 10))
    scene.wait(3600)
    # The mark is 60,000, the index 59,940: a premium of 60 over 8 hours is 7.5 USD a coin.
    [paid] = scene.get("/account/1/history/funding")["items"]
    rate = paid.pop("fundingRate")
    assert abs(float(rate) - 60 / 59_940 / 8) < 1e-12
    assert paid == {
        "time": "2026-01-04T14:00:00.000000000Z",
        "actionId": scene.exchange.state.hours[0].action_id,
        "marketId": 0,
        "positionSize": D("0.02"),
        "fundingPnl": D("-0.15"),
        "fundingSize": D("0.02"),
        "side": "bid",
        "fundingIndexChange": D("7.5"),
        "market": {"market_id": 0, "market_symbol": "BTCUSD"},
    }
    [got] = scene.get("/account/2/history/funding", {"marketId": "0"})["items"]
    assert (got["fundingPnl"], got["side"], got["positionSize"]) == (D("0.15"), "ask", D("-0.02"))
    assert scene.get("/account/2/history/funding", {"marketId": "1"})["items"] == []
    position = scene.get("/account/1")["positions"][0]["perp"]
    assert position["fundingPaymentPnl"] == D("-0.15")
    scene.maker.place(ASK, 600_005, 1000)
    scene.taker.place(BID, 600_005, 1000, IOC)
    [realised] = scene.get("/account/1/pnl")["items"]
    figures = [realised[name] for name in ("tradingPnl", "settledFundingPnl", "pnl")]
    assert figures == [D("0.005"), D("-0.15"), D("-0.145")]
    assert scene.get("/account/1/pnl/summary")["items"] == [
        {"marketId": 0, "tradingPnl": D("0.005"), "settledFundingPnl": D("-0.15")}
    ]
    position = scene.get("/account/1")["positions"][0]["perp"]
    assert (position["fundingPaymentPnl"], position["updatedFundingRateIndex"]) == (0, D("7.5"))


def _send(scene: Scene, action: pb.Action) -> None:
    action.current_timestamp = scene.exchange.state.now_s
    raw = frame(action.SerializeToString())
    scene.exchange.act(raw + scene.maker.key.sign(raw).signature)


def test_deposits_and_withdrawals_without_transfers_between_accounts() -> None:
    scene = Scene(withdraw_fee_usd=1)
    scene.wait(5)
    scene.exchange.fund(1, 250 * 10**12)
    session = scene.maker.session_id
    _send(scene, pb.Action(withdraw=pb.Withdraw(session_id=session, token_id=0, amount=40_000_000)))
    left_in = scene.exchange.state.action_id
    unowned = pb.Recipient(unowned=pb.Recipient.Account(account_id=2))
    transfer = pb.Transfer(session_id=session, from_account_id=1, amount=7, to_account_id=unowned)
    _send(scene, pb.Action(transfer=transfer))
    assert scene.exchange.state.action_id == left_in + 1
    shown = scene.pages("/account/1/history/deposit", {"pageSize": "1"})
    assert [(each["amount"], each["balance"]) for each in shown] == [
        (250, 10_250),
        (10_000, 10_000),
    ]
    assert shown[0]["eventIndex"] > shown[1]["eventIndex"]
    assert len(scene.get("/account/1/history/deposit", {"since": LATER})["items"]) == 1
    assert scene.get("/account/1/history/withdrawal")["items"] == [
        {
            "time": LATER,
            "actionId": left_in,
            "accountId": 1,
            "tokenId": 0,
            "amount": D("40.0"),
            "balance": D("10209.0"),
            "fee": D("1.0"),
            "destPubkey": base58.encode(scene.maker.pubkey),
        }
    ]
    assert scene.get("/account/2/history/withdrawal")["items"] == []


def test_liquidations_show_margins_before_each_step() -> None:
    scene = Scene()
    state = scene.exchange.state
    for action_id in (90, 90, 91):
        entry = Liquidated(state.now_ns, action_id, 1, 0, "cancel_order", *range(1, 6))
        state.liquidations.append(entry)
    shown = scene.pages("/account/1/history/liquidation", {"pageSize": "1"})
    assert [each["actionId"] for each in shown] == [91, 90, 90]
    assert shown[0]["liquidationKind"] == "cancel_order"
    margins = [shown[0][name] for name in ("preMf", "preOmf", "preImf", "preCmf", "preMmf")]
    assert margins == [D(each).scaleb(-12) for each in range(1, 6)]
