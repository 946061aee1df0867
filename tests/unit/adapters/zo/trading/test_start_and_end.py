"""The start after a run that was not clean, and an end that everything stands in the way of."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mmbot.adapters.zo.trading.params import Start
from mmbot.domain.events import Hindrance, VenueSnapshot
from mmbot.domain.order import OrderState
from mmbot.exchange.model import Order
from tests.unit.adapters.zo.trading.scene import (
    LIFETIME_S,
    PRICE,
    SPEED,
    Desk,
    FastLoop,
    desk,
    play,
)

STALE = tuple(7 << 45 | 2 << 32 | number for number in range(1, 6))
UNCLEAN = Start(previous_run_clean=False)


def from_the_start(work: Callable[[Desk], Awaitable[None]], **options: Any) -> None:
    """Run a test at a desk whose venue has not begun."""

    async def whole() -> None:
        async with asyncio.timeout(20 * SPEED), desk(**options) as found:
            await work(found)

    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(whole())


def cancels_strays(desk: Desk) -> Callable[[Any], None]:
    """Return an ear that cancels what an older run left, as the engine does."""
    known: set[int] = set()

    def hear(event: Any) -> None:
        desk.events.append(event)
        if isinstance(event, VenueSnapshot):
            for order in event.orders:
                if order.order_id in STALE and order.order_id not in known:
                    known.add(order.order_id)
                    desk.cancel(order.order_id)

    return hear


def begin(desk: Desk) -> None:
    """Let the venue run, with an ear that cancels strays."""
    desk._run = asyncio.get_running_loop().create_task(desk.venue.run(cancels_strays(desk)))


def test_orders_of_an_older_run_go_and_quoting_waits_for_its_last_bytes() -> None:
    async def work(desk: Desk) -> None:
        for number, stale in enumerate(STALE):
            await desk.owner.posted(PRICE - 70 - number, 3, client_order_id=stale)
        began_s = desk.served.exchange.state.now_s
        begin(desk)
        await desk.until(lambda: not desk.orders(), 5.0)
        assert "recovering" in desk.hindered()
        await desk.ready()
        assert desk.served.exchange.state.now_s - began_s >= LIFETIME_S

    from_the_start(work, start=UNCLEAN)


def test_what_an_older_run_sent_last_lands_before_anything_is_quoted() -> None:
    async def work(desk: Desk) -> None:
        begin(desk)
        await desk.until(lambda: any(isinstance(each, VenueSnapshot) for each in desk.events))
        await desk.pause(LIFETIME_S / 2)
        await desk.owner.posted(PRICE - 70, 3, client_order_id=STALE[0])
        assert "recovering" in desk.hindered()
        await desk.ready()
        assert desk.orders() == {}

    from_the_start(work, start=UNCLEAN)


def test_after_a_clean_run_nothing_is_waited_for() -> None:
    async def work(desk: Desk) -> None:
        begin(desk)
        began_s = desk.served.exchange.state.now_s
        await desk.ready()
        assert desk.served.exchange.state.now_s - began_s < LIFETIME_S

    from_the_start(work)


ENDS: list[dict[str, Any]] = [
    {"knob": "act.drop_resp", "p": 0.5},
    {"knob": "act.drop_req", "p": 0.5},
    {"knob": "act.slow", "p": 0.7, "ms": 1500, "side": "before"},
    {"knob": "act.slow", "p": 0.7, "ms": 1500, "side": "after"},
    {"knob": "act.http_status", "p": 0.6, "status": 503, "executed": False},
    {"knob": "act.http_status", "p": 0.6, "status": 502, "executed": True},
    {"knob": "rest.5xx", "p": 0.6},
    {"knob": "rest.429", "p": 0.4, "retry_after": 1},
    {"knob": "act.http_status", "status": 429, "executed": False, "for_ms": 2_000},
    {"knob": "eng.maintenance", "for_ms": 4_000},
    {"knob": "rl.ban", "for_ms": 3_000},
    {"knob": "eng.fill_before_cancel", "p": 0.5},
    {"knob": "acct.drop_fill", "p": 0.5},
]


async def resting(desk: Desk, ticks: int) -> None:
    """Have an order rest; a machine that stops for a moment makes places wait for the clock."""
    while True:
        order_id = desk.place(ticks=ticks)
        await desk.until(lambda sent=order_id: bool(desk.states(sent)))  # type: ignore[misc]
        if desk.states(order_id)[-1] is not OrderState.REJECTED:
            break
        await desk.pause(0.5)
    await desk.told(order_id, OrderState.OPEN)


def own(order: Order) -> bool:
    return order.client_order_id is not None


@pytest.mark.parametrize("fault", ENDS, ids=lambda fault: "-".join(map(str, fault.values())))
def test_the_end_leaves_nothing_whatever_stands_in_its_way(fault: dict[str, Any]) -> None:
    async def work(desk: Desk) -> None:
        for at in range(1, 7):
            await resting(desk, PRICE - 10 * at)
        await desk.control(fault)
        # A ban is over after a minute.
        left = await desk.venue.cancel_all(90.0)
        assert left.clean
        assert desk.orders() == {}
        await desk.control()
        await desk.pause(LIFETIME_S + 2.0)
        assert desk.orders() == {}

    play(work)


@pytest.mark.parametrize("stays_s", [1.0, 3.5])
def test_the_end_catches_a_place_that_lands_late(stays_s: float) -> None:
    async def work(desk: Desk) -> None:
        slow = {"knob": "act.slow", "next_n": 4, "ms": round(stays_s * 1000), "side": "before"}
        await desk.control(slow)
        late = desk.place()
        left = await desk.venue.cancel_all(60.0)
        assert left.clean
        await desk.control()
        await desk.pause(LIFETIME_S + 2.0)
        assert desk.orders() == {}
        assert desk.states(late)[-1] in (OrderState.CANCELLED, OrderState.EXPIRED)

    play(work)


def test_an_end_without_the_venue_says_that_it_proved_nothing() -> None:
    async def work(desk: Desk) -> None:
        await resting(desk, PRICE)
        await desk.control({"knob": "net.partition", "part": "both"})
        left = await desk.venue.cancel_all(5.0)
        assert not left.clean
        assert left.reason
        await desk.control()
        assert [own(order) for order in desk.orders().values()] == [True]

    play(work)


def test_hindrances_of_the_start_are_told_before_anything_else() -> None:
    async def work(desk: Desk) -> None:
        desk.begin()
        await desk.ready()
        names = [each.name for each in desk.events if isinstance(each, Hindrance)]
        assert names[0] == "recovering"
        assert isinstance(desk.events[0], Hindrance)

    from_the_start(work)
