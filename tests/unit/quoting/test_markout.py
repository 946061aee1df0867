"""The markout control: which depth it takes, when none pays, own fills, memory; and toxicity."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.events import Fill, PublicTrades
from mmbot.domain.order import Side
from mmbot.quoting.markout import Choice, MarkoutControl, MarkoutParams, OwnBias, choose
from mmbot.quoting.state import QuotingState
from mmbot.quoting.toxicity import Markouts, OwnFills
from tests.unit.quoting.scene import BTC, PLENTY, SECOND, USD, book, maker, state

PARAMS = MarkoutParams(confidence=1.0)
STEP = SECOND // 10


def table(*rows: tuple[float, float, float]) -> list[tuple[float, float, float, float]]:
    """Depths 1, 2, 3 ... bps with their count, mean and standard error."""
    return [(float(number), *row) for number, row in enumerate(rows, 1)]


def test_the_depth_that_earns_most_in_all() -> None:
    # A fee of 1 and an edge of 0.25: 40 * 0.75, 10 * 4.75, 6 * 1.75.
    rows = table((40.0, 2.0, 0.1), (10.0, 6.0, 0.5), (6.0, 3.0, 0.9))
    assert choose(rows, 1.0, PARAMS, 0.0) == Choice(1)
    # With a rebate of 5 the near one earns more: 40 * 6.75 against 10 * 10.75.
    assert choose(rows, -5.0, PARAMS, 0.0) == Choice(0)
    # Own fills worse by 1.5 leave only the one between: 0 < 10 * 3.25.
    assert choose(rows, 1.0, PARAMS, -1.5) == Choice(1)


def test_one_that_may_pay_yet_is_tried() -> None:
    # None earns its 1.25; the second may, by its error: 20 * 0.2 beats 6 * 0.3.
    rows = table((90.0, -1.0, 0.1), (20.0, 0.9, 0.3), (6.0, 0.3, 1.0))
    assert choose(rows, 1.0, PARAMS, 0.0) == Choice(1)


def test_no_depth_pays() -> None:
    rows = table((90.0, -1.0, 0.1), (20.0, 0.2, 0.3), (0.0, 0.0, 0.0))
    assert choose(rows, 1.0, PARAMS, 0.0) == Choice(None, pays=False)
    # 0.6 and one error are below the fee of 1; 0.6 and one and a half are above it.
    rows = table((90.0, -1.0, 0.1), (20.0, 0.6, 0.3))
    assert choose(rows, 1.0, PARAMS, 0.0) == Choice(None, pays=False)
    assert choose(rows, 1.0, MarkoutParams(confidence=1.5), 0.0) == Choice(1)


def test_depths_of_few_fills_have_no_say() -> None:
    # The third gained 8 bps in four fills and the fourth may have: neither holds the gate open.
    rows = table((90.0, -1.0, 0.1), (20.0, 0.2, 0.3), (4.0, 8.0, 0.5), (2.0, 0.0, 6.0))
    assert choose(rows, 1.0, PARAMS, 0.0) == Choice(None, pays=False)
    # Two more fills, and it does.
    assert choose([*rows[:2], (3.0, 6.0, 8.0, 0.5)], 1.0, PARAMS, 0.0) == Choice(2)
    # Nor do they close it: with next to no fills nothing is known, and the first width stands.
    for rows in (table((0.0, 0.0, 0.0)), table((5.0, -9.0, 0.5), (4.0, -8.0, 0.5))):
        assert choose(rows, 1.0, PARAMS, 0.0) == Choice(None, pays=True)


ROWS = st.lists(
    st.tuples(st.floats(0, 1e4), st.floats(-50, 50), st.floats(0, 20)), min_size=1, max_size=8
)


@given(ROWS, st.floats(-5, 5), st.floats(0, 20))
def test_a_higher_fee_never_opens_the_gate(
    rows: list[tuple[float, float, float]], fee: float, more: float
) -> None:
    if not choose(table(*rows), fee, PARAMS, 0.0).pays:
        assert not choose(table(*rows), fee + more, PARAMS, 0.0).pays


def test_own_fills_count_only_when_they_are_surely_worse() -> None:
    bias, dice = OwnBias(), random.Random(1)
    for _ in range(60):
        bias.take(dice.gauss(0.0, 3.0))
    assert bias.shift_bps == 0.0
    for _ in range(200):
        bias.take(dice.gauss(-2.0, 3.0))
    assert bias.shift_bps == pytest.approx(-2.0, abs=0.8)
    # Better ones are no reason to quote nearer.
    for _ in range(400):
        bias.take(dice.gauss(3.0, 3.0))
    assert bias.shift_bps == 0.0


def test_ten_own_fills_are_needed_and_time_takes_them_back() -> None:
    bias = OwnBias()
    for number in range(11):
        # Each weighs a 72nd less than the next: ten of them weigh 9.4, eleven 10.3.
        assert bias.shift_bps == 0.0
        bias.take(-2.0 - 0.1 * (number % 2))
    assert bias.shift_bps == pytest.approx(-2.05, abs=0.02)
    bias.fade(0.01)
    assert bias.shift_bps < -2.0
    # A tenth of the memory leaves 9.3 of them.
    bias.fade(0.1)
    assert bias.shift_bps == 0.0
    bias.take(-2.0)
    assert bias.shift_bps < -2.0


def test_what_fades_is_as_sure_as_it_was_while_there_is_enough_of_it() -> None:
    # -1 +- 3.3, worth 56 even fills: 2.3 errors from nothing.
    bias = OwnBias()
    for number in range(60):
        bias.take(-1.0 + 3.3 * (-1) ** number)
    before = bias.shift_bps
    assert before == pytest.approx(-1.0, abs=0.1)
    bias.fade(0.4)
    assert bias.shift_bps == before


def test_own_fills_do_not_hold_the_gate_shut_for_good() -> None:
    # Fills at 4 bps earn 2 after the fee, by the shadows; own ones lost 3 more than these. No own
    # fill comes through a shut gate, so nothing but time can say that it is over.
    rows = [(60.0, 180.0, 600.0)] * 8
    control = MarkoutControl(PARAMS, 1.0)
    control.shadows.restore(1.0, rows, 0.0)
    control.steer(SECOND, 1.5)
    assert control.gate is None
    for number in range(20):
        control.compare(4.0, 0.0 - 0.1 * (number % 2))
    control.steer(6 * SECOND, 1.5)
    assert control.gate is not None
    shut = next(
        after
        for after in range(11, 3600, 5)
        if control.steer(after * SECOND, 1.5) is None and control.gate is None
    )
    # 17.5 of the twenty fade to ten in 0.56 memories of 600 s.
    assert shut == pytest.approx(340, abs=10)


def test_toxic_by_hand_and_how_it_ends() -> None:
    own = Markouts()
    for number in range(9):
        own.take(-1.0 - 0.1 * (number % 2))
        assert not own.toxic
    own.take(-1.0)
    assert own.toxic
    assert own.mean < -1.0 < own.mean + 2 * own.error + 0.1
    # It ends when fills earn their fee again, not merely when it is less sure.
    while own.mean < -0.05:
        own.take(1.0)
        assert own.toxic == (own.mean <= 0)
    own.take(3.0)
    assert not own.toxic


def test_ten_equal_fills_have_no_error_and_a_mean() -> None:
    own = Markouts()
    for _ in range(12):
        own.take(2.0)
    assert [own.mean, own.error] == pytest.approx([2.0, 0.0])
    assert not own.toxic


def test_fills_are_judged_five_seconds_later_by_side() -> None:
    fills = OwnFills(1.0)
    fills.filled(0, Side.BID, 99_990, 100_000.0)
    fills.filled(SECOND, Side.ASK, 100_020, 100_000.0)
    assert fills.mature(5 * SECOND - 1, 99_970.0) == []
    (bid,) = fills.mature(5 * SECOND, 99_970.0)
    assert bid.away_bps == pytest.approx(1.0)
    assert bid.markout_bps == pytest.approx(-20 / 99_990 * 1e4)
    assert (fills.bids.count, fills.asks.count, fills.all.count) == (1, 0, 1)
    # One that nobody could judge in time is none.
    assert fills.mature(9 * SECOND, 99_970.0) == []
    assert not fills.waiting


def flow(seen: QuotingState, bought: int, sold: int) -> None:
    """Takers buy up to a price and sell down to another."""
    now = seen.now_ns
    seen.takers.take(PublicTrades(now, now, 0, bought, sold, bool(bought), bool(sold)))


def run(seconds: int, informed: bool) -> tuple[list[float], list[str | None]]:
    """Width and gate over time where takers come every second.

    Informed ones are right: the market moves 8 bps their way. Others are not: it stays.
    """
    strategy, dice = (
        maker(spread={"model": "markout", "min_bps": 1, "max_bps": 90}),
        random.Random(7),
    )
    mid, widths, gates = 1_000_000, [], []
    for step in range(seconds * 10):
        bought = sold = 0
        if step % 10 == 0:
            side = dice.choice((1, -1))
            reach = mid + side * dice.choice((200, 400, 700))
            bought, sold = (reach, 0) if side > 0 else (0, reach)
            mid += side * 800 if informed else 0
        seen = state(
            now_ns=100 * SECOND + step * STEP,
            book_ts_ns=100 * SECOND + step * STEP,
            book=book([(mid - 150, 9), (mid - 160, 9)], [(mid + 150, 9), (mid + 160, 9)]),
            room=PLENTY,
        )
        flow(seen, bought, sold)
        strategy.observe(seen)
        gates.append(strategy.decide(seen).reason)
        widths.append((strategy.last.spread or math.nan) * 1e4)
    return widths, gates


def test_flow_that_knows_nothing_is_quoted_where_it_pays_most() -> None:
    # Takers go 2, 4 or 7 bps, a third of them each: at 6 a third pays 4.75, at 4 minus a tick two
    # thirds would pay up to 2.75, at 3 they pay 1.75. The width goes to twice 6 and stays.
    widths, gates = run(240, informed=False)
    assert widths[-1] == pytest.approx(12.0, abs=0.5)
    assert gates[-1] is None


def test_flow_that_knows_is_not_quoted_at_all() -> None:
    _, gates = run(120, informed=True)
    assert gates[0] is None
    assert gates[-1] == "no depth pays"
    # It took a handful of fills and their five seconds, not a minute.
    assert gates.index("no depth pays") < 600


def test_a_gated_market_still_gives_its_position_back() -> None:
    strategy = maker(spread={"model": "markout", "min_bps": 1, "max_bps": 90})
    strategy.learning.signals.gate = "no depth pays"
    quotes = strategy.decide(state(position_lots=70))
    assert (quotes.bids, quotes.reason) == ((), "no depth pays")
    assert sum(level.lots for level in quotes.asks) == 70
    assert strategy.decide(state()).asks == ()


@pytest.mark.parametrize(("half_spread_bps", "first_bps"), [(0.008, 0.5), (1.5, 0.5), (6.0, 2.0)])
def test_depths_widen_with_the_market_and_never_shrink(
    half_spread_bps: float, first_bps: float
) -> None:
    # A market a tick wide has moves of a basis point all the same, and so has its fee.
    control = MarkoutControl(PARAMS, 1.0)
    control.steer(SECOND, half_spread_bps)
    depths = [row[0] for row in control.shadows.table()]
    assert (depths[0], depths[-1]) == (first_bps, 18 * first_bps)


def test_a_restart_goes_on_where_it_was_less_what_has_aged() -> None:
    control = MarkoutControl(PARAMS, 1.0)
    control.shadows.restore(1.0, [(40.0, 80.0, 200.0)] * 8, 0.0)
    for number in range(40):
        control.steer(number * 5 * SECOND, 1.5)
    memory = control.memory(200 * SECOND)
    fresh = MarkoutControl(PARAMS, 1.0)
    fresh.restore(memory, 200 * SECOND + 600 * SECOND)
    assert fresh.floor_bps == control.floor_bps
    for before, after in zip(control.shadows.table(), fresh.shadows.table(), strict=True):
        assert after[1] == pytest.approx(before[1] / math.e)
        assert after[2] == pytest.approx(2.0)
    # Days later nothing is left, and the gate is open.
    fresh.restore(memory, 200 * SECOND + 10**6 * SECOND)
    fresh.steer(2 * 10**6 * SECOND, 1.5)
    assert fresh.gate is None
    assert fresh.shadows.table()[0][1] < 1e-9


def test_own_fills_reach_the_models() -> None:
    strategy = maker(spread={"model": "vol", "toxic_widening": 1.5})
    for number in range(12):
        now = 100 * SECOND + number * SECOND
        seen = state(now_ns=now, book_ts_ns=now, equity_uusd=10_000 * USD)
        strategy.observe(seen)
        # Bought 20 bps above where the mid is.
        strategy.take_fill(
            Fill(now, now, 0, 1, number, Side.BID, 1_002_005, 5, 0, maker=True, fee_atoms=0)
        )
    calm = strategy.learning.signals.toxic
    for later in range(12, 20):
        now = 100 * SECOND + later * SECOND
        strategy.observe(state(now_ns=now, book_ts_ns=now))
    assert (calm, strategy.learning.signals.toxic) == ("", "fills")
    assert any("toxic fills" in line for line in strategy.learning.told())


def test_a_preset_without_trades_or_reference_still_quotes() -> None:
    # A venue that tells no trades, and no outside price: the first width, around the book.
    strategy = maker(
        BTC, fair_price={"source": "blend"}, spread={"model": "markout", "max_bps": 90}
    )
    quotes = None
    for step in range(100):
        now = 100 * SECOND + step * STEP
        seen = state(now_ns=now, book_ts_ns=now)
        strategy.observe(seen)
        quotes = strategy.decide(seen)
    assert quotes is not None
    assert quotes.bids
    assert quotes.asks
    assert strategy.last.spread == pytest.approx(12e-4)
