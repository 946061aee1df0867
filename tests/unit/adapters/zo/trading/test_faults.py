"""The live venue while the exchange misbehaves: what is told in the end is what is true."""

from random import Random
from typing import Any

import pytest

from mmbot.domain.actions import Cancel
from mmbot.domain.events import OrderUpdate, VenueSnapshot
from mmbot.domain.order import DONE, FillMode, OrderState, Side
from tests.unit.adapters.zo.trading.scene import PARAMS, PRICE, Desk, play, taken

FAULTS: list[dict[str, Any]] = [
    {"knob": "act.drop_resp", "p": 0.2},
    {"knob": "act.drop_req", "p": 0.2},
    {"knob": "act.slow", "p": 0.2, "ms": 700, "side": "before"},
    {"knob": "act.slow", "p": 0.2, "ms": 2500, "side": "before"},
    {"knob": "act.slow", "p": 0.2, "ms": 700, "side": "after"},
    {"knob": "act.reorder", "p": 0.2, "window_ms": 400},
    {"knob": "act.dup", "p": 0.3, "delay_ms": 300},
    {"knob": "act.http_status", "p": 0.2, "status": 502, "executed": True},
    {"knob": "act.http_status", "p": 0.2, "status": 502, "executed": False},
    {"knob": "act.body", "p": 0.2, "hex": "00ff"},
    {"knob": "act.truncate", "p": 0.2},
    {"knob": "act.receipt_mutate", "p": 0.2, "field": "action_id", "value": 0},
    {"knob": "act.reset_after", "p": 0.2},
    {"knob": "eng.fill_before_cancel", "p": 0.3},
    {"knob": "eng.partial_fill", "every_n": 5},
    {"knob": "acct.dup", "p": 0.3},
    {"knob": "acct.reorder", "p": 0.2},
    {"knob": "acct.delay", "p": 0.3, "ms": 300},
    {"knob": "acct.coalesce", "p": 0.3},
    {"knob": "acct.drop_fill", "p": 0.3},
    {"knob": "ws.rst", "every_n": 15},
]


class Quoter:
    """Orders on one side at most two at a time, as an engine would send them."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.dice = Random(seed)
        self.sent: list[int] = []

    def state(self, order_id: int) -> OrderState:
        states = self.desk.states(order_id)
        return states[-1] if states else OrderState.SENT

    def alive(self) -> list[int]:
        return [each for each in self.sent if self.state(each) not in DONE]

    def act(self) -> None:
        alive = self.alive()
        opened = [each for each in alive if self.state(each) is OrderState.OPEN]
        if opened and self.dice.random() < 0.6:
            order = self.desk.order(ticks=PRICE - self.dice.randrange(20))
            self.sent.append(order.order_id)
            self.desk.submit(Cancel(0, self.dice.choice(opened)), order)
        elif alive and self.dice.random() < 0.3:
            self.desk.cancel(self.dice.choice(alive))
        elif len(alive) < 2:
            self.sent.append(self.desk.place(ticks=PRICE - self.dice.randrange(20)))


async def agree(desk: Desk, quoter: Quoter) -> None:
    """Wait until what was told is what is true: orders and position."""

    def holds() -> bool:
        told = sorted(quoter.alive())
        return told == sorted(desk.orders()) and desk.position() == desk.owner.lots()

    try:
        await desk.until(holds, 40.0)
    except TimeoutError:
        told = {each: desk.states(each) for each in quoter.alive()}
        truth = (sorted(desk.orders()), desk.owner.lots())
        raise AssertionError(f"{told} {desk.position()} is not {truth}") from None


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(map(str, fault.values())))
def test_what_is_told_in_the_end_is_true(fault: dict[str, Any]) -> None:
    async def work(desk: Desk) -> None:
        quoter = Quoter(desk, 3)
        await desk.control(fault)
        for _ in range(40):
            quoter.act()
            if quoter.dice.random() < 0.3:
                lots = quoter.dice.randint(1, 8)
                await desk.sneak(Side.ASK, lots, PRICE - 30)
            await desk.pause(0.1)
        await desk.control()
        await agree(desk, quoter)
        for order_id in quoter.alive():
            desk.cancel(order_id)
        await desk.until(lambda: not desk.orders())
        left = await desk.venue.cancel_all(30.0)
        assert left.clean
        assert desk.orders() == {}
        await agree(desk, quoter)

    play(work)


def test_a_lost_answer_is_unknown_until_the_same_bytes_prove_it() -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "act.drop_resp", "next_n": 2})
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        assert len(desk.orders()) == 1

    play(work)


def test_a_lost_request_is_sent_again_while_it_is_wanted() -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "act.drop_req", "next_n": 2})
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        assert list(desk.orders()) == [order_id]

    play(work)


def test_what_never_arrived_is_proven_dead_by_the_engines_time() -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "act.drop_req", "for_ms": 60_000})
        order_id = desk.place()
        desk.cancel(order_id)
        await desk.told(order_id, OrderState.UNKNOWN)
        sent_s = desk.served.exchange.state.now_s
        await desk.told(order_id, OrderState.EXPIRED)
        assert desk.served.exchange.state.now_s - sent_s >= 4
        assert desk.orders() == {}

    play(work)


def test_a_late_landing_of_what_is_not_wanted_is_cancelled() -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "act.slow", "next_n": 1, "ms": 3_000, "side": "before"})
        order_id = desk.place()
        await desk.pause(0.2)
        desk.cancel(order_id)
        await desk.until(lambda: desk.states(order_id)[-1:] == [OrderState.CANCELLED])
        assert desk.orders() == {}

    play(work)


def test_one_dead_order_does_not_keep_a_batch_of_cancels() -> None:
    async def work(desk: Desk) -> None:
        placed = [desk.place(ticks=PRICE - at) for at in range(4)]
        for order_id in placed:
            await desk.told(order_id, OrderState.OPEN)
        await desk.sneak(Side.ASK, 10, PRICE)
        desk.submit(*[Cancel(0, order_id) for order_id in placed])
        await desk.until(lambda: not desk.orders())
        for order_id in placed:
            await desk.until(lambda order_id=order_id: desk.states(order_id)[-1] in DONE)  # type: ignore[misc]
        ends = [desk.states(order_id)[-1] for order_id in placed]
        assert ends.count(OrderState.FILLED) == 1
        assert ends.count(OrderState.CANCELLED) == 3

    play(work)


def test_maintenance_ends_with_cancels_of_everything() -> None:
    async def work(desk: Desk) -> None:
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        await desk.control({"knob": "eng.maintenance"})
        late = desk.place(ticks=PRICE - 5)
        await desk.told(late, OrderState.UNKNOWN)
        assert "maintenance" in desk.hindered()
        await desk.control()
        await desk.told(order_id, OrderState.CANCELLED)
        await desk.until(lambda: "maintenance" not in desk.hindered())
        await desk.until(lambda: desk.states(late)[-1] in DONE)
        assert desk.orders() == {}

    play(work)


def test_a_limit_is_honoured_and_over_in_time() -> None:
    async def work(desk: Desk) -> None:
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        await desk.control({"knob": "act.http_status", "status": 429, "executed": False})
        desk.cancel(order_id)
        await desk.until(lambda: "rate_limited" in desk.hindered())
        refused = desk.place(ticks=PRICE - 5)
        assert desk.states(refused) == [OrderState.REJECTED]
        await desk.control()
        await desk.told(order_id, OrderState.CANCELLED)
        await desk.until(lambda: "rate_limited" not in desk.hindered())

    play(work)


def test_a_session_that_is_over_hinders_for_good() -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "eng.session_expire", "next_n": 1})
        order_id = desk.place()
        await desk.until(lambda: desk.states(order_id) == [OrderState.REJECTED])
        assert "session" in desk.hindered()

    play(work)


def test_a_frozen_market_hinders_itself_and_comes_back() -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "eng.market_frozen"})
        await desk.until(lambda: "market_frozen" in desk.hindered())
        await desk.control()
        await desk.until(lambda: "market_frozen" not in desk.hindered())

    play(work)


def test_an_engine_clock_that_stands_still_hinders() -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "eng.clock_stall"})
        await desk.until(lambda: "engine_clock" in desk.hindered())
        order_id = desk.place()
        assert desk.states(order_id) == [OrderState.REJECTED]
        await desk.control()
        await desk.until(lambda: "engine_clock" not in desk.hindered())

    play(work)


def test_an_engine_clock_that_cannot_be_read_hinders_places_and_no_cancels() -> None:
    async def work(desk: Desk) -> None:
        resting = desk.place()
        await desk.told(resting, OrderState.OPEN)
        await desk.control({"knob": "rest.5xx", "kind": "timestamp"})
        began_ns = desk.clock()
        await desk.until(lambda: "engine_clock" in desk.hindered())
        # Three seconds after the last reading, which was up to half a second before, and not later
        # than a busy machine looks.
        assert 2_000_000_000 < desk.clock() - began_ns < 15_000_000_000
        assert desk.states(desk.place()) == [OrderState.REJECTED]
        desk.cancel(resting)
        await desk.told(resting, OrderState.CANCELLED)
        assert "engine_clock" in desk.hindered()
        await desk.control()
        await desk.until(lambda: "engine_clock" not in desk.hindered())

    play(work)


def test_no_answers_hinder_until_there_is_one() -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "act.http_status", "status": 502, "executed": False})
        for at in range(3):
            desk.place(ticks=PRICE - at)
        await desk.until(lambda: "action_path" in desk.hindered())
        await desk.control()
        await desk.until(lambda: "action_path" not in desk.hindered())

    play(work)


def test_money_that_comes_in_is_a_transfer() -> None:
    async def work(desk: Desk) -> None:
        await desk.pause(4.0)
        await desk.served.post("/_ctl/fund", {"account": desk.owner.account, "usd": 250})
        await desk.until(lambda: desk.transfers() == [250_000_000])
        await desk.pause(8.0)
        assert desk.transfers() == [250_000_000]

    play(work)


def test_trading_profit_is_no_transfer() -> None:
    async def work(desk: Desk) -> None:
        for side in (Side.BID, Side.ASK) * 3:
            order_id = desk.place(side, PRICE + 50 * side)
            await desk.told(order_id, OrderState.OPEN)
            await taken(desk, Side(-side), 10, PRICE + 50 * side)
            await desk.told(order_id, OrderState.FILLED)
        await desk.pause(10.0)
        assert desk.transfers() == []

    play(work)


def test_an_order_cancelled_by_the_venue_is_told_unsolicited() -> None:
    async def work(desk: Desk) -> None:
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        await desk.control({"knob": "eng.cancel_on_margin", "next_n": 1})
        await desk.told(order_id, OrderState.CANCELLED)
        assert desk.reasons(order_id)[-1] == "unsolicited"

    play(work)


def test_snapshots_have_orders_of_strangers() -> None:
    async def work(desk: Desk) -> None:
        number = await desk.owner.posted(PRICE - 70, 3)

        def seen() -> bool:
            snapshots = [event for event in desk.events if isinstance(event, VenueSnapshot)]
            return any(order.venue_id == number for order in snapshots[-1].orders)

        await desk.until(seen)
        assert not any(isinstance(event, OrderUpdate) for event in desk.events)

    play(work)


def test_an_order_of_an_older_run_keeps_recovering() -> None:
    async def work(desk: Desk) -> None:
        stale = 7 << 45 | 2 << 32 | 9
        await desk.owner.posted(PRICE - 70, 3, client_order_id=stale)
        await desk.until(lambda: desk.snapshot_has(stale))
        desk.cancel(stale)
        await desk.told(stale, OrderState.CANCELLED)
        assert desk.orders() == {}

    play(work)


def test_an_immediate_order_with_a_lost_answer_is_joined_by_what_the_stream_tells() -> None:
    async def work(desk: Desk) -> None:
        await desk.other.posted(PRICE, 7)
        await desk.control({"knob": "act.drop_resp", "for_ms": 9_000})
        order_id = desk.place(Side.ASK, PRICE, 7, mode=FillMode.IOC)
        await desk.until(lambda: desk.states(order_id)[-1:] == [OrderState.FILLED])
        (fill,) = desk.fills().values()
        assert fill.order_id == order_id

    play(work)


def test_what_is_not_there_is_asked_for_ever_more_rarely() -> None:
    """Four orders that never landed used to take the minute's requests from all markets."""

    async def work(desk: Desk) -> None:
        await desk.control({"knob": "act.drop_req", "kind": "place", "p": 1.0})
        orders = [desk.place(ticks=PRICE - number) for number in range(4)]
        await desk.pause(0.2)
        for order_id in orders:
            desk.cancel(order_id)
        before = desk.venue.figures.rejected
        await desk.pause(4.5)
        # At once, then half a second, half a second, 0.7 s and 1.5 s later; one more where the
        # machine is slow. Every half second would be nine.
        assert 4 <= desk.venue.figures.rejected - before <= 4 * 6
        assert desk.orders() == {}

    play(work)


async def long(desk: Desk, lots: int) -> None:
    """Have these bought of a bid for 30 at PRICE, and offered again."""
    desk.place(lots=30)
    await desk.until(lambda: len(desk.orders()) == 1)
    await desk.sneak(Side.ASK, lots, PRICE)
    desk.place(Side.ASK, PRICE + 9, lots=lots)
    resting = 1 if lots == 30 else 2
    await desk.until(lambda: len(desk.orders()) == resting and desk.position() == lots)


async def unheard(desk: Desk, late_ms: int, side: Side, lots: int, ticks: int) -> None:
    """Have an execution that the stream does not tell, and a list of trades that is behind."""
    late = {"knob": "rest.stale_ms", "kind": "trades", "ms": late_ms}
    await desk.control(late)
    # The next answers are those that are repeated.
    await desk.pause(2 * PARAMS.audit_ms / 1000)
    await desk.served.set(late, {"knob": "acct.drop_fill", "next_n": 1})
    await desk.sneak(side, lots, ticks)
    await desk.until(lambda: "account" in desk.hindered())


def test_a_list_of_trades_that_is_far_behind_is_waited_for() -> None:
    async def work(desk: Desk) -> None:
        await long(desk, 30)
        await unheard(desk, 12_000, Side.BID, 20, PRICE + 9)
        await desk.ready()
        assert desk.position() == desk.owner.lots() == 10
        assert desk.restated() == []

    play(work)


@pytest.mark.parametrize(("side", "gone"), [(Side.BID, True), (Side.ASK, False)])
def test_what_no_trade_explains_is_taken_as_it_is_and_counted_once(side: Side, gone: bool) -> None:
    async def work(desk: Desk) -> None:
        await long(desk, 20)
        await unheard(desk, 60_000, side, 10, PRICE + 9 if gone else PRICE)
        await desk.until(lambda: bool(desk.restated()))
        assert desk.position() == desk.owner.lots() == (10 if gone else 30)
        assert ("liquidated" in desk.hindered()) is gone
        await desk.control()
        listed = len(desk.trades)
        await desk.until(lambda: len(desk.trades) > listed)
        await desk.pause(1.0)
        assert desk.position() == desk.owner.lots()

    play(work)
