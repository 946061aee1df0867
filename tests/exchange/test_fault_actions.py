"""Every knob of actions and of the engine does what the table says it does."""

import asyncio
from decimal import Decimal

import aiohttp
import pytest

from mmbot.adapters.sim.flow import MarketType
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.market import Market
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.running.flows import Flows, Quiet, SyntheticFlow
from tests.exchange.served import (
    LOT_PRICE,
    START_S,
    Check,
    Served,
    Setup,
    Trader,
    checked,
    error_of,
    run,
    served,
    until,
)

IOC = pb.IMMEDIATE_OR_CANCEL


async def _lost_request(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "act.drop_req", "kind": "place", "next_n": 1})
    body = trader.place()
    with pytest.raises(aiohttp.ClientError):
        await trader.post(body)
    assert not trader.orders()
    assert error_of(await trader.send(body)) is None


async def _lost_reply(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "act.drop_resp", "account": trader.account, "next_n": 1})
    body = trader.place()
    with pytest.raises(aiohttp.ClientError):
        await trader.post(body)
    assert len(trader.orders()) == 1
    assert error_of(await trader.send(body)) == pb.DUPLICATE


async def _slow(venue: Served, trader: Trader) -> None:
    for side, executed in (("before", 0), ("after", 1)):
        await venue.set({"knob": "act.slow", "ms": 1000, "side": side})
        before = len(trader.orders())
        sent = asyncio.create_task(trader.send(trader.place(LOT_PRICE - executed)))
        await until(lambda: venue.server.floor.operation.pace.is_awaited)  # type: ignore[attr-defined]
        assert len(trader.orders()) - before == executed
        await venue.step(960)
        assert not sent.done()
        await venue.step(60)
        await sent
        assert len(trader.orders()) - before == 1


async def _twice(venue: Served, trader: Trader) -> None:
    await venue.set(
        {"knob": "act.dup", "delay_ms": 2000, "next_n": 1}, {"knob": "eng.dup_window", "s": 1}
    )
    await trader.send(trader.place())
    assert len(trader.orders()) == 1
    await venue.step(2100)
    assert len(trader.orders()) == 2


async def _out_of_turn(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "act.reorder", "next_n": 1})
    first = asyncio.create_task(trader.posted(LOT_PRICE))
    await until(lambda: venue.server.floor.operation.pace.is_awaited)  # type: ignore[attr-defined]
    second = await trader.posted(LOT_PRICE - 1)
    assert await first > second


async def _status(venue: Served, trader: Trader) -> None:
    for executed in (True, False):
        await venue.set({"knob": "act.http_status", "status": 503, "executed": executed})
        before = len(trader.orders())
        assert (await trader.post(trader.place()))[0] == 503
        assert len(trader.orders()) - before == executed


async def _body(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "act.body", "hex": "0badcafe"})
    assert await trader.post(trader.place()) == (200, bytes.fromhex("0badcafe"))
    assert len(trader.orders()) == 1


async def _truncated(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "act.truncate", "n": 3})
    status, reply = await trader.post(trader.place())
    assert status == 200
    assert len(reply) == 3
    assert len(trader.orders()) == 1


async def _mutated(venue: Served, trader: Trader) -> None:
    field = "trade_or_place.posted.order_id"
    await venue.set({"knob": "act.receipt_mutate", "field": field, "value": 424_242})
    assert await trader.posted() == 424_242
    assert 424_242 not in trader.orders()


async def _reset(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "act.reset_after", "n": 20})
    body = trader.place()
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.address.port)
    head = b"POST /action HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
    writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    got = b""
    try:
        while part := await reader.read(100):
            got += part
    except ConnectionResetError:
        pass
    writer.close()
    assert len(got) <= 20
    assert got == b"HTTP/1.1 200 OK\r\nCon"[: len(got)]
    assert len(trader.orders()) == 1


async def _ahead(venue: Served, trader: Trader) -> None:
    for seconds in (30, -30):
        await venue.set({"knob": "eng.clock_offset", "s": seconds})
        await venue.step(20)
        assert await venue.get("/timestamp") == START_S + seconds
        assert error_of(await trader.send(trader.place())) is None
    await venue.set()
    await venue.step(20)
    assert await venue.get("/timestamp") == START_S


async def _stalled(venue: Served, _trader: Trader) -> None:
    await venue.set({"knob": "eng.clock_stall", "for_ms": 5000})
    await venue.step(4900)
    assert await venue.get("/timestamp") == START_S
    await venue.step(200)
    assert await venue.get("/timestamp") == START_S + 5


async def _jumped(venue: Served, _trader: Trader) -> None:
    for seconds, now_s in ((100, START_S + 100), (-160, START_S - 60)):
        await venue.set({"knob": "eng.clock_jump", "s": seconds})
        await venue.step(20)
        assert await venue.get("/timestamp") == now_s


async def _timestamps(venue: Served, trader: Trader) -> None:
    trader.behind_s = 10
    assert error_of(await trader.send(trader.place())) is None
    await venue.set({"knob": "eng.ts_window", "s": 5})
    assert error_of(await trader.send(trader.place())) == pb.TIMESTAMP_OUT_OF_THRESHOLD
    await venue.set({"knob": "eng.stale_window", "s": 5})
    assert error_of(await trader.send(trader.place())) == pb.TIMESTAMP_STALE


async def _forgets(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "eng.dup_window", "s": 1})
    body = trader.place()
    assert error_of(await trader.send(body)) is None
    assert error_of(await trader.send(body)) == pb.DUPLICATE
    await venue.step(3000)
    assert error_of(await trader.send(body)) is None


async def _remembers(venue: Served, trader: Trader) -> None:
    for on, second in ((False, pb.ORDER_NOT_FOUND), (True, pb.DUPLICATE)):
        await venue.set({"knob": "eng.remember_failed", "on": on})
        body = trader.cancel(999_999)
        assert error_of(await trader.send(body)) == pb.ORDER_NOT_FOUND
        assert error_of(await trader.send(body)) == second


async def _refused(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "eng.err_next", "code": 224, "kind": "place_order"})
    assert error_of(await trader.send(trader.cancel(1))) == pb.ORDER_NOT_FOUND
    assert error_of(await trader.send(trader.place())) == pb.RISK
    assert error_of(await trader.send(trader.place())) is None
    await venue.set({"knob": "eng.err_next", "code": 224})
    await venue.set()
    assert error_of(await trader.send(trader.place())) is None


async def _maintenance(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "eng.maintenance", "for_ms": 1000})
    assert error_of(await trader.send(trader.place())) == pb.MAINTENANCE
    await venue.step(1020)
    assert error_of(await trader.send(trader.place())) is None


async def _frozen(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "eng.market_frozen", "market": "ETHUSD"})
    there = trader.place(300_000, market_id=1)
    assert error_of(await trader.send(there)) == pb.MARKET_FROZEN
    assert error_of(await trader.send(trader.place())) is None


async def _few_orders(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "eng.max_open_orders", "n": 1})
    assert error_of(await trader.send(trader.place())) is None
    assert error_of(await trader.send(trader.place())) == pb.TOO_MANY_OPEN_ORDERS


async def _few_parts(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "eng.max_atomic", "n": 1})
    assert error_of(await trader.send(trader.atomic(LOT_PRICE))) is None
    assert error_of(await trader.send(trader.atomic(LOT_PRICE, LOT_PRICE))) == pb.ATOMICS


async def _cancelled_for_margin(venue: Served, trader: Trader) -> None:
    other = await Trader(venue, 2).open()
    await trader.posted()
    await other.posted()
    await venue.set({"knob": "eng.cancel_on_margin", "account": trader.account})
    assert not trader.orders()
    assert len(other.orders()) == 1


async def _bought(venue: Served, trader: Trader, lots: int = 10) -> Trader:
    """Let the trader buy from another, who then bids again."""
    other = await Trader(venue, 2).open()
    await other.posted(size=lots, side=pb.ASK)
    await trader.send(trader.place(size=lots, fill_mode=IOC))
    assert trader.lots() == lots
    await other.posted(LOT_PRICE - 100, 5 * lots)
    return other


async def _liquidated(venue: Served, trader: Trader) -> None:
    other = await _bought(venue, trader)
    await venue.set({"knob": "eng.liquidate", "account": trader.account})
    assert (trader.lots(), other.lots()) == (0, 0)


async def _part_filled(venue: Served, trader: Trader) -> None:
    order = await trader.posted()
    await venue.set({"knob": "eng.partial_fill", "frac": 0.5})
    assert (trader.orders()[order].lots, trader.lots()) == (5, 5)


async def _filled_first(venue: Served, trader: Trader) -> None:
    order = await trader.posted()
    await venue.set({"knob": "eng.fill_before_cancel"})
    assert error_of(await trader.send(trader.cancel(order))) == pb.ORDER_NOT_FOUND
    assert trader.lots() == 10


async def _own_orders(venue: Served, trader: Trader) -> None:
    for rule, left in (("cancel_resting", 1), ("allow", 0)):
        await venue.set({"knob": "eng.self_trade", "rule": rule})
        await trader.posted()
        await trader.send(trader.place(side=pb.ASK))
        assert len(trader.orders()) == left
        for order in list(trader.orders()):
            await trader.send(trader.cancel(order))


async def _one_session(venue: Served, trader: Trader) -> None:
    await venue.set({"knob": "eng.session_cap", "n": 1})
    await trader.log_in()
    assert error_of(await trader.send(trader.place())) == pb.SESSION_NOT_FOUND


async def _expired(venue: Served, trader: Trader) -> None:
    await trader.posted()
    await venue.set({"knob": "eng.session_expire", "session": trader.session})
    assert error_of(await trader.send(trader.place())) == pb.SESSION_NOT_FOUND
    assert len(trader.orders()) == 1


async def _orders_die_with_session(venue: Served, trader: Trader) -> None:
    await trader.posted()
    await venue.set({"knob": "eng.resting_survive_session", "on": False})
    await venue.post("/_ctl/faults", {"knob": "eng.session_expire", "account": trader.account})
    assert not trader.orders()


async def _revoked(venue: Served, trader: Trader) -> None:
    await trader.posted()
    await venue.set({"knob": "eng.revoke_cancels_orders"})
    assert error_of(await trader.send(trader.revoke())) is None
    assert not trader.orders()


async def _reduce(venue: Served, trader: Trader) -> None:
    await _bought(venue, trader)
    close = {"side": pb.ASK, "fill_mode": IOC, "is_reduce_only": True}
    await venue.set({"knob": "eng.reduce_rule", "rule": "post_only"})
    refused = await trader.send(trader.place(LOT_PRICE - 100, 10, **close))
    assert error_of(refused) == pb.ORDER_REDUCE_IS_POST_ONLY
    await venue.set()
    assert error_of(await trader.send(trader.place(LOT_PRICE - 100, 10, **close))) is None
    assert trader.lots() == 0


ACTION_CHECKS: dict[str, Check] = {
    "act.drop_req": _lost_request,
    "act.drop_resp": _lost_reply,
    "act.slow": _slow,
    "act.dup": _twice,
    "act.reorder": _out_of_turn,
    "act.http_status": _status,
    "act.body": _body,
    "act.truncate": _truncated,
    "act.receipt_mutate": _mutated,
    "act.reset_after": _reset,
    "eng.clock_offset": _ahead,
    "eng.clock_stall": _stalled,
    "eng.clock_jump": _jumped,
    "eng.ts_window": _timestamps,
    "eng.stale_window": _timestamps,
    "eng.dup_window": _forgets,
    "eng.remember_failed": _remembers,
    "eng.err_next": _refused,
    "eng.maintenance": _maintenance,
    "eng.market_frozen": _frozen,
    "eng.max_open_orders": _few_orders,
    "eng.max_atomic": _few_parts,
    "eng.cancel_on_margin": _cancelled_for_margin,
    "eng.liquidate": _liquidated,
    "eng.partial_fill": _part_filled,
    "eng.fill_before_cancel": _filled_first,
    "eng.self_trade": _own_orders,
    "eng.session_cap": _one_session,
    "eng.session_expire": _expired,
    "eng.resting_survive_session": _orders_die_with_session,
    "eng.revoke_cancels_orders": _revoked,
    "eng.reduce_rule": _reduce,
}


@pytest.mark.parametrize("knob", ACTION_CHECKS)
def test_the_knob_does_what_it_says(knob: str) -> None:
    checked(ACTION_CHECKS[knob])


def _normal_market(exchange: Exchange) -> Flows:
    market = Market("BTCUSD", Decimal("0.1"), Decimal("0.00001"))
    flow = SyntheticFlow(
        exchange.clobs[0], market, MarketType.NORMAL, 5, START_S * 10**9, 600_000.0
    )
    return Flows([flow, Quiet(None), Quiet(None)])


def test_a_thin_book_shows_its_share() -> None:
    async def size(share: float | None) -> float:
        async with served(Setup(background=_normal_market)) as venue:
            if share is not None:
                await venue.set({"knob": "eng.thin_book", "frac": share})
            await venue.step(1000)
            book = await venue.get("/market/0/orderbook")
            total: float = book["bidsSummary"]["sum"] + book["asksSummary"]["sum"]
            return total

    async def work() -> None:
        assert await size(0.1) == pytest.approx(await size(None) / 10, rel=0.25)

    run(work)
