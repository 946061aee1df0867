"""Virtual quotes on markets whose answer is known."""

from random import Random

import pytest

from mmbot.research.calibration.looks import Look, Stretch, stretch_of
from mmbot.research.calibration.report import Calibration, remarks, suggestion
from mmbot.research.calibration.shadows import Depth, break_even, curve
from mmbot.research.contest.paired import Estimate

STEP_NS = 100_000_000
# A tick is 0.01 bps.
MID = 1_000_000


def look(n: int, mid: int = MID, half: int = 10, bought: int = 0, sold: int = 0) -> Look:
    """A look at a market 0.2 bps wide unless told."""
    return Look(n * STEP_NS, mid - half, 5, mid + half, 5, bought, sold)


def depth_of(stretch: Stretch, depth_bps: float, latency_s: float = 0.0) -> Depth:
    """One depth's row."""
    (row,) = curve(stretch, latency_s, 1.0, 1, (depth_bps,)).depths
    return row


def test_a_sale_through_the_bid_by_hand() -> None:
    # A bid 1 bps below is at 999,900 ticks. The price is 0.8 bps higher a second later.
    looks = [look(n) for n in range(20)] + [look(20, sold=MID - 101)]
    looks += [look(n, MID + 80) for n in range(21, 60)]
    row = depth_of(stretch_of(STEP_NS, looks), 1.0)
    assert row.fills_count == 1
    # 1,000,080 / 999,900 is 1.80018 bps; the others lie beyond the end.
    assert row.means_bps[0] == pytest.approx(1.80018, abs=1e-5)
    assert row.means_bps[1:] == (None, None)
    assert row.per_minute == pytest.approx(60 / 6.0)


def test_at_the_price_is_not_through_it() -> None:
    looks = [look(n) for n in range(20)] + [look(20, sold=MID - 100)]
    looks += [look(n) for n in range(21, 60)]
    assert depth_of(stretch_of(STEP_NS, looks), 1.0).fills_count == 0


def test_a_purchase_and_a_book_that_crosses() -> None:
    looks = [look(n) for n in range(20)] + [look(20, bought=MID + 101)]
    # The whole book jumps over the ask of the look before.
    looks += [look(n, MID + 150) for n in range(21, 60)]
    row = depth_of(stretch_of(STEP_NS, looks), 1.0)
    assert row.fills_count == 2
    # Sold at 1,000,100 both times, 1,000,150 to pay a second later.
    assert row.means_bps[0] == pytest.approx(-0.49995, abs=1e-4)


def test_a_late_order_stands_where_the_mid_was() -> None:
    # The mid rose by 3 bps one step ago; a bid made before that is far away, one made now is not.
    looks = [look(n) for n in range(20)] + [look(20, MID + 300)]
    looks += [look(21, MID + 300, sold=MID + 150)]
    looks += [look(n, MID + 300) for n in range(22, 60)]
    stretch = stretch_of(STEP_NS, looks)
    # On time the bid is at +200 and the sale at +150 goes through it; so does the ask at +100 of
    # the step of the jump.
    assert depth_of(stretch, 1.0).fills_count == 2
    # One step late the bid still is at -100; the ask at +100 was passed before it could be.
    assert depth_of(stretch, 1.0, 0.1).fills_count == 1


def jumps(k: float, back: bool, seed: int) -> Stretch:
    """Takers push the price by an exponential jump; it stays there, or comes back at once."""
    random = Random(seed)
    looks, mid = [], float(MID)
    for n in range(30_000):
        if random.random() < 0.04:
            side = random.choice((1, -1))
            far = mid + side * random.expovariate(k) * mid * 1e-4
            bought, sold = (round(far), 0) if side > 0 else (0, round(far))
            mid = mid if back else far
            looks.append(look(n, round(mid), 1, bought, sold))
        else:
            looks.append(look(n, round(mid), 1))
    return stretch_of(STEP_NS, looks)


def test_jumps_without_memory_cost_the_same_at_every_depth() -> None:
    # Beyond any quote an exponential jump goes on by 1/k on average: -0.5 bps, whatever the depth.
    found = curve(jumps(2.0, False, 4), 0.0, 0.0, 1, (0.5, 1.0, 1.5))
    for row in found.depths:
        (mean, *_), (error, *_) = row.means_bps, row.errors_bps
        assert mean is not None
        assert error is not None
        assert row.fills_count > 50
        assert mean == pytest.approx(-0.5, abs=3 * error)
    assert found.break_even_bps is None


def test_takers_without_a_reason_pay_the_depth() -> None:
    found = curve(jumps(1.0, True, 4), 0.0, 1.0, 1, (0.5, 0.9, 1.5, 2.0))
    for row in found.depths:
        for mean in row.means_bps:
            assert mean == pytest.approx(row.depth_bps, abs=0.01)
    # The fee of 1 bps is earned from 1 bps on, up to the grid of ticks.
    assert found.break_even_bps is not None
    assert found.break_even_bps.value == pytest.approx(1.0, abs=0.02)
    assert found.break_even_bps.low == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        # A third of the way from -1 to +2 between 1 and 2 bps.
        ((0.0, 3.0, 4.0), 1 + 1 / 3),
        ((2.0, 3.0, 4.0), 1.0),
        # What pays must go on paying.
        ((2.0, 0.0, 2.0), 3.0),
        ((0.0, 0.5, 0.9), None),
    ],
)
def test_break_even_by_hand(means: tuple[float, ...], expected: float | None) -> None:
    sums = [cell for mean in means for cell in (10.0, 10.0 * mean)]
    depths = (1.0, 2.0, 4.0)
    assert break_even(depths, sums, 1.0) == (expected and pytest.approx(expected))
    assert break_even(depths, [0.0] * 6, 1.0) is None


def test_suggestions_say_how_sure_they_are() -> None:
    def found(at: Estimate | None) -> Calibration:
        still = curve(stretch_of(STEP_NS, [look(n) for n in range(700)]), 0.0, 1.0, 1)
        return Calibration(
            symbol="XYZ",
            seconds=70.0,
            step_ms=100.0,
            volatility_bps={},
            arrivals=None,
            imbalance=None,
            order_flow=None,
            curve=type(still)(still.latency_s, still.fee_bps, still.depths, at),
        )

    lines = suggestion([found(Estimate(1.5, 1.2, 2.25))])
    assert "      min_bps: 3.0  # twice the break-even, 1.20 to 2.25" in lines
    assert "      max_bps: 4.5  # twice the upper end of that" in lines
    nothing = found(None)
    assert "    enabled: false  # no known depth earns the fee at this latency" in suggestion(
        [nothing]
    )
    assert "no width to suggest: wider than the known depths, or not at all" in remarks(nothing)
