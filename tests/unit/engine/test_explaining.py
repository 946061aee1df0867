"""Explanations against the quotes themselves: the terms add up to where the orders stand."""

from decimal import Decimal

import pytest

from mmbot.domain.events import AccountSnapshot, BookUpdate, Command
from mmbot.domain.explained import Explanation
from mmbot.engine import Desk, Engine, VenueTraits
from mmbot.engine.explaining import explain
from mmbot.execution.budget import Budget
from mmbot.execution.diff import RequoteParams
from mmbot.execution.order_ids import OrderIds
from mmbot.execution.rates import RateLimitParams
from mmbot.interfaces.answer_text import explain_lines
from mmbot.quoting.strategy import MarketMaker
from mmbot.risk.breaker import Breaker
from mmbot.risk.limits import MarketRiskParams, RiskManager, RiskParams
from mmbot.risk.losses import LossParams
from tests.unit.engine.scene import START, USD, Bench
from tests.unit.quoting.scene import BTC, book, limits, params

BPS = 1e-4


def engine(position: int = 0, fixed_usd: float = 100, max_usd: float | None = None) -> Engine:
    """A market maker over the worked example's book, so wide that no skew crosses the market."""
    settings = params(
        spread={"min_bps": 30.0, "max_bps": 70.0},
        sizing={"mode": "fixed", "fixed_usd": fixed_usd, "max_order_usd": 100_000},
        levels={"count": 2},
        inventory={"max_shift_bps": 20.0},
    )
    capped = MarketRiskParams(max_position_usd=None if max_usd is None else Decimal(max_usd))
    desk = Desk(BTC, book(), MarketMaker(settings, limits(), BTC), RequoteParams())
    desk.position.lots = position
    found = Engine(
        [desk],
        RiskManager(RiskParams(), [BTC], [capped]),
        Breaker(LossParams()),
        OrderIds(7, 1),
        Budget(RateLimitParams(), 4),
        VenueTraits(),
    )
    whole = 10_000 * USD
    found.handle(AccountSnapshot(START, START, whole, whole, 0, 0, False))
    found.handle(BookUpdate(START, START, 0))
    return found


def explained(found: Engine) -> Explanation:
    return explain(found, 0, START)


@pytest.mark.parametrize("position", [0, 2_000, -2_500])
def test_the_terms_add_up_to_the_quotes(position: int) -> None:
    found = explained(engine(position))
    assert found.gate is None
    assert found.fair is not None
    assert found.reservation is not None
    shift_bps = sum(term.bps for term in found.shift)
    assert float(found.reservation) == pytest.approx(float(found.fair) * (1 + shift_bps * BPS))
    assert found.half_width_bps == pytest.approx(sum(term.bps for term in found.half_width))
    # Long leans down, short up.
    assert (shift_bps > 0) - (shift_bps < 0) == (position < 0) - (position > 0)
    tick = float(BTC.tick) / float(found.fair) / BPS
    best = {each.side: each for each in found.quotes if each.level == 1}
    for side, sign in (("bid", -1), ("ask", 1)):
        away = (1 + shift_bps * BPS) * (1 + sign * (found.half_width_bps or 0.0) * BPS)
        expected = (away - 1) / BPS
        # Rounded to the grid, away from the fair price by a tick at most.
        assert best[side].from_fair_bps == pytest.approx(expected, abs=2 * tick)


def test_imbalance_widens_from_the_least_width_on() -> None:
    found = explained(engine())
    least, more = found.half_width
    assert found.imbalance is not None
    assert least.bps == pytest.approx(15.0)
    assert more.bps == pytest.approx(abs(found.imbalance) * (70 - 30) / 2)


def test_a_cut_size_is_told() -> None:
    assert explained(engine(fixed_usd=100)).size_cut_pct == pytest.approx(0, abs=1)
    # Two levels of 1,000 USD a side, and room for 500.
    found = explained(engine(fixed_usd=1_000, max_usd=500))
    assert found.size_cut_pct == pytest.approx(75, abs=1)


def test_a_pause_is_the_gate() -> None:
    bench = Bench()
    bench.start()
    bench.tell(Command.PAUSE)
    found = explain(bench.engine, 0, bench.now)
    assert (found.gate, found.fair) == ("paused: because", None)
    assert explain_lines([found]) == ["M0  gate: paused: because"]


def test_the_text_has_every_term() -> None:
    lines = explain_lines([explained(engine(2_000))])
    assert lines[0] == "BTCUSD  quoted"
    assert lines[1].startswith("  fair 100,000.5 (mid)")
    assert "= min 15.00 + imbalance" in lines[2]
    assert "position +0.02000" in lines[3]
    assert "skew -" in lines[3]
    assert sum("level 1" in line for line in lines) == 2
