"""Routing and refusals: every GET of the protocol, every bad input answered, never raised."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.adapters.zo.wire import base58
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.views.rest import VIEWS, answer
from tests.unit.exchange.scene import ASK, BID, IOC, NS, START_S, Scene

PATHS = sorted(VIEWS)


@pytest.fixture(scope="module")
def scene() -> Scene:
    scene = Scene()
    scene.maker.place(BID, 600_000, 1000)
    scene.taker.place(ASK, 600_000, 400, IOC)
    return scene


def _filled(path: str, value: str) -> str:
    return re.sub(r"\{\w+\}", value.replace("\\", "\\\\"), path)


def test_every_path_of_the_protocol_answers(scene: Scene) -> None:
    names = {
        "{market_id}": "0",
        "{account_id}": "1",
        "{order_id}": "1",
        "{token_id}": "0",
        "{role}": "taker",
        "{pubkey}": base58.encode(scene.maker.pubkey),
    }
    query = {"accountId": "1", "from": "1", "to": "2", "symbol": "BTCUSD"}
    for path in PATHS:
        filled = path
        for name, value in names.items():
            filled = filled.replace(name, value)
        scene.get(filled, query if path in ("/action", "/account/volume") else {"symbol": "BTCUSD"})


@pytest.mark.parametrize(
    ("path", "query", "status", "body"),
    [
        ("/market/999/orderbook", {}, 404, {"market_id": 999}),
        ("/market/999/stats", {}, 404, {"market_id": 999}),
        ("/market/3/live", {}, 404, {"market_id": 3}),
        ("/market/4294967295/history/PT1H", {}, 404, {"market_id": 4294967295}),
        ("/market/4294967296/stats", {}, 400, None),
        ("/market/-1/stats", {}, 400, None),
        ("/market/BTCUSD/stats", {}, 400, None),
        ("/market//stats", {}, 400, None),
        ("/market/9/price/prev", {}, 404, {"market_id": 9}),
        ("/market/0/price/prev", {"atOrBefore": "yesterday"}, 400, None),
        ("/market/0/fees/maker/77", {}, 404, None),
        ("/market/0/fees/banker/1", {}, 400, None),
        ("/account/77", {}, 404, None),
        ("/account/-1", {}, 400, None),
        ("/account/1e3", {}, 400, None),
        ("/account/0/pubkey", {}, 404, None),
        ("/account/77/orders", {}, 404, None),
        ("/account/77/pnl", {}, 404, None),
        ("/account/77/triggers", {}, 404, None),
        ("/account/77/history/withdrawal", {}, 404, None),
        ("/account/1/history/funding", {"since": "x"}, 400, None),
        ("/account/1/history/funding", {"marketId": "x"}, 400, None),
        ("/account/1/orders", {"pageSize": "0"}, 400, None),
        ("/account/1/orders", {"pageSize": "256"}, 400, None),
        ("/account/1/orders", {"startInclusive": "-5"}, 400, None),
        ("/account/volume", {}, 400, None),
        ("/account/volume", {"accountId": "77"}, 404, None),
        ("/account/volume", {"accountId": "1", "marketIds": "0,,1"}, 400, None),
        ("/order/999", {}, 404, None),
        ("/order/0", {}, 404, None),
        ("/order/99999999999999999999999", {}, 400, None),
        ("/order/999/trades", {}, 404, None),
        ("/trades", {"takerSide": "buy"}, 400, None),
        ("/trades", {"until": "2026-01-01"}, 400, None),
        ("/tokens/9/stats", {}, 404, None),
        ("/action", {}, 400, None),
        ("/action", {"from": "5", "to": "4"}, 400, None),
        ("/action", {"from": "0", "to": "101"}, 400, {"requested": 101, "maximal": 100}),
        ("/action", {"from": "0", "to": str(2**64)}, 400, None),
        ("/user/0OIl", {}, 400, None),
        ("/user/abc", {}, 400, None),
        ("/nothing", {}, 404, None),
        ("/info/", {}, 404, None),
        ("", {}, 404, None),
        ("/", {}, 404, None),
        ("info", {}, 404, None),
        ("/account", {}, 404, None),
        ("/market/0", {}, 404, None),
        ("/" * 10_000, {}, 404, None),
    ],
)
def test_refusals_of_the_protocol(
    scene: Scene, path: str, query: dict[str, str], status: int, body: object
) -> None:
    assert scene.ask(path, query) == (status, body)


_KEYS = [
    *("pageSize", "startInclusive", "since", "until", "from", "to", "countback", "atOrBefore"),
    *("marketId", "marketIds", "accountId", "takerId", "makerId", "takerSide"),
    *("symbol", "market_id", "resolution"),
]
_JUNK = st.text(max_size=30) | st.sampled_from(
    ["-1", "1", "0", "18446744073709551616", "9" * 400, "nan", "1e9", "²", "٣", "null", "a\0b"]
)


@given(st.sampled_from(PATHS), _JUNK, st.dictionaries(st.sampled_from(_KEYS), _JUNK))
def test_whatever_is_asked_the_answer_is_a_documented_status(
    scene: Scene, path: str, name: str, query: dict[str, str]
) -> None:
    status, _ = scene.ask(_filled(path, name), query)
    assert status in (200, 400, 404)


@given(st.text(max_size=60))
def test_any_path_is_answered(scene: Scene, path: str) -> None:
    assert scene.ask(path)[0] in (200, 400, 404)


def test_an_unknown_wallet_is_404_unless_it_is_given_money() -> None:
    wallet = base58.encode(bytes(range(32)))
    closed = Exchange(ExchangeParams(), START_S * NS)
    assert answer(closed, f"/user/{wallet}", {}) == (404, b"null", "application/json")
    scene = Scene()
    count = scene.get("/accounts/count")
    assert scene.get(f"/user/{wallet}") == {"accountIds": [count + 1], "sessions": {}}
    assert scene.get("/accounts/count") == count + 1


def test_reading_changes_nothing(scene: Scene) -> None:
    before = scene.exchange.dump()
    for path in PATHS:
        scene.ask(_filled(path, "1"), {})
    assert scene.exchange.dump() == before


def test_ids_are_numbers_or_all_strings() -> None:
    scene = Scene()
    order_id = scene.maker.place(BID, 600_000, 1000)
    scene.taker.place(ASK, 600_000, 300, IOC)
    scene.taker.place(ASK, 600_000, 300, IOC)
    paths = ("/trades", f"/order/{order_id}", f"/order/{order_id}/trades", "/account/1/orders")
    plain = [scene.get(path, {"pageSize": "1"}) for path in paths]
    scene.rules.ids_as_strings = True
    spoken = [scene.get(path, {"pageSize": "1"}) for path in paths]
    keys = {"orderId", "tradeId", "actionId", "updateActionId", "nextStartInclusive"}

    def as_strings(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: as_strings(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [as_strings(each) for each in value]
        return str(value) if key in keys and value is not None else value

    assert spoken == as_strings(plain) != plain
    assert scene.get("/action/last-executed-id") == str(scene.exchange.state.action_id)


def test_the_schema_and_the_description_are_served(scene: Scene) -> None:
    schema = answer(scene.exchange, "/schema.proto", {})
    assert (schema.status, schema.content_type) == (200, "text/plain")
    assert b"message PlaceOrder {" in schema.body
    described = scene.get("/openapi.json")
    assert set(described["paths"]) == set(PATHS)
    assert all(each["get"]["summary"] for each in described["paths"].values())
    assert described["paths"]["/order/{order_id}"]["get"]["parameters"][0]["name"] == "order_id"


def test_engine_time_is_a_bare_integer(scene: Scene) -> None:
    assert answer(scene.exchange, "/timestamp", {}).body == str(START_S).encode()
    assert scene.exchange.state.now_ns == START_S * NS
