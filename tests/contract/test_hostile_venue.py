"""A venue that sends garbage: documented outcomes, bounded memory, and in step again afterwards."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random

import pytest
import uvloop

from mmbot.adapters.zo.rest.own_trades import own_trades
from mmbot.adapters.zo.streams.book_sight import BookParams
from mmbot.adapters.zo.wire.outcomes import Accepted, Unknown
from mmbot.domain.order import FillMode, Side
from mmbot.errors import VenueError
from tests.contract.desk import Desk
from tests.contract.process import Json, Running, running

STEP_MS = 1_000
MOST_GROWN_KB = 60_000
HUGE = 50 * 1024 * 1024
# What spoils a stream so that it shows: the books must be given up and built anew.
BROKEN: list[Json] = [
    *({"knob": "md.malformed", "id": number} for number in range(16)),
    *(
        {"knob": "md.bad_value", "value": value}
        for value in ("-1", "1e400", "NaN", "0.1234567890123", "1e-300", "99999999999999999999")
    ),
    {"knob": "md.bad_value", "value": "null"},
    {"knob": "ws.big_frame", "bytes": HUGE},
]
# What must not do any harm at all.
HARMLESS: list[Json] = [
    {"knob": "ws.fragment", "n": 1},
    {"knob": "proto.drift", "what": "add"},
    {"knob": "md.burst", "rate": 10},
]
# What takes away REST while the streams have to be built anew from it.
READS: list[Json] = [
    {"knob": "http.bomb", "bytes": HUGE},
    {"knob": "http.redirect", "to": "http://127.0.0.1:1/"},
    {"knob": "http.slowloris", "ms": 500},
    {"knob": "rest.429", "retry_after": 0},
    {"knob": "rest.5xx"},
    {"knob": "net.loss"},
]
ANSWERS: list[Json] = [
    {"knob": "act.body", "hex": ""},
    {"knob": "act.body", "hex": "ff" * 200},
    {"knob": "act.body", "hex": "00" * 200_000},
    {"knob": "act.truncate", "n": 3},
    {"knob": "act.reset_after", "n": 60},
    {"knob": "act.http_status", "status": 502, "executed": True},
    {"knob": "act.http_status", "status": 302, "executed": True},
    {"knob": "act.receipt_mutate", "field": "trade_or_place.posted.account_id", "value": 77},
    {"knob": "act.receipt_mutate", "field": "trade_or_place.posted.size", "value": 11},
    {"knob": "act.receipt_mutate", "field": "trade_or_place.posted.price", "value": 1},
]


def _resident_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def _name(fault: Json) -> str:
    return " ".join(str(value)[:12] for value in fault.values())


async def _with_desk(venue: Running) -> Desk:
    desk = Desk(venue.url, 81, BookParams(verify_ms=500))
    await desk.open()
    await venue.step(STEP_MS)
    await desk.caught_up()
    return desk


def _run(work: Callable[[], Coroutine[None, None, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(work(), 120))


def test_a_stream_of_garbage_is_noticed_and_got_over() -> None:
    async def work() -> None:
        async with running("--flow", "normal", "--seed", "4") as venue:
            desk = await _with_desk(venue)
            try:
                before_kb = _resident_kb()
                for fault in BROKEN:
                    gaps = sum(sync.health().gaps for sync in desk.books.syncs)
                    await venue.faults({**fault, "next_n": 3})
                    await venue.step(STEP_MS)
                    await _noticed(desk, gaps, fault)
                    assert _resident_kb() - before_kb < MOST_GROWN_KB, fault
                    await venue.faults()
                    await venue.step(STEP_MS)
                    await desk.in_step()
                    await desk.caught_up()
            finally:
                await desk.close()

    _run(work)


async def _noticed(desk: Desk, gaps: int, fault: Json) -> None:
    for _ in range(2_000):
        if sum(sync.health().gaps for sync in desk.books.syncs) > gaps:
            return
        await asyncio.sleep(0.002)
    raise AssertionError(f"nobody noticed {fault}")


def test_what_is_odd_but_right_breaks_nothing() -> None:
    async def work() -> None:
        async with running("--flow", "normal", "--seed", "4") as venue:
            desk = await _with_desk(venue)
            try:
                for fault in HARMLESS:
                    await venue.faults(fault)
                    gaps = [sync.health().gaps for sync in desk.books.syncs]
                    await venue.step(STEP_MS)
                    await desk.caught_up()
                    assert gaps == [sync.health().gaps for sync in desk.books.syncs], fault
            finally:
                await desk.close()

    _run(work)


def test_without_rest_the_books_wait_and_say_so() -> None:
    async def work() -> None:
        async with running("--flow", "normal", "--seed", "4") as venue:
            desk = await _with_desk(venue)
            try:
                before_kb = _resident_kb()
                for fault in READS:
                    await venue.faults(fault, {"knob": "ws.rst"})
                    with pytest.raises(VenueError):
                        await desk.http.orderbook(desk.books.markets[0].listing)
                    await asyncio.sleep(0.1)
                    assert not any(sync.synced for sync in desk.books.syncs), fault
                    assert not desk.feed.sync.synced, fault
                    assert _resident_kb() - before_kb < MOST_GROWN_KB, fault
                    await venue.faults()
                    await venue.step(STEP_MS)
                    await desk.in_step()
                    await desk.caught_up()
            finally:
                await desk.close()

    _run(work)


@pytest.mark.parametrize("fault", ANSWERS, ids=_name)
def test_an_answer_that_is_none_leaves_the_outcome_unknown(fault: Json) -> None:
    async def work() -> None:
        async with running("--flow", "none") as venue:
            desk = Desk(venue.url, 82)
            await desk.open()
            try:
                person, rng = desk.person, Random(1)
                await venue.faults({**fault, "next_n": 1})
                ticks = 500_000 + rng.randrange(100)
                outcome = await person.place(
                    Side.BID, ticks, 10, FillMode.POST_ONLY, client_order_id=3
                )
                assert isinstance(outcome, Unknown)
                # The account tells what became of it, and the stream does.
                await desk.caught_up()
                (found,) = (await person.account()).orders
                assert (found.client_order_id, found.ticks, found.lots) == (3, ticks, 10)
                assert isinstance(await person.cancel_named(3), Accepted)
                assert await own_trades(desk.http, person.account_id, person.catalog, 0) == []
            finally:
                await desk.close()

    _run(work)
