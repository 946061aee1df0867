"""Live, what rests can be taken off at once: what moves or is added leaves the cancels for it."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.actions import Action, Cancel, Place
from mmbot.domain.events import BookGap
from mmbot.domain.order import OrderState, Side
from mmbot.engine import VenueTraits
from tests.unit.engine.scene import Bench, cancelled, placed, quotes

LIVE = VenueTraits(reads_per_min=240)
MARKETS = 3


class Sparing(Bench):
    """Three markets of four orders each, twenty cancels a second, a venue that answers at once."""

    def __init__(self, traits: VenueTraits = LIVE, **rates: float) -> None:
        super().__init__(MARKETS, traits=traits, rates={"cancels_per_second": 20, **rates})
        self.resting: list[set[int]] = [set() for _ in range(MARKETS)]
        for market in range(MARKETS):
            self.want(market, 100)

    def want(self, market: int, gap: int) -> None:
        """Two levels a side, so many ticks from the middle; less is bolder."""
        self.wishes[market].answer = quotes(
            [(1000 - gap, 10), (990 - gap, 10)], [(1000 + gap, 10), (1010 + gap, 10)]
        )

    def settled(self, actions: Sequence[Action]) -> Sequence[Action]:
        for action in actions:
            if isinstance(action, Place):
                self.resting[action.market].add(action.order_id)
                self.say(action.order_id, OrderState.OPEN, market=action.market)
            elif isinstance(action, Cancel):
                self.resting[action.market].discard(action.order_id)
                self.say(action.order_id, OrderState.CANCELLED, market=action.market)
        return actions

    def lose(self, market: int) -> Sequence[Action]:
        return self.settled(self.feed(BookGap(self.now, self.now, market, "lost")))

    def back(self, market: int) -> Sequence[Action]:
        return [*self.settled(self.book(market)), *self.settled(self.wait())]

    def count(self) -> int:
        return sum(map(len, self.resting))


def test_no_more_is_placed_again_than_could_be_taken_off_once_more() -> None:
    bench = Sparing()
    bench.settled(bench.start())
    assert bench.count() == 12
    for market in range(MARKETS):
        assert len(cancelled(bench.lose(market))) == 4
    bench.wait()
    # 12 of 20 cancels are used: with the other 8 there are orders for two markets.
    assert [len(placed(bench.back(market))) for market in range(MARKETS)] == [4, 4, 0]
    assert [len(cancelled(bench.lose(market))) for market in range(MARKETS)] == [4, 4, 0]
    # None are left until the first ones come back, a second after they were used.
    assert [len(placed(bench.back(market))) for market in range(MARKETS)] == [0, 0, 0]
    assert len(placed(bench.settled(bench.wait(300)))) == 12


def test_what_merely_moves_leaves_the_cancels_for_what_rests() -> None:
    bench = Sparing(cancels_per_second=21)
    bench.settled(bench.start())
    for market in range(MARKETS):
        bench.want(market, 95)
    # 12 rest and keep 12 of the 21; what does not move now stays where it is.
    assert len(cancelled(bench.settled(bench.wait()))) == 9
    assert bench.count() == 12
    assert bench.settled(bench.wait(900)) == []
    assert len(cancelled(bench.settled(bench.wait(100)))) == 3


def test_an_order_is_not_added_with_the_cancels_that_others_move_with() -> None:
    # Of 17 cancels 10 are kept: the second market moves with 4 of the 7 others.
    bench = Sparing(cancels_per_second=17)
    bench.settled(bench.start())
    bench.want(1, 95)
    assert len(cancelled(bench.settled(bench.wait()))) == 4
    filled = min(bench.resting[0])
    bench.resting[0].discard(filled)
    bench.fill(filled, Side.BID, 10, 0, ticks=900)
    bench.want(0, 95)
    actions = bench.settled(bench.wait())
    assert (len(cancelled(actions)), len(placed(actions))) == (3, 3)
    assert len(placed(bench.settled(bench.wait(900)))) == 1


def test_what_is_too_bold_does_not_wait() -> None:
    bench = Sparing()
    bench.settled(bench.start())
    for market in range(MARKETS):
        bench.want(market, 105)
    assert len(cancelled(bench.settled(bench.wait()))) == 12
    # 8 are left, for 12 that rest.
    for market in range(MARKETS):
        bench.want(market, 102)
    assert bench.settled(bench.wait()) == []
    for market in range(MARKETS):
        bench.want(market, 108)
    assert len(cancelled(bench.settled(bench.wait()))) == 8


def test_many_orders_keep_no_more_than_their_share() -> None:
    # Of 10 cancels 6 are kept, however many rest: 4 move.
    bench = Sparing(cancels_per_second=10)
    bench.settled(bench.start())
    bench.settled(bench.wait())
    assert bench.count() == 12
    for market in range(MARKETS):
        bench.want(market, 95)
    assert len(cancelled(bench.settled(bench.wait()))) == 4


def test_a_backtest_spends_them_all() -> None:
    bench = Sparing(VenueTraits())
    bench.settled(bench.start())
    for market in range(MARKETS):
        bench.want(market, 95)
    assert len(cancelled(bench.settled(bench.wait()))) == 12


STEPS = st.lists(
    st.tuples(st.sampled_from(["lose", "move", "wait"]), st.integers(0, MARKETS - 1)), max_size=60
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whatever_happened_all_that_rests_can_go_at_once(steps: list[tuple[str, int]]) -> None:
    bench = Sparing()
    bench.settled(bench.start())
    gaps = [100] * MARKETS
    for what, market in steps:
        if what == "lose":
            resting = sorted(bench.resting[market])
            assert cancelled(bench.lose(market)) == resting
            bench.back(market)
        elif what == "move":
            gaps[market] -= 1
            bench.want(market, gaps[market])
            bench.settled(bench.wait())
        else:
            bench.settled(bench.wait(100 + 50 * market))
    for market in range(MARKETS):
        resting = sorted(bench.resting[market])
        assert cancelled(bench.lose(market)) == resting
    # And nothing waits for ever.
    for market in range(MARKETS):
        bench.back(market)
    for _ in range(20):
        bench.settled(bench.wait())
    assert bench.count() == 12


@pytest.mark.parametrize("rate", [1, 0.5])
def test_a_rate_of_one_cancel_keeps_none_and_everything_is_placed(rate: float) -> None:
    bench = Sparing(cancels_per_second=rate)
    bench.settled(bench.start())
    for _ in range(10):
        bench.settled(bench.wait())
    assert bench.count() == 12
