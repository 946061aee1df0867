"""The engine's own views: executed actions as they were sent, ids, the bridge's config."""

from base64 import b64decode

from mmbot.adapters.zo.wire import codec
from mmbot.adapters.zo.wire.actions import PlaceOrder
from mmbot.exchange.views.rest import answer
from tests.unit.exchange.scene import BID, LIMIT, Scene


def test_actions_come_back_as_the_bytes_that_were_signed() -> None:
    scene = Scene()
    first = scene.exchange.state.action_id
    sent = {}
    for step in range(4):
        body = scene.maker.body(PlaceOrder(0, BID, LIMIT, 590_000 + step, 10))
        sent[codec.decode_receipt(scene.exchange.act(body)).action_id] = body[:-64]

    def between(after: int, last: int) -> dict[int, bytes]:
        shown = scene.get("/action", {"from": str(after), "to": str(last)})
        assert all(each["physicalTime"] == "2026-01-04T13:00:00.000000000Z" for each in shown)
        return {each["actionId"]: b64decode(each["payload"]) for each in shown}

    assert between(first, first + 4) == sent
    assert sorted(between(first + 1, first + 3)) == [first + 2, first + 3]
    # The SDK asks for one action with from = to.
    assert sorted(between(first + 2, first + 2)) == [first + 2]
    assert between(first + 4, first + 50) == {}
    assert scene.get("/action/last-executed-id") == first + 4


def test_refused_actions_are_no_actions() -> None:
    scene = Scene()
    body = scene.maker.body(PlaceOrder(0, BID, LIMIT, 590_000, 10))
    scene.exchange.act(body)
    last = scene.get("/action/last-executed-id")
    assert codec.decode_receipt(scene.exchange.act(body)).HasField("err")
    assert scene.get("/action/last-executed-id") == last
    assert scene.get("/action", {"from": str(last), "to": str(last + 1)}) == []


def test_engine_time_stands_and_moves_with_the_engine() -> None:
    scene = Scene()
    before = int(answer(scene.exchange, "/timestamp", {}).body)
    scene.wait(1.5)
    assert int(answer(scene.exchange, "/timestamp", {}).body) == before + 1


def test_the_bridge_names_app_chain_and_mints() -> None:
    config = Scene().get("/proton/v0/config")
    assert config["app"] == "zoau54n5U24GHNKqyoziVaVxgsiQYnPMx33fKmLLCT5"
    assert config["mints"][0]["minDeposit"] == 1_000_000
    assert Scene().get("/event/last-acked-nonce") == 0
