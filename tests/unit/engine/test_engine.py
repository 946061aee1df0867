from decimal import Decimal

import pytest

from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import (
    BookGap,
    BookUpdate,
    Command,
    Event,
    Fill,
    FundingPayment,
    ReferencePrice,
    Timer,
)
from mmbot.domain.market import Market
from mmbot.domain.notices import Severity
from mmbot.domain.order import HELD_BACK, FillMode, OrderState, Side
from mmbot.domain.quotes import HOLD, Quotes, Room
from mmbot.engine import Desk, Engine, VenueTraits
from mmbot.errors import InvariantViolation
from mmbot.execution.diff import RequoteParams
from mmbot.risk.losses import LossParams
from tests.unit.engine.scene import MS, START, Bench, cancelled, fill_book, placed, quotes

BID, ASK = Side.BID, Side.ASK
OPEN, UNKNOWN = OrderState.OPEN, OrderState.UNKNOWN
CANCELLED, REJECTED = OrderState.CANCELLED, OrderState.REJECTED


def order_ids(bench: Bench) -> list[int]:
    return list(bench.desk.tracker.orders)


def test_first_book_brings_the_first_quotes() -> None:
    bench = Bench()
    assert bench.engine.next_wakeup_ns() is None
    assert bench.account() == []
    actions = bench.book()
    assert placed(actions) == [(BID, 999, 10), (ASK, 1001, 10)]
    assert all(isinstance(a, Place) and a.mode is FillMode.POST_ONLY for a in actions)
    assert bench.engine.next_wakeup_ns() == START + 100 * MS


def test_a_market_is_decided_on_once_per_interval_and_never_sooner() -> None:
    bench = Bench()
    bench.start()
    bench.wishes[0].answer = quotes([(990, 10)], [(1010, 10)])
    for _ in range(3):
        bench.now += 33 * MS
        bench.book()
    assert [now for now, _, _ in bench.wishes[0].seen] == [START]
    bench.wait(1)
    assert [now - START for now, _, _ in bench.wishes[0].seen] == [0, 100 * MS]
    # The next interval counts from the decision, also when it came late.
    bench.wait(150)
    assert bench.engine.next_wakeup_ns() == START + 350 * MS


def test_markets_have_their_own_time() -> None:
    bench = Bench(2)
    bench.account()
    bench.book(0)
    bench.now += 40 * MS
    bench.book(1)
    assert bench.engine.next_wakeup_ns() == START + 100 * MS
    bench.wait(60)
    assert bench.engine.next_wakeup_ns() == START + 140 * MS
    assert [len(wish.seen) for wish in bench.wishes] == [2, 1]


def test_the_strategy_sees_position_money_and_room() -> None:
    bench = Bench()
    actions = bench.start()
    assert bench.wishes[0].seen == [(START, 0, Room(300, 300, 300))]
    bench.open_all(actions)
    bench.feed(ReferencePrice(bench.now, bench.now, 0, 1000.25))
    bench.fill(order_ids(bench)[0], BID, 10, 0)
    bench.wait()
    assert bench.wishes[0].seen[-1][1:] == (10, Room(290, 310, 300))
    state = bench.desk.state
    assert (state.reference_ticks, state.reference_ts_ns) == (1000.25, START)
    assert state.equity_uusd == 1000 * 10**6
    # 5 % of 10 USD.
    assert state.free_uusd == 999_500_000


def test_unchanged_quotes_send_nothing_and_moved_ones_the_difference() -> None:
    bench = Bench()
    bench.open_all(bench.start())
    bid, _ = order_ids(bench)
    assert bench.wait() == []
    bench.wishes[0].answer = quotes([(998, 10)], [(1001, 10)])
    actions = bench.wait()
    assert cancelled(actions) == [bid]
    assert placed(actions) == [(BID, 998, 10)]
    assert isinstance(actions[0], Cancel)


def test_hold_leaves_orders_and_no_quotes_pull_them() -> None:
    bench = Bench()
    bench.open_all(bench.start())
    bench.wishes[0].answer = HOLD
    assert bench.wait() == []
    assert bench.desk.answer is HOLD
    bench.wishes[0].answer = Quotes((), (), "nothing to say")
    assert cancelled(bench.wait()) == order_ids(bench)
    assert bench.wait() == []


def test_before_the_account_is_known_nothing_is_quoted_nor_alarmed() -> None:
    bench = Bench()
    assert bench.book() == []
    assert bench.desk.answer == Quotes((), (), "no account snapshot")
    assert bench.notices() == []
    bench.account()
    assert len(placed(bench.wait())) == 2


def test_a_gap_pulls_that_market_until_its_book_is_back() -> None:
    bench = Bench(2)
    bench.open_all(bench.start())
    mine = order_ids(bench)
    actions = bench.feed(BookGap(bench.now, bench.now, 0, "lost"))
    assert cancelled(actions) == mine
    assert bench.codes() == ["book_gap"]
    for order_id in mine:
        bench.say(order_id, CANCELLED)
    assert bench.wait() == []
    assert bench.desk.answer == Quotes((), (), "no book")
    bench.now += 50 * MS
    bench.book()
    assert len(placed(bench.wait(50))) == 2


def test_bad_figures_cancel_everything_at_once_and_trading_waits_for_good_ones() -> None:
    bench = Bench(2)
    bench.open_all(bench.start())
    bench.now += MS
    actions = bench.account(imf_uusd=950 * 10**6)
    assert len(cancelled(actions)) == 4
    assert [(n.severity, n.code) for n in bench.notices()] == [(Severity.CRITICAL, "emergency")]
    # Not repeated while they are closing.
    assert bench.wait() == []
    for desk in bench.engine.desks:
        for order_id in list(desk.tracker.orders):
            bench.say(order_id, CANCELLED, market=desk.state.market.index)
    for _ in range(2):
        bench.account()
        assert bench.wait() == []
    bench.account()
    assert len(placed(bench.wait())) == 4
    ended, good = bench.notices()
    assert (ended.code, good.code) == ("emergency_over", "running")
    assert good.text == "no longer emergency"


def test_an_old_snapshot_cancels_all_markets_in_one_step() -> None:
    bench = Bench(2)
    bench.account()
    bench.open_all(bench.book(0))
    bench.now += 40 * MS
    bench.open_all(bench.book(1))
    # The markets take turns, 40 ms apart, until the snapshot is 10 s old.
    for step in range(1, 101):
        for at_ms in (100 * step, 100 * step + 40):
            assert bench.engine.next_wakeup_ns() == START + at_ms * MS
            bench.now = START + at_ms * MS
            actions = bench.wait(0)
            if at_ms <= 10_000:
                assert actions == []
    assert len(cancelled(actions)) == 4
    assert bench.codes() == ["emergency"]


def test_a_refused_cancel_is_repeated() -> None:
    bench = Bench()
    bench.open_all(bench.start())
    bid, ask = order_ids(bench)
    assert cancelled(bench.tell(Command.PAUSE)) == [bid, ask]
    bench.say(bid, OPEN, "too busy")
    bench.say(ask, UNKNOWN)
    assert cancelled(bench.wait()) == [bid, ask]


def test_pause_and_resume_of_one_market() -> None:
    bench = Bench(2)
    bench.open_all(bench.start())
    mine = order_ids(bench)
    assert cancelled(bench.tell(Command.PAUSE, 0)) == mine
    for order_id in mine:
        bench.say(order_id, CANCELLED)
    assert bench.wait() == []
    assert bench.desk.answer == Quotes((), (), "paused: because")
    bench.tell(Command.RESUME, 0)
    assert len(placed(bench.wait())) == 2
    assert bench.codes() == ["pause", "resume"]


def test_halt_lasts_until_cleared() -> None:
    bench = Bench()
    bench.open_all(bench.start())
    mine = order_ids(bench)
    assert cancelled(bench.tell(Command.HALT)) == mine
    for order_id in mine:
        bench.say(order_id, CANCELLED)
    bench.tell(Command.RESUME)
    assert bench.wait() == []
    bench.tell(Command.CLEAR_HALT)
    assert len(placed(bench.wait())) == 2
    assert bench.codes() == [
        "halt",
        "halted",
        "resume",
        "clear-halt",
        "halted_over",
        "running",
    ]


def test_a_loss_halts() -> None:
    bench = Bench(loss=LossParams(daily_limit_usd=Decimal(5)))
    bench.open_all(bench.start())
    assert len(cancelled(bench.account(995))) == 2
    assert bench.codes() == ["halted"]


def test_orders_sent_are_cancelled_in_an_emergency_too() -> None:
    bench = Bench()
    bench.start()
    assert cancelled(bench.tell(Command.HALT)) == order_ids(bench)


def test_orders_sent_are_cancelled_when_nothing_is_wanted_any_more() -> None:
    bench = Bench()
    sent = bench.start()
    bench.wishes[0].answer = quotes([], [])
    assert cancelled(bench.wait()) == [a.order_id for a in sent if isinstance(a, Place)]


@pytest.mark.parametrize(
    ("reason", "rests"),
    [(HELD_BACK, False), ("PRICE_OUT_OF_BOUNDS", True)],
    ids=["ours", "venue's"],
)
def test_only_the_venues_own_refusals_make_a_market_rest(reason: str, rests: bool) -> None:
    bench = Bench()
    actions = bench.start()
    for _ in range(6):
        for action in actions:
            if isinstance(action, Place):
                bench.say(action.order_id, REJECTED, reason)
        actions = bench.wait()
    # Two orders a decision, more than eight refusals in ten seconds.
    assert (placed(actions) == []) is rests


def test_fills_count_once_and_late_or_foreign_ones_count_too() -> None:
    bench = Bench()
    bench.open_all(bench.start())
    bid, ask = order_ids(bench)
    for _ in range(2):
        bench.fill(bid, BID, 4, 6)
    assert bench.engine.positions[0].lots == 4
    bench.say(bid, CANCELLED)
    bench.fill(bid, BID, 1, 5, trade=2)
    assert bench.engine.positions[0].lots == 5
    bench.fill(12345, ASK, 2, 0, trade=3)
    assert bench.engine.positions[0].lots == 3
    bench.fill(ask, ASK, 11, 0, trade=4)
    assert bench.engine.positions[0].lots == -8
    notices = [(notice.severity, notice.code) for notice in bench.notices()]
    assert notices == [
        (Severity.WARNING, "late_fill"),
        (Severity.CRITICAL, "unexpected_fill"),
        (Severity.CRITICAL, "unexpected_fill"),
    ]


def test_a_fill_leaves_other_markets_less_at_once() -> None:
    bench = Bench(2)
    bench.start()
    bench.feed(Fill(bench.now, bench.now, 1, 12345, 1, BID, 999, 500, 0, True, 0))
    bench.wait()
    # 600 in all, less 500 held and 10 to be bought in the other market.
    assert bench.wishes[0].seen[-1][2] == Room(90, 90, 90)


def test_a_stray_order_of_ours_is_cancelled_and_a_foreign_one_told() -> None:
    bench = Bench()
    bench.start()
    older_run = 7 << 45 | 17
    assert cancelled(bench.say(older_run, OPEN)) == [older_run]
    assert bench.say(3, OPEN) == []
    assert bench.codes() == ["stray_order", "stray_order"]
    # The refusal of a cancel, or more news of what is done, is nothing to act on.
    assert bench.say(older_run, OPEN, "no such order") == []
    assert bench.say(older_run, CANCELLED) == []
    assert bench.notices() == []


def test_a_stray_order_waits_when_no_cancel_is_left() -> None:
    bench = Bench(rates={"cancels_per_second": 1})
    bench.start()
    older_run = 7 << 45 | 17
    assert cancelled(bench.say(older_run, OPEN)) == [older_run]
    assert bench.say(older_run + 1, OPEN) == []


def test_refused_and_unanswered_orders_are_told_once_a_minute() -> None:
    bench = Bench()
    bench.start()
    bid, ask = order_ids(bench)
    bench.say(bid, REJECTED, "would cross")
    bench.say(ask, UNKNOWN)
    assert bench.codes() == ["order_rejected", "order_unknown"]
    bench.wait()
    bench.say(order_ids(bench)[-1], REJECTED, "would cross")
    assert bench.codes() == []
    bench.now += 60_000 * MS
    bench.account()
    bench.wait()
    bench.say(order_ids(bench)[-1], REJECTED, "would cross")
    assert "order_rejected" in bench.codes()


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("ORDER_NOT_FOUND", "replacement_refused"),
        ("POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS", "would_have_taken"),
    ],
)
def test_refusals_of_the_daily_round_are_no_warnings(reason: str, code: str) -> None:
    bench = Bench()
    bench.start()
    bid, _ = order_ids(bench)
    bench.notices()
    bench.say(bid, REJECTED, reason)
    (notice,) = bench.notices()
    assert (notice.severity, notice.code) == (Severity.INFO, code)
    assert reason in notice.text


def test_denied_orders_are_told_and_not_sent() -> None:
    bench = Bench()
    bench.wishes[0].answer = quotes([(999, 250), (990, 51), (980, 50)], [])
    actions = bench.start()
    assert placed(actions) == [(BID, 999, 250), (BID, 980, 50)]
    assert [(n.code, n.text) for n in bench.notices()] == [
        ("denied_market_exposure", "market exposure limit")
    ]
    assert (bench.desk.tracker.bid_lots, len(bench.desk.tracker.orders)) == (300, 2)


def test_a_replacement_waits_for_the_cancel_when_both_would_be_too_much() -> None:
    bench = Bench()
    bench.wishes[0].answer = quotes([(999, 200)], [])
    bench.open_all(bench.start())
    bench.wishes[0].answer = quotes([(990, 200)], [])
    actions = bench.wait()
    (old,) = cancelled(actions)
    assert placed(actions) == []
    bench.say(old, CANCELLED)
    assert placed(bench.wait()) == [(BID, 990, 200)]


def test_short_of_places_the_outer_levels_wait() -> None:
    bench = Bench(rates={"orders_per_second": 3})
    bench.wishes[0].answer = quotes([(999, 1), (990, 2)], [(1001, 3), (1010, 4)])
    assert placed(bench.start()) == [(BID, 999, 1), (ASK, 1001, 3), (BID, 990, 2)]
    bench.open_all([])
    bench.now += 900 * MS
    for order_id in order_ids(bench):
        bench.say(order_id, OPEN)
    assert placed(bench.wait()) == [(ASK, 1010, 4)]


def test_batches_hold_what_the_venue_takes() -> None:
    bench = Bench(traits=VenueTraits(batch_size=2))
    bench.wishes[0].answer = quotes([(999, 1), (990, 2)], [(1001, 3)])
    bench.account()
    batches = bench.engine.handle(BookUpdate(bench.now, bench.now, 0))
    assert [len(batch.actions) for batch in batches] == [2, 1]
    assert {batch.ts_ns for batch in batches} == {START}


@pytest.mark.parametrize(("size", "going"), [(2, [2] * 4), (3, [2] * 4), (4, [4, 4]), (10, [8])])
def test_replacements_are_not_parted_and_their_cancels_go_first(
    size: int, going: list[int]
) -> None:
    bench = Bench(traits=VenueTraits(batch_size=size))
    bench.wishes[0].answer = quotes([(999, 1), (990, 2)], [(1001, 3), (1010, 4)])
    bench.open_all(bench.start())
    old = {id_: order.side for id_, order in bench.desk.tracker.orders.items()}
    bench.wishes[0].answer = quotes([(994, 1), (985, 2)], [(1006, 3), (1015, 4)])
    bench.now += 100 * MS
    batches = bench.engine.handle(Timer(bench.now, bench.now))
    assert [len(batch.actions) for batch in batches] == going
    for batch in batches:
        half = len(batch.actions) // 2
        cancels, places = batch.actions[:half], batch.actions[half:]
        sides = [place.side for place in places if isinstance(place, Place)]
        assert [old[cancel.order_id] for cancel in cancels] == sides
    asked = [action for batch in batches for action in batch.actions]
    assert placed(asked) == [(BID, 994, 1), (ASK, 1006, 3), (BID, 985, 2), (ASK, 1015, 4)]
    assert set(cancelled(asked)) == set(old)


def test_a_replacement_without_its_place_is_a_cancel_where_it_was() -> None:
    bench = Bench()
    bench.wishes[0].answer = quotes([(999, 200)], [(1001, 3)])
    bench.open_all(bench.start())
    bid, ask = order_ids(bench)
    bench.wishes[0].answer = quotes([(994, 200)], [(1006, 3)])
    bench.now += 100 * MS
    (batch,) = bench.engine.handle(Timer(bench.now, bench.now))
    assert batch.actions[:2] == (Cancel(0, bid), Cancel(0, ask))
    assert placed(batch.actions) == [(ASK, 1006, 3)]


def test_a_batch_is_submitted_before_the_next_one_is_decided() -> None:
    bench = Bench()
    bench.wishes[0].answer = quotes([(999, 1), (990, 2)], [(1001, 3), (1010, 4)])
    bench.open_all(bench.start())
    submitted: list[Batch] = []
    working: list[int] = []

    def submit(batch: Batch) -> None:
        submitted.append(batch)
        working.append(len(bench.desk.tracker.orders))

    bench.engine.submit_by(submit)
    bench.wishes[0].answer = quotes([(994, 1), (985, 2)], [(1006, 3), (1015, 4)])
    bench.now += 100 * MS
    assert bench.engine.handle(Timer(bench.now, bench.now)) == submitted
    # Four orders rest; two of them are replaced at a time.
    assert working == [6, 8]


def test_the_book_is_told_which_orders_are_ours() -> None:
    bench = Bench(traits=VenueTraits(book_includes_own=True))
    actions = bench.start()
    book = bench.books[0]
    assert book.touch(True) == (999, 50, 1001, 50)
    bench.open_all(actions)
    assert book.touch(True) == (999, 40, 1001, 40)
    bid, ask = order_ids(bench)
    bench.fill(bid, BID, 4, 6)
    bench.say(ask, CANCELLED)
    assert book.touch(True) == (999, 44, 1001, 50)
    other = Bench()
    other.open_all(other.start())
    assert other.books[0].touch(True) == (999, 50, 1001, 50)


def test_a_one_sided_book_keeps_the_last_mark() -> None:
    bench = Bench()
    bench.start()
    bench.books[0].snapshot([(999, 5)], [])
    bench.wait()
    assert bench.wishes[0].seen[-1][2] == Room(300, 300, 300)
    fill_book(bench.books[0], 500)
    bench.wait()
    assert bench.wishes[0].seen[-1][2] == Room(600, 600, 600)


def test_funding_goes_to_the_position() -> None:
    bench = Bench()
    bench.feed(FundingPayment(bench.now, bench.now, 0, -77))
    assert bench.engine.positions[0].funding_atoms == -77


@pytest.mark.parametrize("market", [-1, 1])
def test_events_of_unknown_markets_are_told(market: int) -> None:
    bench = Bench()
    assert bench.feed(BookUpdate(bench.now, bench.now, market)) == []
    assert bench.tell(Command.PAUSE, market) == []
    notices = bench.notices()
    assert [notice.code for notice in notices] == ["unknown_market"] * 2
    assert {notice.severity for notice in notices} == {Severity.CRITICAL}


def test_what_is_no_event_of_a_market_is_refused() -> None:
    class Odd(Event, frozen=True):
        market: int

    with pytest.raises(InvariantViolation, match="not an event of a market"):
        Bench().feed(Odd(0, 0, 0))


def test_a_market_must_stand_at_its_index() -> None:
    bench = Bench()
    market = Market("X", Decimal(1), Decimal(1), index=3)
    desk = Desk(market, bench.books[0], bench.wishes[0], RequoteParams())
    engine = bench.engine
    with pytest.raises(InvariantViolation, match="not at its index"):
        Engine([desk], engine.risk, bench.breaker, bench.ids, None, VenueTraits())  # type: ignore[arg-type]


def long_desk(position: int = 150) -> Bench:
    """A hedging bench whose market holds `position` of at most 300 lots."""
    bench = Bench(hedge=True)
    bench.account()
    bench.feed(BookGap(bench.now, bench.now, 0, "not yet"))
    side = BID if position > 0 else ASK
    bench.fill(1, side, abs(position), 0)
    bench.notices()
    return bench


def test_a_large_position_is_hedged_without_meeting_own_quotes() -> None:
    bench = long_desk(90)
    bench.open_all(bench.book())
    bid, ask = order_ids(bench)
    bench.fill(2, BID, 60, 0, trade=2)
    actions = bench.wait()
    # 30 % of 150; 15 bps of 999 ticks is 1.5, rounded to the best.
    hedge = actions[1]
    assert cancelled(actions) == [bid]
    assert isinstance(hedge, Place)
    assert (hedge.side, hedge.ticks, hedge.lots) == (ASK, 998, 45)
    assert (hedge.mode, hedge.reduce_only) == (FillMode.IOC, True)
    assert ask in order_ids(bench)
    bench.say(bid, CANCELLED)
    # One at a time, and no bids while it is out.
    assert bench.wait(2000) == []
    bench.fill(hedge.order_id, ASK, 45, 0, trade=3)
    assert bench.engine.positions[0].lots == 105
    assert placed(bench.wait()) == [(BID, 999, 10)]


def test_a_short_is_hedged_by_buying() -> None:
    bench = long_desk(-150)
    assert placed(bench.book()) == [(BID, 1002, 45), (BID, 999, 10)]


def test_a_hedge_waits_for_answers_of_own_rivals() -> None:
    bench = long_desk(90)
    bench.book()
    bid, _ = order_ids(bench)
    bench.fill(2, BID, 60, 0, trade=2)
    assert bench.wait() == []
    bench.say(bid, OPEN)
    assert placed(bench.wait()) == [(ASK, 998, 45)]


def test_no_hedge_while_the_strategy_finds_no_market() -> None:
    bench = long_desk()
    bench.wishes[0].answer = Quotes((), (), "book too wide")
    assert bench.book() == []


def test_a_hedge_that_could_not_go_is_tried_again() -> None:
    bench = long_desk()
    bench.wishes[0].answer = quotes([], [(1001, 420)])
    # Asks of 420 on 150 held leave 30 lots of the limit: a hedge of 45 is too much on top.
    actions = bench.book()
    assert placed(actions) == [(ASK, 998, 45)]
    bench.say(order_ids(bench)[0], CANCELLED)
    bench.wishes[0].answer = quotes([], [(1001, 420)])
    bench.open_all(bench.wait())
    bench.wait(2000)
    assert "denied_market_exposure" in bench.codes()
    assert bench.desk.hedge is None
    bench.wishes[0].answer = quotes([], [(1001, 100)])
    (old,) = cancelled(bench.wait())
    bench.say(old, CANCELLED)
    assert (ASK, 998, 45) in placed(bench.wait(2000))
