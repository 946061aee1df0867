"""Every knob of streams and connections does what the table says it does."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse as Socket
from aiohttp import WSMsgType

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from tests.exchange.served import LOT_PRICE, Check, Served, Trader, checked, until

BOOK = "deltas@BTCUSD"
Json = Any


async def _next(socket: Socket) -> Json:
    return await asyncio.wait_for(socket.receive_json(), 5)


async def _delta(socket: Socket) -> Json:
    return (await _next(socket))["delta"]


async def _change(socket: Socket) -> Json:
    return (await _next(socket))["account"]


async def _silent(socket: Socket) -> None:
    """Tell that nothing is on its way: a ping overtakes nothing."""
    await socket.ping(b"done?")
    message = await asyncio.wait_for(socket.receive(), 5)
    assert message.type is WSMsgType.PONG, message


async def _drop(venue: Served, trader: Trader) -> None:
    async with venue.listening(BOOK) as socket:
        await trader.posted()
        first = await _delta(socket)
        await venue.set({"knob": "md.drop", "market": "BTCUSD", "next_n": 1})
        await trader.posted(LOT_PRICE - 1)
        await trader.posted(LOT_PRICE - 2)
        second = await _delta(socket)
        assert second["bids"][0][0] == 59_999.8
        assert second["last_update_id"] > first["update_id"]


async def _dup(venue: Served, trader: Trader) -> None:
    await _copies(venue, trader, {"knob": "md.dup", "n": 2}, 3)


async def _burst(venue: Served, trader: Trader) -> None:
    await _copies(venue, trader, {"knob": "md.burst", "rate": 50}, 51)


async def _copies(venue: Served, trader: Trader, fault: Json, count: int) -> None:
    await venue.set({**fault, "next_n": 1})
    async with venue.listening(BOOK) as socket:
        await trader.posted()
        told = [await _delta(socket) for _ in range(count)]
        assert all(each == told[0] for each in told)
        await _silent(socket)


async def _reorder(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "md.reorder", "next_n": 1})
    async with venue.listening(BOOK) as socket:
        await trader.posted()
        await _silent(socket)
        await trader.posted(LOT_PRICE - 1)
        later, earlier = await _delta(socket), await _delta(socket)
        assert later["last_update_id"] == earlier["update_id"]


async def _delay(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "md.delay", "ms": 500, "kind": "deltas"})
    async with venue.listening(BOOK) as socket:
        await trader.posted()
        await venue.step(480)
        await _silent(socket)
        await venue.step(20)
        assert (await _delta(socket))["bids"]


async def _silence(venue: Served, trader: Trader) -> None:
    async with venue.listening(BOOK) as socket:
        await venue.set({"knob": "md.silence", "market": "BTCUSD"})
        await trader.posted()
        await _silent(socket)
        await venue.set({"knob": "md.silence", "keep_pong": False})
        await socket.ping(b"lost")
        await venue.set()
        await _silent(socket)


async def _cross(venue: Served, trader: Trader) -> None:
    await _near(venue, trader, "md.cross", 60_010.1)


async def _lock(venue: Served, trader: Trader) -> None:
    await _near(venue, trader, "md.lock", 60_010.0)


async def _near(venue: Served, trader: Trader, knob: str, price: float) -> None:
    await trader.posted(LOT_PRICE + 100, side=pb.ASK)
    await venue.set({"knob": knob, "next_n": 1})
    async with venue.listening(BOOK) as socket:
        await trader.posted()
        assert [level[0] for level in (await _delta(socket))["bids"]] == [60_000.0, price]
    assert (await venue.get("/market/0/orderbook"))["bids"] == [[60_000.0, 0.0001]]


async def _empty_side(venue: Served, trader: Trader) -> None:
    await trader.posted(LOT_PRICE - 5)
    await venue.set({"knob": "md.empty_side", "side": "bids", "next_n": 1})
    async with venue.listening(BOOK) as socket:
        await trader.posted()
        assert (await _delta(socket))["bids"] == [[60_000.0, 0.0], [59_999.5, 0.0]]


async def _sweep(venue: Served, trader: Trader) -> None:
    for side, away in ((pb.BID, -1), (pb.ASK, 1)):
        for number in (1, 2):
            await trader.posted(LOT_PRICE + 10 * away * number, side=side)
    await venue.set({"knob": "md.sweep", "levels": 1, "next_n": 1})
    async with venue.listening(BOOK) as socket:
        await trader.posted(LOT_PRICE - 100)
        told = await _delta(socket)
        assert (told["bids"], told["asks"]) == ([[59_999.0, 0.0]], [[60_001.0, 0.0]])


async def _spoof(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "md.spoof", "factor": 10, "next_n": 1})
    async with venue.listening(BOOK) as socket:
        await trader.posted()
        assert (await _delta(socket))["bids"] == [[600_000.0, 0.0001]]


async def _bad_value(venue: Served, trader: Trader) -> None:
    async with venue.listening(BOOK) as socket:
        for number, value in enumerate(("-1", "1e400", "NaN", "null", '"1"')):
            await venue.set({"knob": "md.bad_value", "value": value, "next_n": 1})
            await trader.posted(LOT_PRICE - number)
            assert f'"bids":[[{value},' in (await socket.receive()).data


async def _malformed(venue: Served, trader: Trader) -> None:
    async with venue.listening(BOOK) as socket:
        await venue.set({"knob": "md.malformed", "id": 1, "next_n": 1})
        await trader.posted()
        assert (await socket.receive()).data == "{"


async def _interleave(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "md.interleave", "next_n": 1})
    async with venue.listening(BOOK) as socket:
        await trader.posted()
        assert (await _delta(socket))["market_symbol"] == "ETHUSD"


async def _snapshot_lag(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "md.snapshot_lag", "n": 2})
    async with venue.listening(BOOK) as socket:
        for number in range(5):
            await trader.posted(LOT_PRICE - number)
        ids = [(await _delta(socket))["update_id"] for _ in range(5)]
        book = await venue.get("/market/0/orderbook")
        assert book["updateId"] == ids[2]
        assert len(book["bids"]) == 3


async def _snapshot_ahead(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "md.snapshot_ahead", "n": 2})
    async with venue.listening(BOOK) as socket:
        for number in range(3):
            await trader.posted(LOT_PRICE - number)
        assert (await _delta(socket))["bids"][0][0] == 60_000.0
        await _silent(socket)
        assert len((await venue.get("/market/0/orderbook"))["bids"]) == 3


async def _no_fills(venue: Served, trader: Trader) -> None:
    other = await Trader(venue, 2).open()
    await trader.posted()
    await venue.set({"knob": "acct.drop_fill", "account": trader.account})
    async with venue.listening(f"account@{trader.account}") as socket:
        await other.send(other.place(side=pb.ASK, fill_mode=pb.IMMEDIATE_OR_CANCEL))
        assert (await _change(socket))["fills"] == {}
        assert trader.lots() == 10


async def _acct_dup(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "acct.dup", "n": 1, "next_n": 1})
    async with venue.listening(f"account@{trader.account}") as socket:
        await trader.posted()
        assert await _change(socket) == await _change(socket)
        await _silent(socket)


async def _acct_delay(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "acct.delay", "ms": 300})
    async with venue.listening(f"account@{trader.account}") as socket:
        await trader.posted()
        await _silent(socket)
        await venue.step(300)
        assert (await _change(socket))["places"]


async def _acct_reorder(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "acct.reorder", "next_n": 1})
    async with venue.listening(f"account@{trader.account}") as socket:
        orders = [await trader.posted(), await trader.posted()]
        told = [next(iter((await _change(socket))["places"])) for _ in range(2)]
        assert told == [str(orders[1]), str(orders[0])]


async def _coalesce(venue: Served, trader: Trader) -> None:
    other = await Trader(venue, 2).open()
    order = await trader.posted()
    async with venue.listening(f"account@{trader.account}") as socket:
        await venue.set({"knob": "acct.coalesce", "next_n": 1})
        for lots in (3, 4):
            await other.send(other.place(size=lots, side=pb.ASK, fill_mode=2))
        told = await _change(socket)
        fill = told["fills"][str(order)]
        assert (fill["quantity"], fill["remaining"]) == (pytest.approx(7e-5), 3e-5)
        assert told["update_id"] == venue.exchange.state.accounts[trader.account].update_id
        await _silent(socket)


async def _replay(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "acct.replay", "n": 2})
    for number in range(3):
        await trader.posted(LOT_PRICE - number)
    async with venue.listening(f"account@{trader.account}") as socket:
        prices = [next(iter((await _change(socket))["places"].values()))["price"] for _ in "ab"]
        assert prices == [59_999.9, 59_999.8]
        await _silent(socket)


async def _gap(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "acct.gap_on_subscribe", "ms": 500})
    async with venue.listening(f"account@{trader.account}", BOOK) as socket:
        await trader.posted()
        assert "delta" in await _next(socket)
        await _silent(socket)
        await venue.step(500)
        order = await trader.posted(LOT_PRICE - 1)
        told = [await _next(socket), await _next(socket)]
        assert str(order) in told[1]["account"]["places"]


async def _foreign_order(venue: Served, trader: Trader) -> None:
    async with venue.listening(f"account@{trader.account}") as socket:
        fault = {"knob": "acct.foreign_order", "account": trader.account, "offset_bps": 100}
        await venue.set({**fault, "lots": 7})
        ((number, order),) = trader.orders().items()
        assert (order.ticks, order.lots, order.client_order_id) == (594_000, 7, None)
        assert list((await _change(socket))["places"]) == [str(number)]


async def _foreign_epoch(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "acct.foreign_epoch", "side": "ask", "client_order_id": 99})
    (order,) = trader.orders().values()
    assert (order.client_order_id, order.side, order.ticks) == (99, -1, 603_000)


async def _transfer(venue: Served, trader: Trader) -> None:
    async with venue.listening(f"account@{trader.account}") as socket:
        await venue.set({"knob": "acct.transfer", "usd": 250})
        assert (await _change(socket))["balances"] == {"0": 10_250}


async def _close(venue: Served, _trader: Trader) -> None:
    async with venue.listening(BOOK) as socket, venue.listening("trades@ETHUSD") as other:
        await venue.set({"knob": "ws.close", "code": 1012, "market": "BTCUSD"})
        await socket.receive()
        assert socket.close_code == 1012
        await _silent(other)


async def _rst(venue: Served, _trader: Trader) -> None:
    async with venue.listening(BOOK) as socket:
        await venue.set({"knob": "ws.rst"})
        assert (await socket.receive()).type in (WSMsgType.CLOSED, WSMsgType.ERROR)
        assert socket.close_code in (None, 1006)


async def _half_open(venue: Served, trader: Trader) -> None:
    async with venue.listening(BOOK) as socket:
        await venue.set({"knob": "ws.half_open", "for_ms": 1000})
        await trader.posted()
        await socket.ping(b"lost")
        await venue.step(1020)
        assert not socket.closed
        await trader.posted(LOT_PRICE - 1)
        assert (await _delta(socket))["bids"][0][0] == 59_999.9


async def _no_pong(venue: Served, trader: Trader) -> None:
    async with venue.listening(BOOK) as socket:
        await venue.set({"knob": "ws.no_pong"})
        await socket.ping(b"lost")
        await trader.posted()
        await _delta(socket)
        await venue.set()
        await _silent(socket)


async def _refuse(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "ws.refuse", "for_ms": 20})
    with pytest.raises(aiohttp.ClientError):
        await venue.http.ws_connect(f"{venue.ws}/ws/{BOOK}")
    await venue.step(20)
    async with venue.listening(BOOK) as socket:
        await _silent(socket)


async def _handshake(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "ws.handshake_status", "status": 429})
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await venue.http.ws_connect(f"{venue.ws}/ws/{BOOK}")
    assert refused.value.status == 429


async def _max_conn(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "ws.max_conn", "n": 1})
    async with venue.listening(BOOK):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await venue.http.ws_connect(f"{venue.ws}/ws/{BOOK}")
    await until(lambda: len(venue.server.floor.hub) == 0)
    async with venue.listening(BOOK) as socket:
        await _silent(socket)


async def _big_frame(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "ws.big_frame", "bytes": 300_000, "next_n": 1})
    async with venue.listening(BOOK) as socket:
        await trader.posted()
        assert len((await socket.receive()).data) == 300_000
        await _delta(socket)


async def _slow_reader(venue: Served, trader: Trader) -> None:
    async with venue.listening(BOOK) as slow, venue.listening(BOOK) as other:
        await venue.set({"knob": "ws.slow_reader", "bytes_per_s": 200})
        for number in range(5):
            await trader.posted(LOT_PRICE - number)
        await _delta(slow)
        behind = [each.unsent for each in venue.server.floor.hub]
        assert sum(behind) > 500
        assert other.closed is False


async def _fragment(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "ws.fragment", "n": 5})
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.address.port)
    writer.write(
        b"GET /ws/deltas@BTCUSD HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    await trader.posted()
    first, text = await reader.readexactly(2), b""
    assert first == b"\x01\x05"
    size, last = 5, False
    while True:
        text += await reader.readexactly(size)
        if last:
            break
        head = await reader.readexactly(2)
        assert head[0] in (0x00, 0x80)
        last, size = head[0] == 0x80, head[1]
    assert "delta" in json.loads(text)
    writer.close()


async def _net_loss(venue: Served, trader: Trader) -> None:
    async with venue.listening(BOOK) as socket:
        await venue.set({"knob": "net.loss", "kind": "deltas", "next_n": 1})
        await trader.posted()
        assert (await socket.receive()).type in (WSMsgType.CLOSED, WSMsgType.ERROR)
    await venue.set({"knob": "net.loss", "kind": "action", "next_n": 1})
    with pytest.raises(aiohttp.ClientError):
        await trader.post(trader.place())


async def _partition(venue: Served, trader: Trader) -> None:
    async with venue.listening(BOOK) as socket:
        await venue.set({"knob": "net.partition", "part": "rest"})
        with pytest.raises(aiohttp.ClientError):
            await venue.get("/timestamp")
        with pytest.raises(aiohttp.ClientError):
            await trader.post(trader.place())
        await _silent(socket)
        await venue.set({"knob": "net.partition", "part": "ws"})
        assert (await socket.receive()).type in (WSMsgType.CLOSED, WSMsgType.ERROR)
        with pytest.raises(aiohttp.ClientError):
            await venue.http.ws_connect(f"{venue.ws}/ws/{BOOK}")
        assert await venue.get("/timestamp")


async def _blackhole(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "net.blackhole", "part": "rest", "for_ms": 1000})
    asked = asyncio.create_task(venue.get("/timestamp"))
    acted = asyncio.create_task(trader.post(trader.place()))
    await venue.step(980)
    assert not asked.done()
    assert not acted.done()
    assert not trader.orders()
    await venue.step(40)
    assert await asked
    assert (await acted)[0] == 200


async def _rtt(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "net.rtt", "ms": 100})
    await _takes(venue, trader, 100)


async def _jitter(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "net.jitter", "ms": 400})
    asked = [asyncio.create_task(trader.post(trader.place())) for _ in range(8)]
    await until(lambda: venue.server.floor.operation.pace.is_awaited)  # type: ignore[attr-defined]
    done = []
    for _ in range(25):
        await venue.step(20)
        await asyncio.sleep(0.001)
        done.append(sum(each.done() for each in asked))
    assert done[-1] == 8
    assert len(set(done)) > 3
    await asyncio.gather(*asked)


async def _takes(venue: Served, trader: Trader, ms: int) -> None:
    acted = asyncio.create_task(trader.post(trader.place()))
    await until(lambda: venue.server.floor.operation.pace.is_awaited)  # type: ignore[attr-defined]
    await venue.step(ms - 20)
    assert len(trader.orders()) == 1
    assert not acted.done()
    await venue.step(40)
    assert (await acted)[0] == 200


STREAM_CHECKS: dict[str, Check] = {
    "md.drop": _drop,
    "md.dup": _dup,
    "md.reorder": _reorder,
    "md.delay": _delay,
    "md.silence": _silence,
    "md.burst": _burst,
    "md.cross": _cross,
    "md.lock": _lock,
    "md.empty_side": _empty_side,
    "md.sweep": _sweep,
    "md.spoof": _spoof,
    "md.bad_value": _bad_value,
    "md.malformed": _malformed,
    "md.interleave": _interleave,
    "md.snapshot_lag": _snapshot_lag,
    "md.snapshot_ahead": _snapshot_ahead,
    "acct.drop_fill": _no_fills,
    "acct.dup": _acct_dup,
    "acct.delay": _acct_delay,
    "acct.reorder": _acct_reorder,
    "acct.coalesce": _coalesce,
    "acct.replay": _replay,
    "acct.gap_on_subscribe": _gap,
    "acct.foreign_order": _foreign_order,
    "acct.foreign_epoch": _foreign_epoch,
    "acct.transfer": _transfer,
    "ws.close": _close,
    "ws.rst": _rst,
    "ws.half_open": _half_open,
    "ws.no_pong": _no_pong,
    "ws.refuse": _refuse,
    "ws.handshake_status": _handshake,
    "ws.max_conn": _max_conn,
    "ws.big_frame": _big_frame,
    "ws.slow_reader": _slow_reader,
    "ws.fragment": _fragment,
    "net.rtt": _rtt,
    "net.jitter": _jitter,
    "net.loss": _net_loss,
    "net.partition": _partition,
    "net.blackhole": _blackhole,
}


@pytest.mark.parametrize("knob", STREAM_CHECKS)
def test_the_knob_does_what_it_says(knob: str) -> None:
    checked(STREAM_CHECKS[knob])
