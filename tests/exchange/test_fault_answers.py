"""Every knob of GET answers and of the reference does what the table says it does."""

import asyncio
import gzip
import json
import math
import time
from typing import Any

import aiohttp
import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.faults.table import KNOBS
from tests.exchange.served import LOT_PRICE, Check, Served, Trader, checked
from tests.exchange.test_fault_actions import ACTION_CHECKS
from tests.exchange.test_fault_streams import STREAM_CHECKS

Json = Any


async def _raw(venue: Served, path: str) -> tuple[int, dict[str, str], bytes]:
    url = venue.url + path
    async with venue.http.get(url, allow_redirects=False, auto_decompress=False) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, headers, await answer.read()


async def _too_many(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "rest.429", "retry_after": 7, "kind": "info", "next_n": 1})
    assert await venue.get("/timestamp")
    status, headers, _ = await _raw(venue, "/info")
    assert (status, headers["retry-after"]) == (429, "7")
    assert await venue.get("/info")


async def _trouble(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "rest.5xx", "status": 502})
    status, headers, body = await _raw(venue, "/info")
    assert (status, headers["content-type"][:9]) == (502, "text/html")
    assert body.startswith(b"<html>")


async def _stale(venue: Served, trader: Trader) -> None:
    path = f"/account/{trader.account}"
    await venue.set({"knob": "rest.stale_ms", "ms": 1000, "kind": "account"})
    assert (await venue.get(path))["orders"] == []
    await trader.posted()
    await venue.step(980)
    assert (await venue.get(path))["orders"] == []
    await venue.step(20)
    assert len((await venue.get(path))["orders"]) == 1


async def _trades(venue: Served, trader: Trader) -> list[int]:
    other = await Trader(venue, 2).open()
    await trader.posted(size=100)
    for _ in range(5):
        await other.send(other.place(size=1, side=pb.ASK, fill_mode=2))
    return [item["tradeId"] for item in (await venue.get("/trades"))["items"]]


async def _short_page(venue: Served, trader: Trader) -> None:
    ids = await _trades(venue, trader)
    await venue.set({"knob": "rest.partial_page", "n": 2})
    page = await venue.get("/trades?pageSize=4")
    assert [item["tradeId"] for item in page["items"]] == ids[:2]
    assert page.get("nextStartInclusive") is None


async def _loop(venue: Served, trader: Trader) -> None:
    await _trades(venue, trader)
    await venue.set({"knob": "rest.page_loop"})
    page = await venue.get("/trades?pageSize=2")
    again = await venue.get(f"/trades?pageSize=2&startInclusive={page['nextStartInclusive']}")
    assert again == page


async def _slowloris(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "http.slowloris", "ms": 5})
    start_s = time.monotonic()
    _, _, body = await _raw(venue, "/timestamp")
    # Nine pauses of 5 ms, each of which the loop may end a millisecond early.
    assert time.monotonic() - start_s >= 9 * 0.004
    assert body == b"1800000000"


async def _bomb(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "http.bomb", "bytes": 5_000_000})
    _, headers, body = await _raw(venue, "/info")
    assert headers["content-encoding"] == "gzip"
    assert len(body) < 50_000
    assert gzip.decompress(body) == b" " * 5_000_000


async def _redirect(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "http.redirect", "to": "http://127.0.0.1:1/", "status": 307})
    status, headers, _ = await _raw(venue, "/info")
    assert (status, headers["location"]) == (307, "http://127.0.0.1:1/")


async def _limit(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "rl.limit", "places_s": 2, "cancels_s": 1, "rest_min": 3})
    assert [(await trader.post(trader.place()))[0] for _ in range(3)] == [200, 200, 429]
    assert [(await trader.post(trader.cancel(1)))[0] for _ in range(2)] == [200, 429]
    assert [(await _raw(venue, "/info"))[0] for _ in range(4)] == [200, 200, 200, 429]
    await venue.step(1000)
    assert (await trader.post(trader.place()))[0] == 200
    assert (await _raw(venue, "/info"))[0] == 429
    await venue.step(19_000)
    assert (await _raw(venue, "/info"))[0] == 200
    await venue.set({"knob": "rl.limit", "places_s": 2, "count_by": "leg"})
    await venue.step(5000)
    assert (await trader.post(trader.atomic(LOT_PRICE, LOT_PRICE)))[0] == 200
    assert (await trader.post(trader.atomic(LOT_PRICE)))[0] == 429


async def _ban(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "rl.ban", "for_ms": 1000})
    status, headers, _ = await _raw(venue, "/info")
    assert status == 429
    assert int(headers["retry-after"]) > 0
    assert (await trader.post(trader.place()))[0] == 429
    await venue.step(1000)
    assert (await trader.post(trader.place()))[0] == 200


async def _markets(venue: Served, fault: Json) -> list[Json]:
    await venue.set(fault)
    return list((await venue.get("/info"))["markets"])


async def _mutate(venue: Served, _trader: Trader) -> None:
    async def after(what: str) -> list[Json]:
        return await _markets(venue, {"knob": "info.mutate", "what": what, "market_id": 1})

    assert [each["priceDecimals"] for each in await after("price_decimals")] == [1, 3, 3]
    assert [each["sizeDecimals"] for each in await after("size_decimals")] == [5, 5, 3]
    assert [each["marketId"] for each in await after("order")] == [2, 1, 0]
    symbols = [each["symbol"] for each in await after("symbol")]
    assert symbols == ["BTCUSD", "XETHUSD", "SOLUSD"]


async def _similar(venue: Served, _trader: Trader) -> None:
    markets = await _markets(venue, {"knob": "info.similar_symbol"})
    assert [each["symbol"] for each in markets] == ["BTCFIUSD", "BTCUSD", "ETHUSD", "SOLUSD"]
    assert [each["marketId"] for each in markets] == [3, 0, 1, 2]


async def _delist(venue: Served, _trader: Trader) -> None:
    markets = await _markets(venue, {"knob": "info.delist", "market_id": 1})
    assert [each["symbol"] for each in markets] == ["BTCUSD", "SOLUSD"]
    # Another list that is called info, of which it says nothing.
    assert await venue.get("/fee/brackets/info")


async def _drift(venue: Served, trader: Trader) -> None:
    before = await venue.get("/info")
    await venue.set({"knob": "proto.drift", "what": "add"})
    added = await venue.get("/info")
    assert added.items() > before.items()
    await venue.set({"knob": "proto.drift", "what": "rename"})
    assert set(await venue.get("/info")) == {"marketsV2", "tokens"}
    await venue.set({"knob": "proto.drift", "what": "new_error"})
    receipt = await trader.send(trader.place())
    assert receipt.WhichOneof("kind") == "err"
    assert receipt.err not in pb.Error.values()


async def _shape(venue: Served, trader: Trader) -> None:
    order = await trader.posted()
    await venue.set({"knob": "proto.shape", "ids_as_strings": True, "flat_live": True,
                     "object_levels": True})  # fmt: skip
    account = await venue.get(f"/account/{trader.account}")
    assert account["orders"][0]["orderId"] == str(order)
    assert "perpetuals" not in (await venue.get("/markets/live"))["markets"][0]
    async with venue.listening("deltas@BTCUSD") as socket:
        await trader.posted(LOT_PRICE - 1)
        told = (await socket.receive_json())["delta"]["bids"]
        assert told == [{"price": 59_999.9, "size": 0.0001}]


async def _price(socket: aiohttp.ClientWebSocketResponse) -> tuple[float, int]:
    told = json.loads((await asyncio.wait_for(socket.receive(), 5)).data)
    return float(told["b"]), told["T"]


async def _spike(venue: Served, _trader: Trader) -> None:
    async with _reference(venue) as socket:
        assert (await _price(socket))[0] == 60_000
        await venue.set({"knob": "ref.spike", "factor": 10, "next_n": 1})
        await venue.step(1000)
        assert [(await _price(socket))[0] for _ in "ab"] == [600_000, 60_000]


def _reference(venue: Served) -> Any:
    return venue.http.ws_connect(f"{venue.ws}/reference/ws/btcusdt@bookTicker")


async def _scale(venue: Served, _trader: Trader) -> None:
    await _becomes(venue, {"knob": "ref.scale", "factor": 1000}, 60_000_000)


async def _jump(venue: Served, _trader: Trader) -> None:
    await _becomes(venue, {"knob": "ref.jump", "bps": -100}, 59_400)


async def _becomes(venue: Served, fault: Json, price: float) -> None:
    async with _reference(venue) as socket:
        await _price(socket)
        await venue.set({**fault, "for_ms": 600})
        await venue.step(2000)
        told = [(await _price(socket))[0] for _ in range(4)]
        assert (told[0], told[-1]) == (price, 60_000)


async def _nan(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "ref.nan", "next_n": 1})
    async with _reference(venue) as socket:
        assert math.isnan((await _price(socket))[0])


async def _silent(venue: Served, _trader: Trader) -> None:
    async with _reference(venue) as socket:
        _, first_ms = await _price(socket)
        await venue.set({"knob": "ref.silence", "market": "BTCUSD", "for_ms": 3000})
        await venue.step(4000)
        _, next_ms = await _price(socket)
        assert next_ms - first_ms >= 3000


async def _lag(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "ref.lag", "ms": 700})
    async with _reference(venue) as socket:
        _, first_ms = await _price(socket)
        await venue.post("/_ctl/index", {"market": 0, "price": 61_000})
        await venue.step(680)
        await venue.post("/_ctl/index", {"market": 0, "price": 62_000})
        await venue.step(20)
        price, then_ms = await _price(socket)
        assert (price, then_ms) == (61_000, first_ms)


ANSWER_CHECKS: dict[str, Check] = {
    "rest.429": _too_many,
    "rest.5xx": _trouble,
    "rest.stale_ms": _stale,
    "rest.partial_page": _short_page,
    "rest.page_loop": _loop,
    "http.slowloris": _slowloris,
    "http.bomb": _bomb,
    "http.redirect": _redirect,
    "rl.limit": _limit,
    "rl.ban": _ban,
    "info.mutate": _mutate,
    "info.similar_symbol": _similar,
    "info.delist": _delist,
    "proto.drift": _drift,
    "proto.shape": _shape,
    "ref.silence": _silent,
    "ref.spike": _spike,
    "ref.scale": _scale,
    "ref.nan": _nan,
    "ref.jump": _jump,
    "ref.lag": _lag,
}


@pytest.mark.parametrize("knob", ANSWER_CHECKS)
def test_the_knob_does_what_it_says(knob: str) -> None:
    checked(ANSWER_CHECKS[knob])


def test_every_knob_is_held_to_its_word() -> None:
    thin = {"eng.thin_book"}  # beside a market of its own, in test_fault_actions
    assert {*ACTION_CHECKS, *STREAM_CHECKS, *ANSWER_CHECKS, *thin} == set(KNOBS)
