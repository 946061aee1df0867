"""Flatten: everything off, then slices inside the band, until flat or five tries are over."""

import pytest

from mmbot.domain.actions import Place
from mmbot.domain.events import Command, Hindrance, VenueSnapshot
from mmbot.domain.notices import Severity
from mmbot.domain.order import FillMode, OrderState, Side
from mmbot.risk.rejects import REDUCE_IS_POST_ONLY
from tests.unit.engine.scene import MS, Bench, placed

BID, ASK = Side.BID, Side.ASK
CANCELLED, REJECTED = OrderState.CANCELLED, OrderState.REJECTED


def flattening(lots: int = 40) -> Bench:
    """A market that holds `lots` and has just been told to flatten, its quotes taken off."""
    bench = Bench()
    bench.start()
    bench.fill(1, BID if lots > 0 else ASK, abs(lots), 0, trade=900)
    bench.tell(Command.FLATTEN)
    assert placed(bench.wait()) == []
    for order_id in list(bench.desk.tracker.orders):
        bench.say(order_id, CANCELLED)
    bench.notices()
    return bench


def beat(bench: Bench, ms: int = 100) -> list[Place]:
    """Let time pass with a book and an account that are fresh."""
    actions = []
    for _ in range(ms // 100):
        actions += bench.book() + bench.account() + bench.wait()
    return [action for action in actions if isinstance(action, Place)]


@pytest.mark.parametrize(("lots", "side", "ticks"), [(40, ASK, 995), (-40, BID, 1006)])
def test_one_order_inside_the_band_closes_it(lots: int, side: Side, ticks: int) -> None:
    bench = flattening(lots)
    (order,) = beat(bench)
    # 50 bps of 999 ticks are 4.995, of 1001 they are 5.005.
    assert (order.side, order.ticks, order.lots) == (side, ticks, 40)
    assert (order.mode, order.reduce_only) == (FillMode.IOC, True)
    assert beat(bench, 1000) == []
    bench.fill(order.order_id, side, 40, 0, trade=2, ticks=ticks)
    assert beat(bench) == []
    assert bench.desk.position.lots == 0
    assert "flat" not in bench.codes()
    assert beat(bench, 1100) == []
    assert "flat" in bench.codes()
    assert beat(bench) == []
    assert bench.engine.stops.reason(0) == "flattened: because"


def test_an_operator_s_band_is_narrower_or_wider_this_once() -> None:
    for bps, ticks in ((20, 998), (100, 990)):
        bench = flattening()
        bench.tell(Command.FLATTEN, slippage_ppb=bps * 100_000)
        (order,) = beat(bench)
        # Of 999 ticks 20 bps are 1.998, 100 bps 9.99, rounded toward the best.
        assert order.ticks == ticks
        bench.tell(Command.FLATTEN)
        bench.say(order.order_id, CANCELLED)
        (again,) = beat(bench, 1_200)
        assert again.ticks == 995


@pytest.mark.parametrize("late_ms", [0, 500, 900])
def test_a_fill_heard_of_after_its_order_s_end_is_given_back_too(late_ms: int) -> None:
    bench = Bench()
    bench.start()
    bid = next(each for each in bench.desk.tracker.orders.values() if each.side is BID)
    bench.tell(Command.FLATTEN)
    bench.wait()
    for order_id in list(bench.desk.tracker.orders):
        bench.say(order_id, CANCELLED)
    assert beat(bench, late_ms) == []
    bench.fill(bid.order_id, BID, 3, 0, trade=7)
    (order,) = beat(bench)
    assert (order.side, order.lots) == (ASK, 3)
    bench.fill(order.order_id, ASK, 3, 0, trade=8)
    assert beat(bench, 1100) == []
    assert "flat" in bench.codes()


def test_a_large_position_goes_in_slices_of_what_the_book_shows() -> None:
    bench = flattening(290)
    # Four ticks within the band beside the best, 50 lots each.
    sizes = []
    for trade in range(2):
        (order,) = beat(bench)
        sizes.append(order.lots)
        bench.fill(order.order_id, ASK, order.lots, 0, trade=10 + trade)
    assert sizes == [250, 40]


def test_five_tries_without_a_whole_fill_call_for_an_operator() -> None:
    bench = flattening()
    tries = 0
    for _ in range(10):
        for order in beat(bench):
            tries += 1
            bench.say(order.order_id, CANCELLED)
        assert len(beat(bench, 900)) == 0
        bench.now += 200 * MS
    assert tries == 5
    critical = [n.code for n in bench.notices() if n.severity is Severity.CRITICAL]
    assert critical == ["flatten_failed"]


def test_without_reduce_only_the_order_is_of_exactly_the_position() -> None:
    bench = flattening(290)
    (order,) = beat(bench)
    bench.say(order.order_id, REJECTED, REDUCE_IS_POST_ONLY)
    (plain,) = beat(bench, 1200)
    assert (plain.lots, plain.reduce_only) == (290, False)


def test_a_wrong_picture_of_the_position_waits_for_a_snapshot() -> None:
    bench = flattening()
    (order,) = beat(bench)
    bench.say(order.order_id, REJECTED, "ORDER_SIZE_EXCEEDS_POSITION_SIZE")
    assert beat(bench, 3000) == []
    bench.feed(VenueSnapshot(bench.now, bench.now, (), (40,)))
    assert len(beat(bench)) == 1


def test_nothing_is_sent_while_orders_could_not_be() -> None:
    bench = flattening()
    bench.feed(Hindrance(bench.now, bench.now, "maintenance", None, "closed"))
    assert beat(bench, 1000) == []
    bench.feed(Hindrance(bench.now, bench.now, "maintenance", None, None))
    assert len(beat(bench)) == 1


def test_an_unanswered_order_holds_the_next_one_back() -> None:
    bench = flattening()
    (order,) = beat(bench)
    bench.say(order.order_id, OrderState.UNKNOWN)
    assert beat(bench, 3000) == []


def test_resuming_ends_it() -> None:
    bench = flattening()
    bench.tell(Command.RESUME)
    assert {order.mode for order in beat(bench)} == {FillMode.POST_ONLY}
    assert bench.desk.guards.flattening is None
