"""The order book kernel against its oracle, the specification's example and its own contract."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.cext.orderbook import OrderBook
from tests.oracle.orderbook import ASK, BID, OracleBook

Book = OrderBook | OracleBook
BOOKS = pytest.mark.parametrize("make", [OracleBook, OrderBook])
CHECKED = settings(max_examples=150, deadline=None, derandomize=True)

# Spec section 11 in ticks of 0.1 and lots of 0.00001.
BIDS = [(1000000, 100000), (999990, 200000), (999980, 100000), (999970, 100000), (999960, 100000)]
ASKS = [(1000010, 50000), (1000020, 50000), (1000030, 100000), (1000040, 50000), (1000050, 50000)]


@BOOKS
def test_worked_example_of_the_specification(make: Callable[[], Book]) -> None:
    book = make()
    book.snapshot(BIDS, ASKS)
    top = book.top(5)
    # Depths 6.0 and 3.0; imbalance (6 - 3) / (6 + 3); mid 100000.5.
    assert top == (1000000, 1000010, 600000, 300000, 1 / 3, 1000005.0, 5, 5)
    # (100000.0 * 0.5 + 100001.0 * 1.0) / 1.5 = 100000.666...
    assert book.microprice() == pytest.approx(1000006.0 + 2 / 3, rel=1e-15)
    # Selling 2 units into the bids: 1.0 at 100000.0 and 1.0 at 99999.0.
    assert book.vwap(BID, 200000) == (999995.0, 200000)
    # Buying more than the 3.0 there are: (0.5*1 + 0.5*2 + 1.0*3 + 0.5*4 + 0.5*5) / 3 = 3 ticks up.
    assert book.vwap(ASK, 10**6) == (1000030.0, 300000)


@BOOKS
def test_depth_counts_as_many_levels_as_the_thinner_side_has(make: Callable[[], Book]) -> None:
    book = make()
    book.snapshot(BIDS, ASKS[:2])
    # N' = min(5, 5, 2) = 2: bids 1.0 + 2.0, asks 0.5 + 0.5.
    assert book.top(5)[2:5] == (300000, 100000, 0.5)
    assert book.top(5)[6:] == (5, 2)


@BOOKS
def test_own_orders_leave_depth_best_and_imbalance(make: Callable[[], Book]) -> None:
    book = make()
    book.snapshot(BIDS, ASKS)
    book.set_own(BID, 1000000, 100000)
    book.set_own(ASK, 1000010, 10000)
    assert book.touch() == (999990, 200000, 1000010, 40000)
    assert book.touch(False) == (1000000, 100000, 1000010, 50000)
    # Four bids are left, so N' = 4: bids 5.0, asks 0.4 + 0.5 + 1.0 + 0.5 = 2.4.
    assert book.top(5)[2:4] == (500000, 240000)
    assert book.top(5, False)[2:4] == (600000, 300000)
    assert book.lots_at(BID, 1000000) == 100000
    book.set_own(BID, 1000000, 0)
    book.clear_own()
    assert book.top(5) == book.top(5, False)


@BOOKS
def test_missing_side_has_no_price(make: Callable[[], Book]) -> None:
    book = make()
    assert book.touch() == (0, 0, 0, 0)
    book.snapshot(BIDS, [])
    bid, ask, bid_depth, ask_depth, imbalance, mid, bids, asks = book.top(3)
    assert (bid, ask, bid_depth, ask_depth, imbalance, bids, asks) == (1000000, 0, 0, 0, 0.0, 3, 0)
    assert math.isnan(mid)
    assert math.isnan(book.microprice())
    assert math.isnan(book.vwap(ASK, 1)[0])


@BOOKS
def test_snapshot_replaces_and_delta_sets_absolute_sizes(make: Callable[[], Book]) -> None:
    book = make()
    book.snapshot(BIDS, ASKS)
    book.snapshot([(10, 1), (9, 2)], [(12, 3)])
    book.apply([(10, 0), (9, 5), (8, 1), (7, 0)], [(11, 4)])
    assert book.levels(BID, 9) == [(9, 5), (8, 1)]
    assert book.levels(ASK, 9) == [(11, 4), (12, 3)]
    assert book.lots_within(BID, 0) == 5
    assert book.lots_within(ASK, 1) == 7
    book.clear()
    assert book.levels(BID, 9) == book.levels(ASK, 9) == []


# Prices in clusters: within one page of the kernel, at its edges, and far away.
TICKS = st.one_of(
    st.integers(1, 40), st.integers(505, 520), st.integers(1020, 1030), st.integers(1, 2**53)
)
PAIRS = st.lists(st.tuples(TICKS, st.integers(0, 5)), max_size=8)
SIDES = st.sampled_from([BID, ASK])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), PAIRS, PAIRS),
        st.tuples(st.just("snapshot"), PAIRS, PAIRS),
        st.tuples(st.just("set_level"), SIDES, TICKS, st.integers(0, 2**40)),
        st.tuples(st.just("set_own"), SIDES, TICKS, st.integers(0, 6)),
        st.tuples(st.just("clear")),
        st.tuples(st.just("clear_own")),
    ),
    max_size=25,
)


@CHECKED
@given(STEPS, st.integers(1, 12), st.integers(1, 40), TICKS)
def test_equals_the_oracle_after_any_steps(
    steps: list[tuple[object, ...]], count: int, lots: int, ticks: int
) -> None:
    kernel, oracle = OrderBook(), OracleBook()
    for name, *arguments in steps:
        for book in (kernel, oracle):
            getattr(book, str(name))(*arguments)
        for exclude_own in (True, False):
            _assert_same_reads(kernel, oracle, count, lots, exclude_own)
        for side in (BID, ASK):
            assert kernel.lots_at(side, ticks) == oracle.lots_at(side, ticks)
            assert kernel.lots_within(side, count) == oracle.lots_within(side, count)


def _assert_same_reads(
    kernel: OrderBook, oracle: OracleBook, count: int, lots: int, exclude_own: bool
) -> None:
    assert kernel.touch(exclude_own) == oracle.touch(exclude_own)
    assert kernel.top(count, exclude_own) == pytest.approx(
        oracle.top(count, exclude_own), rel=1e-15, nan_ok=True
    )
    # Between prices far apart, as in a crossed book, digits of the greater one are lost.
    bid, _, ask, _ = oracle.touch(exclude_own)
    assert kernel.microprice(exclude_own) == pytest.approx(
        oracle.microprice(exclude_own), rel=1e-15, abs=1e-15 * max(bid, ask), nan_ok=True
    )
    for side in (BID, ASK):
        assert kernel.levels(side, count, exclude_own) == oracle.levels(side, count, exclude_own)
        assert kernel.vwap(side, lots, exclude_own) == pytest.approx(
            oracle.vwap(side, lots, exclude_own), rel=1e-14, nan_ok=True
        )


def test_own_prices_are_bounded_on_each_side() -> None:
    book = OrderBook()
    book.snapshot([(ticks, 2) for ticks in range(1, 101)], [])
    for ticks in range(100, 36, -1):
        book.set_own(BID, ticks, 2)
    book.set_own(BID, 50, 1)
    with pytest.raises(ValueError, match="at most 64"):
        book.set_own(BID, 36, 1)
    assert book.touch()[:2] == (50, 1)
    book.set_own(BID, 100, 0)
    book.set_own(BID, 36, 1)
    assert book.levels(BID, 3) == [(100, 2), (50, 1), (36, 1)]


@pytest.mark.parametrize(
    "misuse",
    [
        lambda book: book.set_level(0, 10, 1),
        lambda book: book.set_level(BID, 0, 1),
        lambda book: book.set_level(BID, 10, -1),
        lambda book: book.apply([], [(-5, 1)]),
        lambda book: book.snapshot([(5, -1)], []),
        lambda book: book.set_own(2, 10, 1),
        lambda book: book.set_own(ASK, 10, -1),
        lambda book: book.top(0),
        lambda book: book.vwap(BID, 0),
        lambda book: book.levels(7, 1),
        lambda book: book.lots_at(0, 1),
        lambda book: book.lots_within(0, 1),
        lambda book: book.apply([(1, 2, 3)], []),
    ],
)
def test_misuse_is_refused(misuse: Callable[[OrderBook], object]) -> None:
    book = OrderBook()
    with pytest.raises(ValueError, match=r"side|level|lots|unpack"):
        misuse(book)
    assert book.touch() == (0, 0, 0, 0)


def test_capsule_names_what_it_carries() -> None:
    assert '"mmbot.book"' in repr(OrderBook().capsule)
