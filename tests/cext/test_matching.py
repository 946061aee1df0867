"""The matching kernel against its slow twin, and rules worked by hand."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.cext import matching as kernel
from mmbot.cext.matching import Matching
from mmbot.domain.order import FillMode, Side
from tests.oracle import matching as oracle

BID, ASK = int(Side.BID), int(Side.ASK)
SIDES = st.sampled_from((BID, ASK))
PRICES = st.integers(96, 104)
# Around the borders of the book's pages of 512 prices, and far away on both sides of zero.
ORIGINS = (0, 511, -512, 10**12, -(2**62))
MODELS = st.sampled_from(
    [("risk", ()), ("power", (3.0,)), ("power", (0.7,)), ("power", (1.0,)), ("power", (2.0,))]
)
DEPTH_ROWS = st.tuples(
    st.sampled_from((kernel.DEPTH, kernel.DEPTH, kernel.SNAPSHOT)), SIDES, PRICES, st.integers(0, 9)
)
OTHER_ROWS = st.tuples(
    st.sampled_from((kernel.TRADE, kernel.TRADE, kernel.TRADE, kernel.TAKE, kernel.CLEAR)),
    SIDES,
    PRICES,
    st.integers(1, 9),
)
ORDERS = st.tuples(
    st.just("submit"),
    st.integers(1, 30),
    SIDES,
    PRICES,
    st.integers(1, 12),
    st.sampled_from((*FillMode, FillMode.POST_ONLY, FillMode.POST_ONLY)),
)
CANCELS = st.tuples(st.just("cancel"), st.integers(1, 30))
STEPS = st.lists(
    st.one_of(DEPTH_ROWS, DEPTH_ROWS, OTHER_ROWS, OTHER_ROWS, ORDERS, ORDERS, CANCELS), max_size=80
)


def play(venue: Matching | oracle.Matching, number: int, step: tuple) -> object:  # type: ignore[type-arg]
    if step[0] == "submit":
        return venue.submit(number, *step[1:])
    if step[0] == "cancel":
        return venue.cancel(number, *step[1:])
    return venue.event(number, *step)


def compare(model: tuple[str, tuple[float, ...]], partial: bool, steps: list[tuple]) -> None:  # type: ignore[type-arg]
    queue, numbers = model
    fast = Matching(queue=queue, numbers=numbers, partial=partial)
    slow = oracle.Matching(queue=queue, numbers=numbers, partial=partial)
    prices = {step[2] for step in steps if isinstance(step[0], int)}
    for number, step in enumerate(steps):
        assert play(fast, number, step) == play(slow, number, step), (number, step)
        assert fast.take_prints() == slow.take_prints(), (number, step)
        assert fast.best() == slow.best(), (number, step)
        for order in slow.orders:
            assert fast.front(order.order_id) == pytest.approx(order.front, abs=1e-9)
        for side in (BID, ASK):
            for ticks in prices:
                assert fast.lots_at(side, ticks) == slow.lots_at(side, ticks)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(MODELS, st.booleans(), STEPS)
def test_random_streams_match_the_slow_twin(
    model: tuple[str, tuple[float, ...]],
    partial: bool,
    steps: list[tuple],  # type: ignore[type-arg]
) -> None:
    compare(model, partial, steps)


def long_stream(dice: random.Random) -> list[tuple]:  # type: ignore[type-arg]
    """Draw 400 steps with bids mostly below asks, so that orders rest and queue up."""
    origin = dice.choice(ORIGINS)
    steps: list[tuple] = []  # type: ignore[type-arg]
    for number in range(400):
        side = dice.choice((BID, ASK))
        ticks = origin - side * dice.choice((-1, 0, 1, 1, 2, 2, 3))
        kind = dice.choice(("depth",) * 5 + ("trade",) * 3 + ("order",) * 5 + ("cancel", "rare"))
        if kind == "order":
            mode = dice.choice((*FillMode, FillMode.POST_ONLY, FillMode.POST_ONLY))
            mode += dice.choice((0, 0, oracle.REDUCE_ONLY))
            steps.append(("submit", number, side, ticks, dice.randint(1, 6), mode))
        elif kind == "cancel":
            steps.append(("cancel", dice.randint(0, number)))
        elif kind == "rare":
            row = dice.choice((kernel.TAKE, kernel.TAKE, kernel.CLEAR))
            steps.append((row, -side, ticks, dice.randint(1, 20)))
        elif kind == "trade":
            steps.append((kernel.TRADE, -side, ticks, dice.randint(1, 8)))
        else:
            steps.append((kernel.DEPTH, side, ticks, dice.choice((0, 1, 4, 9, 14))))
    return steps


@pytest.mark.parametrize("seed", range(16))
def test_long_streams_match_the_slow_twin(seed: int) -> None:
    dice = random.Random(seed)
    power = ("power", (dice.choice((0.7, 1.0, 2.0, 3.0)),))
    compare(("risk", ()) if seed % 3 == 0 else power, bool(seed % 2), long_stream(dice))


def venue(**rules: object) -> Matching:
    """Build a market 5 @ 99 against 7 @ 101 with 4 more at 102."""
    market = Matching(**rules)  # type: ignore[arg-type]
    for side, ticks, lots in ((BID, 99, 5), (ASK, 101, 7), (ASK, 102, 4)):
        market.event(0, kernel.DEPTH, side, ticks, lots)
    return market


def fills(reports: list[tuple]) -> list[tuple]:  # type: ignore[type-arg]
    return [report for report in reports if report[0] == kernel.FILLED]


def test_the_front_must_be_passed_not_only_reached() -> None:
    # 7 lots in front: trades of 4 and 3 reach the order, the next single lot fills it.
    market = venue(partial=False)
    market.submit(0, 1, ASK, 101, 10, FillMode.POST_ONLY)
    assert market.front(1) == 7
    assert market.event(0, kernel.TRADE, BID, 101, 4) == []
    assert market.event(0, kernel.TRADE, BID, 101, 3) == []
    assert market.event(0, kernel.TRADE, BID, 101, 1) == [
        (kernel.FILLED, 1, ASK, 101, 10, 0, True, kernel.QUEUE)
    ]


def test_partial_fill_takes_what_the_trade_brings() -> None:
    # 7 in front, a trade of 9 leaves 2 for the order of 10; the next trade of 3 is all its own.
    market = venue(partial=True)
    market.submit(0, 1, ASK, 101, 10, FillMode.POST_ONLY)
    (first,) = market.event(0, kernel.TRADE, BID, 101, 9)
    assert first[3:6] == (101, 2, 8)
    (second,) = market.event(0, kernel.TRADE, BID, 101, 3)
    assert second[3:6] == (101, 3, 5)
    (through,) = market.event(0, kernel.TRADE, BID, 102, 1)
    assert through[3:] == (101, 5, 0, True, kernel.TRADE_THROUGH)


def test_a_trade_of_half_a_lot_beyond_a_fractional_front_fills() -> None:
    # power 1: 8 shown, front 8, then 10 shown, then 9: back 2, share 0.2, front 8 - 0.8 = 7.2.
    # A trade of 7 leaves 0.2 in front; one more lot goes 0.8 beyond, which rounds to a lot.
    market = Matching(queue="power", numbers=(1.0,))
    market.event(0, kernel.DEPTH, BID, 99, 8)
    market.submit(0, 1, BID, 99, 1, FillMode.POST_ONLY)
    market.event(0, kernel.DEPTH, BID, 99, 10)
    market.event(0, kernel.DEPTH, BID, 99, 9)
    assert market.front(1) == pytest.approx(7.2)
    assert market.event(0, kernel.TRADE, ASK, 99, 7) == []
    assert len(market.event(0, kernel.TRADE, ASK, 99, 1)) == 1


def test_power_queue_does_not_count_traded_lots_as_cancels() -> None:
    # 10 shown, front 10, 4 trade, the level then shows 6: nothing was cancelled, front stays 6.
    market = Matching(queue="power", numbers=(3.0,))
    market.event(0, kernel.DEPTH, BID, 99, 10)
    market.submit(0, 1, BID, 99, 1, FillMode.POST_ONLY)
    market.event(0, kernel.TRADE, ASK, 99, 4)
    market.event(0, kernel.DEPTH, BID, 99, 6)
    assert market.front(1) == 6


def test_a_book_that_reaches_the_order_fills_it() -> None:
    market = venue()
    market.submit(0, 1, ASK, 100, 3, FillMode.POST_ONLY)
    (fill,) = market.event(0, kernel.DEPTH, BID, 100, 1)
    assert fill == (kernel.FILLED, 1, ASK, 100, 3, 0, True, kernel.BOOK_CROSS)


def test_crossing_orders_by_mode() -> None:
    # 7 @ 101 and 4 @ 102 are shown.
    market = venue()
    assert market.submit(0, 1, BID, 101, 1, FillMode.POST_ONLY)[0][0] == kernel.EXPIRED
    taken = market.submit(0, 2, BID, 102, 12, FillMode.IOC)
    assert [report[3:6] for report in fills(taken)] == [(101, 7, 5), (102, 4, 1)]
    assert taken[-1][0] == kernel.EXPIRED
    assert taken[-1][5] == 1
    assert market.submit(0, 3, BID, 102, 12, FillMode.FOK)[0][0] == kernel.EXPIRED
    assert len(fills(market.submit(0, 4, BID, 102, 11, FillMode.FOK))) == 2
    rest = market.submit(0, 5, BID, 102, 12, FillMode.LIMIT)
    assert [report[3:6] for report in fills(rest)] == [(101, 7, 5), (102, 5, 0)]


def test_a_synthetic_taker_honours_price_and_time() -> None:
    # 100: own 2. 101: 7 shown, own 3 behind them, then 5 more shown. 102: 4 shown.
    market = venue()
    market.submit(0, 1, ASK, 100, 2, FillMode.POST_ONLY)
    market.submit(0, 2, ASK, 101, 3, FillMode.POST_ONLY)
    market.event(0, kernel.DEPTH, ASK, 101, 12)
    reports = market.event(9, kernel.TAKE, BID, 101, 14)
    assert [report[1:6] for report in reports] == [(1, ASK, 100, 2, 0), (2, ASK, 101, 3, 0)]
    assert market.take_prints() == [
        (9, BID, 100, 2),
        (9, BID, 101, 7),
        (9, BID, 101, 3),
        (9, BID, 101, 2),
    ]
    assert market.lots_at(ASK, 101) == 3
    market.event(9, kernel.TAKE, BID, 101, 50)
    assert market.lots_at(ASK, 101) == 0
    assert market.lots_at(ASK, 102) == 4
    assert market.best() == (99, 102)


def test_a_used_id_is_rejected_and_an_unknown_cancel_refused() -> None:
    market = venue()
    market.submit(0, 1, BID, 98, 1, FillMode.POST_ONLY)
    assert market.submit(0, 1, BID, 97, 1, FillMode.POST_ONLY)[0][0] == kernel.REJECTED
    assert market.cancel(0, 2)[0][0] == kernel.CANCEL_REFUSED
    assert market.cancel(0, 1) == [(kernel.CANCELLED, 1, BID, 98, 0, 1, False, 0)]
    with pytest.raises(IndexError):
        market.front(1)


def test_malformed_input_is_refused() -> None:
    for queue, numbers in (("risk", (1.0,)), ("power", ()), ("power", (0.0,)), ("fifo", ())):
        with pytest.raises(ValueError, match="queue"):
            Matching(queue=queue, numbers=numbers)
    market = venue()
    with pytest.raises(ValueError, match="at least one lot"):
        market.submit(0, 1, BID, 98, 0, FillMode.LIMIT)
    with pytest.raises(ValueError, match="not be negative"):
        market.event(0, kernel.DEPTH, BID, 98, -1)


def waits(seed: int, ticks: int) -> list[float]:
    """Seconds each of 2000 single bids waits at `ticks` in a market around 100 000, 1 bps wide."""
    found = []
    for order_id in range(2000):
        market = Matching(queue="probabilistic", numbers=(2.0, 0.5, seed))
        market.event(0, kernel.DEPTH, BID, 99_995, 1)
        market.event(0, kernel.DEPTH, ASK, 100_005, 1)
        market.submit(0, order_id, BID, ticks, 5, FillMode.POST_ONLY)
        for tenth in range(1, 200):
            if market.event(tenth * 100_000_000, kernel.DEPTH, ASK, 100_009, tenth):
                found.append(tenth / 10 - 0.05)
                break
    return found


def test_probabilistic_arrivals_have_the_stated_rate() -> None:
    # 2 a second at the mid, decay 0.5 per bps: at 2 bps the rate is 2 exp(-1) = 0.7358, the mean
    # wait 1.359 s (sd of the mean of 2000: 0.03).
    found = waits(7, 99_980)
    assert len(found) == 2000
    assert sum(found) / len(found) == pytest.approx(1 / (2 * math.exp(-1)), abs=0.12)
    assert found == waits(7, 99_980)
    assert found != waits(8, 99_980)


def wait_ms(moved: int, at_ms: int = 0) -> int:
    """Milliseconds order 1 waits 2 bps below the mid, the ask moving by `moved` at `at_ms`."""
    market = Matching(queue="probabilistic", numbers=(2.0, 0.5, 3))
    market.event(0, kernel.DEPTH, BID, 99_990, 1)
    market.event(0, kernel.DEPTH, ASK, 100_010, 1)
    market.submit(0, 1, BID, 99_980, 5, FillMode.POST_ONLY)
    for millisecond in range(1_000_000):
        if millisecond == at_ms:
            market.event(millisecond * 1_000_000, kernel.DEPTH, ASK, 100_010 + moved, 1)
            market.event(millisecond * 1_000_000, kernel.DEPTH, ASK, 100_010, 1 - bool(moved))
        reports = market.event(millisecond * 1_000_000, kernel.TRADE, BID, 99_980, 1)
        if reports:
            assert reports[0][7] == kernel.ARRIVAL
            return millisecond
    raise AssertionError("never filled")


def test_probabilistic_rate_follows_the_mid() -> None:
    # The same draw: with the mid 4 bps farther away the hazard grows exp(-2) times as fast, the
    # wait is exp(2) times as long. Moved half-way, only the second half of the hazard is slower.
    alone = wait_ms(0)
    assert wait_ms(80) == pytest.approx(alone * math.exp(2), rel=0.02)
    assert wait_ms(80, alone // 2) == pytest.approx(alone * (1 + math.exp(2)) / 2, rel=0.02)


def test_an_order_that_may_only_reduce() -> None:
    market = venue()
    # Flat: nothing reduces.
    reports = market.submit(0, 1, BID, 102, 1, FillMode.IOC + oracle.REDUCE_ONLY)
    assert reports[0][0] == kernel.REJECTED
    # Long 5: a sale of 6 would turn the position around, one of 5 closes it; a bid adds.
    market.submit(0, 2, BID, 101, 5, FillMode.IOC)
    for order_id, side, lots in ((3, ASK, 6), (4, BID, 1)):
        reports = market.submit(0, order_id, side, 101, lots, FillMode.IOC + oracle.REDUCE_ONLY)
        assert reports[0][0] == kernel.REJECTED
    market.event(0, kernel.DEPTH, BID, 100, 9)
    closed = market.submit(0, 5, ASK, 100, 5, FillMode.IOC + oracle.REDUCE_ONLY)
    assert [report[4] for report in fills(closed)] == [5]
    reports = market.submit(0, 6, ASK, 100, 1, FillMode.IOC + oracle.REDUCE_ONLY)
    assert reports[0][0] == kernel.REJECTED
