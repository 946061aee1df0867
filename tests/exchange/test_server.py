"""The server through real sockets: routes, statuses, streams, and the truth behind them."""

import asyncio
from itertools import pairwise

import aiohttp
import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.running.framing import frame
from tests.exchange.served import LOT_PRICE, START_S, Served, Setup, Trader, run, served, until


def test_a_trader_gets_an_account_a_session_and_an_order() -> None:
    async def work() -> None:
        async with served() as venue:
            trader = await Trader(venue).open()
            posted = (await trader.send(trader.place(client_order_id=77))).trade_or_place.posted
            assert (posted.price, posted.size) == (LOT_PRICE, 10)
            account = await venue.get(f"/account/{trader.account}")
            assert [order["clientOrderId"] for order in account["orders"]] == [77]
            book = await venue.get("/market/0/orderbook")
            assert book["bids"] == [[60000.0, 0.0001]]
            truth = await venue.get("/_ctl/truth")
            orders = truth["accounts"][str(trader.account)]["orders"]
            assert [order["client_order_id"] for order in orders.values()] == [77]

    run(work)


def test_time_stands_still_until_it_is_stepped() -> None:
    async def work() -> None:
        async with served() as venue:
            assert await venue.get("/timestamp") == START_S
            await venue.step(2500)
            assert await venue.get("/timestamp") == START_S + 2
            await venue.step(500)
            assert await venue.get("/timestamp") == START_S + 3

    run(work)


def test_two_steps_at_once_are_refused() -> None:
    async def work() -> None:
        async with served() as venue:
            url = f"{venue.url}/_ctl/step"
            steps = [venue.http.post(url, json={"ms": 60_000}) for _ in range(2)]
            answers = await asyncio.gather(*steps)
            assert sorted(answer.status for answer in answers) == [200, 400]
            assert await venue.get("/timestamp") == START_S + 60

    run(work)


def test_streams_tell_what_the_receipts_and_rest_tell() -> None:
    async def work() -> None:
        async with served() as venue:
            trader = await Trader(venue).open()
            streams = ("deltas@BTCUSD", "trades@BTCUSD", f"account@{trader.account}")
            async with venue.listening(*streams) as socket:
                other = await Trader(venue, 2).open()
                posted = (await trader.send(trader.place(size=10))).trade_or_place.posted
                taken = await other.send(other.place(size=4, side=pb.ASK, fill_mode=2))
                assert taken.trade_or_place.fills[0].size == 4
                told = [await socket.receive_json() for _ in range(5)]
            kinds = [next(iter(each)) for each in told]
            assert kinds == ["delta", "account", "delta", "trades", "account"]
            fill = told[4]["account"]["fills"][str(posted.order_id)]
            assert (fill["side"], fill["quantity"], fill["remaining"]) == ("bid", 4e-5, 6e-5)
            book = await venue.get("/market/0/orderbook")
            assert told[2]["delta"]["bids"] == book["bids"] == [[60000.0, 6e-5]]
            assert told[2]["delta"]["update_id"] == book["updateId"] == taken.action_id
            assert told[2]["delta"]["last_update_id"] == told[0]["delta"]["update_id"]
            trades = await venue.get("/trades?marketId=0")
            ids = [trade["trade_id"] for trade in told[3]["trades"]["trades"]]
            assert ids == [item["tradeId"] for item in trades["items"]]

    run(work)


def test_everybody_who_subscribed_gets_every_message_once_and_in_order() -> None:
    async def work() -> None:
        async with served() as venue:
            trader = await Trader(venue).open()
            sockets = [
                await venue.http.ws_connect(f"{venue.ws}/ws/{path}")
                for path in ["deltas@BTCUSD"] * 3 + ["deltas@BTCUSD&trades@ETHUSD"] * 2
            ]
            for number in range(50):
                await trader.send(trader.place(LOT_PRICE - number))
            for socket in sockets:
                told = [(await socket.receive_json())["delta"] for _ in range(50)]
                prices = [delta["bids"][0][0] for delta in told]
                assert prices == [60000.0 - number / 10 for number in range(50)]
                links = pairwise(told)
                assert all(b["last_update_id"] == a["update_id"] for a, b in links)

    run(work)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("deltas@NOPE", 404),
        ("nonsense", 400),
        ("deltas@BTCUSD:1", 400),
        ("candle@BTCUSD:7", 400),
        ("account@x", 400),
        ("account@-1", 400),
        ("account@99999999999", 400),
        ("&".join(["trades@BTCUSD"] * 13), 400),
        ("", 400),
    ],
)
def test_a_handshake_for_what_does_not_exist_is_refused(path: str, status: int) -> None:
    async def work() -> None:
        async with served() as venue:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await venue.http.ws_connect(f"{venue.ws}/ws/{path}")
            assert refused.value.status == status

    run(work)


def test_twelve_streams_fit_one_connection() -> None:
    async def work() -> None:
        async with served() as venue:
            symbols = ("BTCUSD", "ETHUSD", "SOLUSD")
            names = [f"{kind}@{symbol}" for kind in ("trades", "deltas") for symbol in symbols]
            names += [f"candle@BTCUSD:{each}" for each in (1, 5, 15, 30, 60)] + ["account@1"]
            assert len(names) == 12
            async with venue.listening(*names) as socket:
                trader = await Trader(venue).open()
                assert "account" in await socket.receive_json()
                await trader.send(trader.place())
                assert "delta" in await socket.receive_json()

    run(work)


@pytest.mark.parametrize("pongs", [True, False])
def test_pings_are_answered_unless_switched_off(pongs: bool) -> None:
    async def work() -> None:
        async with served(Setup(pongs=pongs)) as venue:
            trader = await Trader(venue).open()
            async with venue.listening("deltas@BTCUSD") as socket:
                await socket.ping(b"here?")
                await trader.send(trader.place())
                first = await socket.receive()
                if pongs:
                    assert (first.type, first.data) == (aiohttp.WSMsgType.PONG, b"here?")
                else:
                    assert first.type is aiohttp.WSMsgType.TEXT

    run(work)


def test_what_clients_say_is_ignored_and_a_close_is_answered() -> None:
    async def work() -> None:
        async with served() as venue:
            trader = await Trader(venue).open()
            async with venue.listening("deltas@BTCUSD") as socket:
                await socket.send_str('{"op":"subscribe"}')
                await socket.send_bytes(bytes(60_000))
                await trader.send(trader.place())
                assert "delta" in await socket.receive_json()
                assert await socket.close()
                assert socket.close_code == 1000
            await until(lambda: len(venue.server.floor.hub) == 0)

    run(work)


def test_connections_opened_and_dropped_leave_nothing_behind() -> None:
    async def drop(venue: Served, number: int) -> None:
        path = (b"/ws/deltas@BTCUSD", b"/timestamp", b"/reference/ws/btcusdt@bookTicker", b"/in")
        reader, writer = await asyncio.open_connection("127.0.0.1", venue.address.port)
        head = b"GET %s HTTP/1.1\r\nHost: x\r\n" % path[number % 4]
        upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        upgrade += b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        writer.write(head + (upgrade if number % 2 == 0 else b"") + b"\r\n" * (number % 3 > 0))
        if number % 5:
            await writer.drain()
        if number % 3 == 1:
            assert await reader.read(1)
        writer.transport.abort()

    async def work() -> None:
        async with served() as venue:
            for start in range(0, 600, 30):
                await asyncio.gather(*(drop(venue, number) for number in range(start, start + 30)))
            await until(lambda: venue.server.connections.open == 0)
            assert len(venue.server.floor.hub) == 0
            assert "deltas@BTCUSD" not in venue.server.floor.hub
            assert venue.server.connections.connections == []
            assert await venue.get("/timestamp") == START_S

    run(work)


def test_a_reader_who_does_not_read_is_cut_off_and_the_others_are_served() -> None:
    async def work() -> None:
        async with served() as venue:
            reader, writer = await asyncio.open_connection("127.0.0.1", venue.address.port)
            writer.write(
                b"GET /ws/deltas@BTCUSD HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            assert (await reader.readline()).startswith(b"HTTP/1.1 101")
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            async with venue.listening("deltas@BTCUSD") as good:
                await until(lambda: len(venue.server.floor.hub) == 2)
                hub = venue.server.floor.hub
                payload = b"x" * 60_000
                seen = 0
                while len(hub) == 2 and seen < 2000:
                    hub.publish("deltas@BTCUSD", frame(payload))
                    seen += 1
                    assert len((await good.receive()).data) == 60_000
                assert len(hub) == 1
                assert seen * 60_000 < 64 * 1024 * 1024
            writer.transport.abort()

    run(work)


def test_control_is_not_there_unless_it_is_asked_for() -> None:
    async def work() -> None:
        async with served(Setup(control=False)) as venue:
            for path in ("truth", "violations", "faults", "step", "nonsense"):
                async with venue.http.get(f"{venue.url}/_ctl/{path}") as answer:
                    assert answer.status == 404
                async with venue.http.post(f"{venue.url}/_ctl/{path}", json={}) as answer:
                    assert answer.status == 404

    run(work)


def test_the_reference_speaks_as_binance_does() -> None:
    async def work() -> None:
        async with served() as venue:
            names = "btcusdt@bookTicker/ethusdt@bookTicker"
            single = f"{venue.ws}/reference/ws/btcusdt@bookTicker"
            combined = f"{venue.ws}/reference/stream?streams={names}"
            async with (
                venue.http.ws_connect(single) as one,
                venue.http.ws_connect(combined) as two,
            ):
                told = await one.receive_json()
                assert set(told) == set("euETsbBaA")
                assert told["e"] == "bookTicker"
                assert told["s"] == "BTCUSDT"
                assert told["T"] == START_S * 1000
                assert (told["b"], told["a"]) == ("60000.0", "60000.1")
                assert isinstance(told["b"], str)
                both = [await two.receive_json() for _ in range(2)]
                assert [each["stream"] for each in both] == names.split("/")
                assert both[1]["data"]["s"] == "ETHUSDT"
                await venue.post("/_ctl/index", {"market": "BTCUSD", "price": 61_000.5})
                assert abs(float((await one.receive_json())["b"]) - 61_000.5) < 0.2
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await venue.http.ws_connect(f"{venue.ws}/reference/ws/nope@bookTicker")

    run(work)
