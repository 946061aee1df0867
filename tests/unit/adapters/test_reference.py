import asyncio
import json
from collections.abc import Awaitable, Callable
from random import Random

import pytest
import uvloop
from websockets.asyncio.server import ServerConnection

from mmbot.adapters.reference import (
    ReferenceFeed,
    ReferenceMarket,
    ReferenceParams,
    reference_url,
)
from mmbot.adapters.web.backoff import BackoffParams
from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.web.connection import ConnectionParams
from mmbot.domain.events import ReferencePrice
from tests.fakes.socket_server import SocketServer, socket_server

FAST = BackoffParams(first_s=0.001, most_s=0.01, attempts=10**9)
MARKETS = [ReferenceMarket(3, "ETHUSDT", 100.0), ReferenceMarket(4, "1000PEPEUSDT", 1e6)]


def ticker(symbol: str, update_id: int, bid: float, ask: float) -> str:
    quote = {"e": "bookTicker", "u": update_id, "s": symbol, "T": 1_700_000_000_000}
    quote |= {"b": str(bid), "B": "1", "a": str(ask), "A": "1"}
    return json.dumps({"stream": f"{symbol.lower()}@bookTicker", "data": quote})


def test_one_symbol_has_an_address_and_several_share_one() -> None:
    hosts = ("fstream.binance.com",)
    base = "wss://fstream.binance.com"
    assert reference_url(base, hosts, ["BTCUSDT"]) == f"{base}/ws/btcusdt@bookTicker"
    assert (
        reference_url(base, hosts, ["BTCUSDT", "1000PEPEUSDT"])
        == f"{base}/stream?streams=btcusdt@bookTicker/1000pepeusdt@bookTicker"
    )
    local = reference_url("ws://127.0.0.1:5000/reference/", (), ["BTCUSDT"])
    assert local == "ws://127.0.0.1:5000/reference/ws/btcusdt@bookTicker"


@pytest.mark.parametrize(
    ("base", "symbols"),
    [
        ("ws://fstream.binance.com", ["BTCUSDT"]),
        ("wss://elsewhere.example", ["BTCUSDT"]),
        ("wss://user:key@fstream.binance.com", ["BTCUSDT"]),
        ("wss://fstream.binance.com/a?b", ["BTCUSDT"]),
        ("wss://fstream.binance.com/../x", ["BTCUSDT"]),
        ("https://fstream.binance.com", ["BTCUSDT"]),
        ("wss://fstream.binance.com", []),
        ("wss://fstream.binance.com", ["BTC/USDT"]),
    ],
)
def test_other_places_are_refused(base: str, symbols: list[str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        reference_url(base, ("fstream.binance.com",), symbols)


Doing = Callable[[SocketServer, list[ReferencePrice], ReferenceFeed], Awaitable[None]]


def play(
    script: Callable[[ServerConnection], Awaitable[None]], doing: Doing, **params: float
) -> list[ReferencePrice]:
    async def run() -> list[ReferencePrice]:
        told: list[ReferencePrice] = []
        async with socket_server(script) as server:
            url = reference_url(server.url, (), [each.symbol for each in MARKETS])
            settings = ReferenceParams(
                stale_ms=100,
                dead_s=params.get("dead_s", 30.0),
                connection=ConnectionParams(backoff=FAST, silent_s=params.get("silent_s", 10.0)),
            )
            feed = ReferenceFeed(url, MARKETS, told.append, settings, steady_clock(), Random(1))
            async with asyncio.TaskGroup() as group:
                task = group.create_task(feed.run())
                await doing(server, told, feed)
                task.cancel()
        return told

    return uvloop.run(run())


def test_prices_in_our_ticks_of_exactly_our_symbols() -> None:
    async def script(peer: ServerConnection) -> None:
        for number in range(1, 7):
            await peer.send(ticker("ETHUSDT", number, 2500.0, 2500.5))
            await peer.send(ticker("ETHFIUSDT", number, 1.0, 1.1))
            await peer.send(ticker("1000PEPEUSDT", number, 0.0101, 0.0103))
        # Poison, an old quote, and a subscription's answer.
        await peer.send(ticker("ETHUSDT", 20, 0, 2500.5))
        await peer.send(ticker("ETHUSDT", 21, 2_500_000.0, 2_500_000.5))
        await peer.send(ticker("ETHUSDT", 3, 2400.0, 2400.5))
        await peer.send('{"result":null,"id":1}')
        await peer.send(ticker("ETHUSDT", 22, 2501.0, 2501.5))
        await peer.wait_closed()

    async def doing(server: SocketServer, told: list[ReferencePrice], feed: ReferenceFeed) -> None:
        assert not feed.fresh("ETHUSDT")
        await server.until(lambda: bool(told) and told[-1].mid_ticks == 250125.0)
        assert feed.fresh("ETHUSDT")
        assert feed.rejected("ETHUSDT") == 1
        await asyncio.sleep(0.15)
        assert not feed.fresh("ETHUSDT")

    told = play(script, doing)
    assert [each.mid_ticks for each in told if each.market == 3] == [250025.0, 250025.0, 250125.0]
    assert [each.mid_ticks for each in told if each.market == 4] == pytest.approx([10200.0] * 2)
    assert {each.ts_venue_ns for each in told} == {1_700_000_000_000_000_000}


def test_silence_of_all_and_of_one_makes_a_new_connection() -> None:
    async def quiet(peer: ServerConnection) -> None:
        await peer.wait_closed()

    async def half(peer: ServerConnection) -> None:
        for number in range(500):
            await peer.send(ticker("ETHUSDT", number, 2500.0, 2500.5))
            await asyncio.sleep(0.01)

    async def doing(server: SocketServer, told: list[ReferencePrice], feed: ReferenceFeed) -> None:
        await server.until(lambda: feed.connection.generation > 1)
        assert len({each.market for each in told}) < 2

    play(quiet, doing, silent_s=0.05)
    play(half, doing, dead_s=0.5)


def test_two_markets_cannot_have_one_symbol() -> None:
    with pytest.raises(ValueError, match="same outside symbol"):
        ReferenceFeed(
            "ws://127.0.0.1:1/",
            [MARKETS[0], MARKETS[0]],
            print,
            ReferenceParams(),
            steady_clock(),
            Random(1),
        )
