"""What stops a market, or everything, and what comes after: hindrances, commands, refusals."""

from decimal import Decimal

import pytest

from mmbot.domain.alerts import Alerts
from mmbot.domain.events import (
    UNIDENTIFIED,
    Command,
    Hindrance,
    IndexPrice,
    ReferencePrice,
    Restatement,
    Transfer,
    VenueOrder,
    VenueSnapshot,
)
from mmbot.domain.notices import Severity
from mmbot.domain.order import POST_ONLY, OrderState, Side
from mmbot.domain.quotes import Quotes
from mmbot.domain.status import Mode
from mmbot.engine import VenueTraits
from mmbot.engine.view import market_reason, orders_alive, orders_unknown, standing
from mmbot.execution.order_ids import OrderIds
from mmbot.risk.losses import LossParams
from mmbot.risk.rejects import TOO_MANY
from tests.unit.engine.scene import MS, USD, Bench, cancelled, fill_book, placed, quotes

BID, ASK = Side.BID, Side.ASK
OPEN, CANCELLED, REJECTED = OrderState.OPEN, OrderState.CANCELLED, OrderState.REJECTED


def running(count: int = 1) -> Bench:
    bench = Bench(count)
    bench.open_all(bench.start())
    bench.notices()
    return bench


def mine(bench: Bench) -> list[int]:
    return list(bench.desk.tracker.orders)


def hinder(
    bench: Bench, name: str, market: int | None = None, reason: str | None = "x"
) -> list[int]:
    return cancelled(bench.feed(Hindrance(bench.now, bench.now, name, market, reason)))


def gone(bench: Bench) -> None:
    for order_id in mine(bench):
        bench.say(order_id, CANCELLED)


def look(bench: Bench, *orders: VenueOrder, lots: int = 0) -> list[int]:
    return cancelled(bench.feed(VenueSnapshot(bench.now, bench.now, orders, (lots,))))


def resting(bench: Bench) -> tuple[VenueOrder, ...]:
    return tuple(
        VenueOrder(0, order.order_id, order.order_id, order.side, order.ticks, order.leaves)
        for order in bench.desk.tracker.orders.values()
    )


def test_a_hindrance_pulls_at_once_and_quoting_goes_on_after_it() -> None:
    bench = running(2)
    orders = mine(bench)
    assert hinder(bench, "book_lag", 0) == orders
    assert standing(bench.engine) == (Mode.QUOTING, ())
    gone(bench)
    assert bench.wait() == []
    assert market_reason(bench.engine, 0) == "book_lag: x"
    assert hinder(bench, "book_lag", 0, None) == []
    assert len(placed(bench.wait())) == 2
    assert bench.codes() == ["book_lag", "book_lag_over"]


@pytest.mark.parametrize(
    ("name", "mode"),
    [("recovering", Mode.RECONCILING), ("warming", Mode.WARMING), ("account", Mode.PAUSED)],
)
def test_modes_are_a_view_of_the_reasons(name: str, mode: Mode) -> None:
    bench = running(2)
    assert len(hinder(bench, name)) == 4
    assert standing(bench.engine) == (mode, (f"{name}: x",))


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("lease", Severity.CRITICAL),
        ("book_lag", Severity.WARNING),
        ("warming", Severity.INFO),
    ],
)
def test_a_lease_in_doubt_wakes_somebody_up(name: str, severity: Severity) -> None:
    bench = running()
    hinder(bench, name)
    hinder(bench, name, None, None)
    told = [(each.code, each.severity) for each in bench.notices()]
    assert told == [(name, severity), (f"{name}_over", Severity.INFO)]


def test_every_beginning_and_every_end_is_told_however_soon_it_comes_again() -> None:
    bench = running()
    alerts = Alerts()
    for _ in range(3):
        bench.now += MS
        hinder(bench, "loop_lag")
        for notice in bench.notices():
            alerts.take(notice, None)
        (alert,) = alerts.open(bench.now)
        assert alert.code == "loop_lag"
        hinder(bench, "loop_lag", None, None)
        for notice in bench.notices():
            alerts.take(notice, None)
        assert alerts.open(bench.now) == ()


def test_an_emergency_that_is_over_leaves_no_alert_open() -> None:
    bench = running()
    alerts = Alerts()
    bench.account(imf_uusd=950 * USD)
    for notice in bench.notices():
        alerts.take(notice, None)
    assert [each.code for each in alerts.open(bench.now)] == ["emergency"]
    for _ in range(3):
        bench.account()
    for notice in bench.notices():
        alerts.take(notice, None)
    assert alerts.open(bench.now) == ()


@pytest.mark.parametrize("name", ["foreign_epoch", "liquidated"])
def test_some_hindrances_halt(name: str) -> None:
    bench = running()
    assert hinder(bench, name) == mine(bench)
    hinder(bench, name, None, None)
    assert standing(bench.engine).mode is Mode.HALTED
    assert bench.engine.stops.breaker.memory.halted == f"{name}: x"


def test_a_stop_is_the_end() -> None:
    bench = running()
    assert cancelled(bench.tell(Command.STOP)) == mine(bench)
    gone(bench)
    bench.tell(Command.RESUME)
    assert bench.wait() == []
    assert standing(bench.engine).mode is Mode.DRAINING


def test_reducing_quotes_close_the_position_and_no_more() -> None:
    bench = running()
    bid, ask = mine(bench)
    bench.fill(bid, BID, 4, 6)
    bench.tell(Command.REDUCE)
    actions = bench.wait()
    assert cancelled(actions) == [bid, ask]
    # The old ask of 10 may still fill: one of 4 must wait for its end.
    assert placed(actions) == []
    gone(bench)
    assert placed(bench.wait()) == [(ASK, 1001, 4)]
    assert market_reason(bench.engine, 0) == "reduce only: because"
    bench.tell(Command.RESUME)
    assert placed(bench.wait())[0] == (BID, 999, 10)


def test_a_drawdown_warning_reduces() -> None:
    bench = Bench(loss=LossParams(daily_limit_usd=Decimal(500)))
    bench.open_all(bench.start())
    bench.account(984)
    assert len(cancelled(bench.wait())) == 2
    assert bench.codes() == ["reduce-only"]
    assert bench.engine.stops.breaker.losses.drawdown_uusd == 16 * USD


def test_a_transfer_is_no_loss() -> None:
    bench = running()
    bench.feed(Transfer(bench.now, bench.now, -500 * USD))
    assert bench.account(500) == []
    assert bench.engine.stops.breaker.losses.day_pnl_uusd == 0


def test_a_restatement_corrects_the_position() -> None:
    bench = running()
    bench.feed(Restatement(bench.now, bench.now, 0, 3, -50, 2, "trades"))
    position = bench.desk.position
    assert (position.lots, position.cash_atoms, position.fees_atoms) == (3, -50, 2)


def test_a_fill_without_its_order_moves_the_position_once() -> None:
    bench = running()
    bid, _ = mine(bench)
    bench.fill(UNIDENTIFIED, BID, 4, 6, trade=9)
    bench.fill(bid, BID, 4, 6, trade=9)
    assert bench.desk.position.lots == 4
    assert bench.desk.tracker.bid_lots == 6
    assert bench.codes() == ["unidentified_fill"]
    assert (bench.desk.counts.fills, bench.desk.counts.placed) == (1, 2)
    assert bench.desk.counts.volume_uusd == 4 * 999_000


def test_foreign_orders_count_and_are_left_alone() -> None:
    bench = running()
    assert look(bench, *resting(bench), VenueOrder(0, None, 5, BID, 900, 295)) == []
    assert look(bench, *resting(bench), VenueOrder(0, None, 5, BID, 900, 295)) == []
    assert bench.codes() == ["foreign_order"]
    bench.wait()
    room = bench.desk.state.room
    assert (room.bid_lots, room.ask_lots) == (5, 300)


def test_strays_of_ours_are_cancelled_and_a_later_run_halts() -> None:
    bench = running()
    older, later = OrderIds(7, 0).next(), OrderIds(7, 2).next()
    lost = bench.ids.next()
    found = [VenueOrder(0, order_id, order_id, BID, 900, 1) for order_id in (older, lost)]
    assert look(bench, *resting(bench), *found) == sorted([older, lost])
    assert [(n.code, n.severity) for n in bench.notices()] == [
        ("stale_order", Severity.INFO),
        ("zombie_order", Severity.CRITICAL),
    ]
    assert look(bench, *resting(bench), VenueOrder(0, later, 1, BID, 900, 1)) == mine(bench)
    assert standing(bench.engine).mode is Mode.HALTED


def test_what_is_missing_twice_is_gone_and_its_level_free() -> None:
    bench = running()
    bench.now += 5000 * MS
    bench.book()
    look(bench)
    assert orders_alive(bench.engine) == 2
    look(bench)
    assert orders_alive(bench.engine) == 0


def test_an_unknown_order_that_rests_is_open_again() -> None:
    bench = running()
    bid, _ = mine(bench)
    bench.say(bid, OrderState.UNKNOWN)
    assert orders_unknown(bench.engine) == 1
    look(bench, *resting(bench))
    assert bench.desk.tracker.orders[bid].state is OPEN


def test_a_position_that_differs_twice_stops_until_it_is_equal() -> None:
    bench = running()
    assert look(bench, *resting(bench), lots=3) == []
    assert look(bench, *resting(bench), lots=3) == mine(bench)
    assert bench.codes() == ["position"]
    gone(bench)
    assert bench.wait() == []
    look(bench)
    assert len(placed(bench.wait())) == 2


def test_unsolicited_cancels_wait_for_the_account_and_the_third_for_an_operator() -> None:
    bench = running()
    for _ in range(2):
        bench.say(mine(bench)[0], CANCELLED, "unsolicited")
        assert placed(bench.wait()) == []
        bench.account()
        bench.open_all(bench.wait())
        assert orders_alive(bench.engine) == 2
    bench.say(mine(bench)[0], CANCELLED, "unsolicited")
    assert [n.code for n in bench.notices() if n.severity is Severity.CRITICAL] == [
        "unsolicited_cancels"
    ]
    gone(bench)
    bench.account()
    assert bench.wait() == []
    bench.tell(Command.RESUME)
    assert len(placed(bench.wait())) == 2


def test_a_post_only_refusal_waits_for_a_newer_book() -> None:
    bench = running()
    bid, ask = mine(bench)
    bench.wishes[0].answer = quotes([(998, 10)], [(1001, 10)])
    new = bench.wait()[-1].order_id
    bench.say(bid, OPEN, "refused with its batch")
    bench.say(new, REJECTED, POST_ONLY)
    assert bench.wait() == []
    assert mine(bench) == [bid, ask]
    bench.now += 50 * MS
    bench.book()
    actions = bench.wait(50)
    assert (cancelled(actions), placed(actions)) == ([bid], [(BID, 998, 10)])
    # Ordinary for whoever makes markets: no failure.
    assert (bench.desk.counts.raced, bench.desk.counts.rejected) == (1, 0)


def test_a_risk_refusal_leaves_the_other_side() -> None:
    bench = Bench()
    bench.start()
    bid, ask = mine(bench)
    bench.say(bid, REJECTED, "RISK_OMF_LESS_THAN_OR_EQUAL_IMF")
    bench.say(ask, OPEN)
    assert bench.wait() == []
    bench.book()
    assert placed(bench.wait(1000)) == [(BID, 999, 10)]


def test_too_many_orders_mean_fewer_levels() -> None:
    bench = Bench()
    bench.wishes[0].answer = quotes([(999, 1), (990, 2)], [])
    bench.start()
    inner, outer = mine(bench)
    bench.say(inner, OPEN)
    bench.say(outer, REJECTED, TOO_MANY)
    assert bench.wait() == []
    assert "too_many_orders" in bench.codes()


def test_no_order_goes_out_without_an_index_nor_far_from_it() -> None:
    bench = Bench(traits=VenueTraits(has_index=True))
    assert bench.start() == []
    bench.feed(IndexPrice(bench.now, bench.now, 0, 984.5))
    assert placed(bench.wait()) == [(BID, 999, 10)]
    bench.feed(IndexPrice(bench.now, bench.now, 0, None))
    gone(bench)
    assert bench.wait() == []


def test_no_order_goes_out_far_from_the_reference() -> None:
    bench = Bench()
    bench.feed(ReferencePrice(bench.now, bench.now, 0, 980.0))
    assert placed(bench.start()) == [(BID, 999, 10)]


def test_a_book_that_was_stale_must_come_five_times() -> None:
    bench = running()
    bench.now += 2000 * MS
    for _ in range(4):
        bench.book()
        assert not placed(bench.wait())
        assert bench.desk.answer == Quotes((), (), "book recovering")
    gone(bench)
    bench.book()
    assert len(placed(bench.wait())) == 2


def test_a_quote_that_the_mid_comes_near_is_cancelled_between_decisions() -> None:
    bench = Bench()
    bench.wishes[0].answer = quotes([(990, 10)], [(1010, 10)])
    bench.open_all(bench.start())
    bid, _ = mine(bench)
    bench.now += 10 * MS
    fill_book(bench.books[0], 996)
    assert bench.book() == []
    fill_book(bench.books[0], 995)
    assert cancelled(bench.book()) == [bid]
    assert bench.book() == []


@pytest.mark.parametrize(
    ("share", "outside", "gone"), [(0.8, 994, 0), (0.8, 993, 1), (0.0, 900, 0)]
)
def test_a_quote_that_the_outside_price_comes_near_is_cancelled_between_decisions(
    share: float, outside: int, gone: int
) -> None:
    # Quotes are 20 ticks apart: the fair price may fall 5 before the bid goes, outside 6.25.
    bench = Bench()
    bench.desk.guards.reference_share = share
    bench.wishes[0].answer = quotes([(990, 10)], [(1010, 10)])
    bench.feed(ReferencePrice(bench.now, bench.now, 0, 1000.0))
    bench.open_all(bench.start())
    bid, _ = mine(bench)
    bench.now += 10 * MS
    expected = [bid] * gone
    assert (
        cancelled(bench.feed(ReferencePrice(bench.now, bench.now, 0, float(outside)))) == expected
    )
