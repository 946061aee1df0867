from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.actions import Place
from mmbot.domain.events import UNIDENTIFIED, Fill, OrderUpdate
from mmbot.domain.order import DONE, TRANSITIONS, FillMode, OrderState, Side
from mmbot.errors import InvariantViolation
from mmbot.execution.tracker import ENDED_ORDERS, SEEN_TRADES, Booking, Tracker, WorkingOrder

STATES = list(OrderState)
SENT, OPEN, CLOSING = OrderState.SENT, OrderState.OPEN, OrderState.CLOSING
UNKNOWN, FILLED, CANCELLED = OrderState.UNKNOWN, OrderState.FILLED, OrderState.CANCELLED


def place(order_id: int = 1, side: Side = Side.BID, lots: int = 10, ticks: int = 100) -> Place:
    return Place(0, order_id, side, ticks, lots, FillMode.POST_ONLY)


def update(state: OrderState, order_id: int = 1, reason: str | None = None) -> OrderUpdate:
    return OrderUpdate(0, 0, 0, order_id, state, 0, reason)


def fill(trade_id: int, lots: int, leaves: int, order_id: int = 1, side: Side = Side.BID) -> Fill:
    return Fill(0, 0, 0, order_id, trade_id, side, 100, lots, leaves, True, 0)


@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("before", STATES)
def test_every_pair_of_the_table(before: OrderState, after: OrderState) -> None:
    order = WorkingOrder(place(), 0)
    order.state = before
    if after in TRANSITIONS[before]:
        order.move(after)
        assert order.state is after
    else:
        with pytest.raises(InvariantViolation, match=f"{before} cannot become {after}"):
            order.move(after)
        assert order.state is before


def test_an_order_counts_from_sent_to_done() -> None:
    tracker = Tracker()
    order = tracker.send(place(), 7)
    assert (order.state, order.placed_ns, tracker.bid_lots, tracker.ask_lots) == (SENT, 7, 10, 0)
    tracker.send(place(2, Side.ASK, 4), 7)
    for state in (UNKNOWN, OPEN):
        tracker.update(update(state))
        assert (tracker.bid_lots, tracker.ask_lots) == (10, 4)
    order.move(CLOSING)
    assert tracker.bid_lots == 10
    tracker.update(update(CANCELLED))
    assert (tracker.bid_lots, tracker.ask_lots) == (0, 4)
    assert list(tracker.orders) == [2]


@pytest.mark.parametrize("done", sorted(DONE - {FILLED}))
def test_done_orders_count_no_longer(done: OrderState) -> None:
    tracker = Tracker()
    tracker.send(place(), 0)
    tracker.update(update(done))
    assert not tracker.orders
    assert tracker.bid_lots == 0


def test_an_id_in_use_or_no_size_is_refused() -> None:
    tracker = Tracker()
    tracker.send(place(), 0)
    with pytest.raises(InvariantViolation, match="not a new order"):
        tracker.send(place(), 0)
    with pytest.raises(InvariantViolation, match="not a new order"):
        tracker.send(place(2, lots=0), 0)


def test_only_a_refusal_reopens_a_closing_order() -> None:
    tracker = Tracker()
    order = tracker.send(place(), 0)
    order.move(CLOSING)
    tracker.update(update(OPEN))
    assert order.state is CLOSING
    assert order.rests
    tracker.update(update(OPEN, reason="too many requests"))
    assert order.state is OPEN


def test_states_that_only_we_set_are_refused_from_the_venue() -> None:
    tracker = Tracker()
    tracker.send(place(), 0)
    tracker.update(update(OPEN))
    with pytest.raises(InvariantViolation):
        tracker.update(update(SENT))


def test_repeated_and_foreign_words_change_nothing() -> None:
    tracker = Tracker()
    order = tracker.send(place(), 0)
    tracker.update(update(UNKNOWN))
    assert tracker.update(update(UNKNOWN)) is order
    assert tracker.update(update(OPEN, 99)) is None
    assert tracker.bid_lots == 10


def test_fills_reduce_what_is_left_until_done() -> None:
    tracker = Tracker()
    order = tracker.send(place(), 0)
    assert tracker.fill(fill(1, 4, 6)) is Booking.BOOKED
    assert (order.state, order.leaves, order.rests, tracker.bid_lots) == (OPEN, 6, True, 6)
    assert tracker.fill(fill(1, 4, 6)) is Booking.DUPLICATE
    assert tracker.bid_lots == 6
    assert tracker.fill(fill(2, 6, 0)) is Booking.BOOKED
    assert not tracker.orders
    assert tracker.bid_lots == 0
    assert tracker.fill(fill(2, 6, 0)) is Booking.DUPLICATE
    assert tracker.fill(fill(3, 6, 0)) is Booking.NOT_WORKING


def test_an_order_with_nothing_left_is_done_whatever_the_venue_counts() -> None:
    tracker = Tracker()
    tracker.send(place(), 0)
    tracker.fill(fill(1, 10, 3))
    assert not tracker.orders


@pytest.mark.parametrize("state", [CLOSING, UNKNOWN])
def test_a_part_fill_settles_no_doubt(state: OrderState) -> None:
    tracker = Tracker()
    order = tracker.send(place(), 0)
    order.move(state)
    tracker.fill(fill(1, 4, 6))
    assert order.state is state
    tracker.fill(fill(2, 6, 0))
    assert not tracker.orders


def test_a_filled_order_counts_until_its_fills_are_heard_of() -> None:
    tracker = Tracker()
    order = tracker.send(place(), 0)
    tracker.update(update(FILLED))
    assert tracker.bid_lots == 10
    assert not order.rests
    assert tracker.cancellable() == []
    assert tracker.update(update(OPEN)) is order
    tracker.fill(fill(2, 6, 0))
    assert tracker.bid_lots == 4
    tracker.fill(fill(1, 4, 6))
    assert tracker.bid_lots == 0
    assert not tracker.orders


def test_a_last_fill_before_an_earlier_one_keeps_the_difference() -> None:
    tracker = Tracker()
    tracker.send(place(), 0)
    tracker.fill(fill(2, 6, 0))
    assert tracker.bid_lots == 4
    tracker.fill(fill(1, 4, 6))
    assert not tracker.orders


def test_more_filled_than_ordered_is_told() -> None:
    tracker = Tracker()
    tracker.send(place(), 0)
    assert tracker.fill(fill(1, 11, 0)) is Booking.EXCESS
    assert tracker.bid_lots == 0
    assert not tracker.orders


def test_trades_remembered_are_bounded() -> None:
    tracker = Tracker()
    for trade in range(SEEN_TRADES):
        tracker.fill(fill(trade, 1, 0))
    assert tracker.fill(fill(0, 1, 0)) is Booking.DUPLICATE
    tracker.fill(fill(SEEN_TRADES, 1, 0))
    assert tracker.fill(fill(0, 1, 0)) is Booking.NOT_WORKING
    assert tracker.fill(fill(2, 1, 0)) is Booking.DUPLICATE


def test_resting_lots_of_a_price_are_the_confirmed_ones() -> None:
    tracker = Tracker()
    for order_id in (1, 2, 3):
        tracker.send(place(order_id), 0)
    tracker.send(place(4, ticks=101), 0)
    tracker.send(place(5, Side.ASK), 0)
    for order_id in (1, 2, 4, 5):
        tracker.update(update(OPEN, order_id))
    tracker.fill(fill(1, 3, 7))
    assert tracker.resting_lots(Side.BID, 100) == 17
    tracker.update(update(CANCELLED, 2))
    assert tracker.resting_lots(Side.BID, 100) == 7


def test_cancellable_are_all_that_may_rest_without_a_cancel() -> None:
    tracker = Tracker()
    for order_id in (1, 2, 3):
        tracker.send(place(order_id), 0)
    tracker.send(place(5, Side.ASK), 0)
    tracker.send(Place(0, 4, Side.ASK, 90, 5, FillMode.IOC, reduce_only=True), 0)
    tracker.update(update(UNKNOWN, 2))
    tracker.orders[3].move(CLOSING)
    assert [order.order_id for order in tracker.cancellable()] == [1, 2, 5]
    assert [order.order_id for order in tracker.rivals(Side.BID)] == [5]
    assert [order.order_id for order in tracker.rivals(Side.ASK)] == [1, 2]


@dataclass
class Truth:
    """An order as an outsider would keep it: a list of what was filled."""

    place: Place
    fills: list[int] = field(default_factory=list)
    ended: bool = False


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["place", "open", "close", "unknown", "part", "cancelled", "twice"]),
            st.integers(0, 5),
            st.integers(1, 9),
            st.sampled_from(list(Side)),
        ),
        max_size=60,
    )
)
def test_side_sums_are_always_those_of_the_orders(
    steps: list[tuple[str, int, int, Side]],
) -> None:
    tracker = Tracker()
    truth: list[Truth] = []
    trade = 0
    last: Fill | None = None
    for kind, which, lots, side in steps:
        if kind == "place" or not truth:
            truth.append(Truth(place(len(truth), side, lots)))
            tracker.send(truth[-1].place, 0)
            continue
        one = truth[which % len(truth)]
        order_id, left = one.place.order_id, one.place.lots - sum(one.fills)
        if kind == "twice" and last is not None:
            assert tracker.fill(last) is Booking.DUPLICATE
        if one.ended:
            continue
        if kind in ("open", "unknown"):
            state = OPEN if kind == "open" else UNKNOWN
            tracker.update(update(state, order_id, "cancel refused"))
        elif kind == "close" and tracker.orders[order_id].state is not CLOSING:
            tracker.orders[order_id].move(CLOSING)
        elif kind == "part":
            trade += 1
            took = min(lots, left)
            last = fill(trade, took, left - took, order_id, one.place.side)
            assert tracker.fill(last) is Booking.BOOKED
            one.fills.append(took)
            one.ended = took == left
        elif kind == "cancelled":
            tracker.update(update(CANCELLED, order_id))
            one.ended = True
        alive = [item for item in truth if not item.ended]
        assert set(tracker.orders) == {item.place.order_id for item in alive}
        for part, total in ((Side.BID, tracker.bid_lots), (Side.ASK, tracker.ask_lots)):
            assert total == sum(
                item.place.lots - sum(item.fills) for item in alive if item.place.side is part
            )


def test_a_fill_without_its_order_is_joined_to_it_later() -> None:
    tracker = Tracker()
    tracker.send(place(), 0)
    assert tracker.fill(fill(9, 4, 6, UNIDENTIFIED)) is Booking.NOT_WORKING
    assert tracker.bid_lots == 10
    assert tracker.fill(fill(9, 4, 6)) is Booking.IDENTIFIED
    assert tracker.bid_lots == 6
    for order_id in (UNIDENTIFIED, 1):
        assert tracker.fill(fill(9, 4, 6, order_id)) is Booking.DUPLICATE
    # Nobody works that one any more, and it has moved the position already.
    assert tracker.fill(fill(10, 4, 6, UNIDENTIFIED)) is Booking.NOT_WORKING
    assert tracker.fill(fill(10, 4, 6, 77)) is Booking.IDENTIFIED


def test_a_fill_known_by_its_order_is_not_told_again_without_it() -> None:
    tracker = Tracker()
    tracker.send(place(), 0)
    assert tracker.fill(fill(9, 4, 6)) is Booking.BOOKED
    assert tracker.fill(fill(9, 4, 6, UNIDENTIFIED)) is Booking.DUPLICATE


@pytest.mark.parametrize("state", [OPEN, CLOSING, UNKNOWN, FILLED])
def test_an_order_proven_gone_is_taken_out(state: OrderState) -> None:
    tracker = Tracker()
    order = tracker.send(place(), 0)
    order.move(state)
    tracker.end(1, 55)
    assert (tracker.bid_lots, tracker.orders, tracker.ended) == (0, {}, {1: 55})


def test_ends_remembered_are_bounded() -> None:
    tracker = Tracker()
    for order_id in range(1, ENDED_ORDERS + 2):
        tracker.send(place(order_id), 0)
        tracker.update(update(CANCELLED, order_id))
    assert len(tracker.ended) == ENDED_ORDERS
    assert 1 not in tracker.ended


def test_the_unknown_are_counted() -> None:
    tracker = Tracker()
    for order_id in (1, 2):
        tracker.send(place(order_id), 0)
    tracker.update(update(UNKNOWN, 2))
    assert tracker.unknown() == 1
