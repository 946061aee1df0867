"""What the settings say is what the wired run does: each key, seen from outside."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest

from mmbot import assemble
from mmbot.adapters.sim.params import InstrumentParams
from mmbot.config.loader import load
from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import Event, ReferencePrice
from mmbot.domain.market import Contract
from mmbot.domain.order import FillMode, Side
from mmbot.domain.quotes import Quotes
from mmbot.engine import Engine
from mmbot.quoting.state import QuotingState
from mmbot.quoting.strategy import MarketMaker
from mmbot.research.record import RunRecord
from mmbot.runtime.replay import replay

STEPS = 240
TIGHT = ["defaults.spread.min_bps=4", "defaults.spread.max_bps=8", "defaults.sizing.fixed_usd=90"]
NOTIONAL = Decimal("0.1") * Decimal("0.00001")


def run(*settings: str, kind: str = "normal") -> tuple[RunRecord, list[Batch]]:
    batches: list[Batch] = []
    flow = [f"simulate.type={kind}", f"simulate.steps={STEPS}", "simulate.seed=3"]
    config = load([], [*flow, *TIGHT, *settings]).config
    options = assemble.RunOptions(log=batches.append)
    wired = assemble.synthetic_run(config, None, options)
    replay(wired.engine, wired.venue, wired.watch, keep_going=lambda: True)
    return wired.watch.finish(), batches


class Looks:
    """Notes what the outside price was when it decided."""

    def __init__(self) -> None:
        self.seen: dict[int, float | None] = {}

    def decide(self, state: QuotingState) -> Quotes:
        self.seen[state.now_ns] = state.reference_ticks
        return Quotes((), (), "looking")


class Listener:
    """An engine that notes the outside prices it is told."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.next_wakeup_ns = engine.next_wakeup_ns
        self.told: dict[int, float | None] = {}

    def handle(self, event: Event) -> Sequence[Batch]:
        if isinstance(event, ReferencePrice):
            self.told[event.ts_recv_ns] = event.mid_ticks
        return self._engine.handle(event)


def places(batches: list[Batch]) -> list[Place]:
    return [action for batch in batches for action in batch.actions if isinstance(action, Place)]


def most_usd_at_once(batches: list[Batch]) -> Decimal:
    """Largest notional placed on one side at one moment."""
    placed: dict[tuple[int, Side], Decimal] = defaultdict(Decimal)
    for batch in batches:
        for action in batch.actions:
            if isinstance(action, Place):
                placed[batch.ts_ns, action.side] += NOTIONAL * action.ticks * action.lots
    return max(placed.values())


def test_a_decision_knows_the_outside_price_of_its_moment() -> None:
    looks = Looks()
    config = load([], ["simulate.steps=20", "simulate.seed=3"]).config
    options = assemble.RunOptions(strategy=lambda _: looks)
    wired = assemble.synthetic_run(config, None, options)
    listener = Listener(wired.engine)
    replay(listener, wired.venue, wired.watch, keep_going=lambda: True)
    told = listener.told
    checked = [moment for moment in looks.seen if moment in told]
    assert len(checked) > 50
    assert all(looks.seen[moment] == told[moment] for moment in checked)


@pytest.mark.parametrize(("source", "share"), [("mid", 0.0), ("blend", 0.6), ("reference", 1.0)])
def test_quotes_flee_the_outside_price_as_far_as_fair_follows_it(source: str, share: float) -> None:
    keys = [
        f"defaults.fair_price.source={source}",
        "defaults.fair_price.slopes.reference_share=0.6",
    ]
    wired = assemble.synthetic_run(load([], keys).config, None, assemble.RunOptions())
    assert wired.engine.desks[0].guards.reference_share == share


def test_levels_and_sizes() -> None:
    _, batches = run("defaults.levels.count=3")
    # Three levels of 90 USD, each rounded down to a lot of 0.6 USD.
    assert Decimal(268) < most_usd_at_once(batches) <= Decimal(270)


def test_a_side_is_capped_by_its_share_of_equity() -> None:
    # 1 % of 10,000 USD leaves room for one level of 90 USD and a rest of 10 USD, not for two.
    _, batches = run("defaults.market_risk.max_exposure_per_side_pct=1")
    assert Decimal(80) < most_usd_at_once(batches) <= Decimal(101)


@pytest.mark.parametrize(
    "cap",
    [
        "defaults.market_risk.max_market_exposure_pct=1",
        "defaults.market_risk.max_position_usd=100",
        "risk.max_total_exposure_pct=1",
    ],
)
def test_each_limit_caps_the_position(cap: str) -> None:
    # Without skew the position wanders; volatile, so that it gets far.
    free = ["defaults.inventory.max_shift_bps=0", "risk.loss.daily_limit_usd=5000"]
    wandering, _ = run(*free, kind="volatile")
    capped, _ = run(*free, cap, kind="volatile")
    largest = [
        max(abs(held) for held in positions(record)) * 60_000 * 0.00001
        for record in (wandering, capped)
    ]
    # 100 USD at the mark when the order went out; the price has moved a few per cent since P0.
    assert largest[0] > 180
    assert 80 < largest[1] <= 103


def test_rates_bound_what_is_sent() -> None:
    _, batches = run("rate_limits.orders_per_second=2", "rate_limits.cancels_per_second=3")
    for kind, limit in ((Place, 2), (Cancel, 3)):
        times = [
            batch.ts_ns for batch in batches for action in batch.actions if isinstance(action, kind)
        ]
        assert times
        later = times[limit:]
        assert all(b - a >= 10**9 for a, b in zip(times, later, strict=False))


def test_fees_follow_the_settings() -> None:
    free, _ = run("backtest.maker_fee_bps=0")
    paid, _ = run("backtest.maker_fee_bps=2.5")
    assert paid.fills
    assert not any(fill.fee_atoms for fill in free.fills)
    for fill in paid.fills:
        # 2.5 bps of ticks * lots, in atoms of a billionth of a tick times a lot.
        assert fill.fee_atoms == fill.ticks * fill.lots * 250_000


def test_holders_pay_funding_every_hour() -> None:
    # The run starts on a full hour, so one payment falls into 3,610 s; longs pay 10 bps.
    record, _ = run("backtest.funding_bps_per_hour=10", "simulate.steps=3610")
    (payment,) = record.funding
    held = sum(fill.side * fill.lots for fill in record.fills if fill.ts_recv_ns < payment.ts_ns)
    assert held != 0
    # 10 bps of half ticks / 2 * lots, in atoms of a billionth of a tick times a lot.
    assert payment.atoms == -held * payment.mark_half_ticks * 500_000


def test_a_hedge_takes_and_is_marked_as_one() -> None:
    hedge = ["defaults.hedge.enabled=true", "defaults.hedge.threshold_pct=5"]
    small = ["defaults.market_risk.max_position_usd=400", "risk.loss.daily_limit_usd=5000"]
    record, batches = run(*hedge, *small, kind="volatile")
    hedges = {place.order_id for place in places(batches) if place.mode is FillMode.IOC}
    assert hedges
    marked = [fill for fill in record.fills if fill.hedge]
    assert marked
    assert all(fill.order_id in hedges and not fill.maker for fill in marked)
    # Takers pay 3.5 bps unless told otherwise.
    assert all(fill.fee_atoms == fill.ticks * fill.lots * 350_000 for fill in marked)
    assert not any(fill.order_id in hedges for fill in record.fills if not fill.hedge)
    held = 0
    for fill in record.fills:
        if fill.hedge:
            # It only ever reduces.
            assert abs(held + fill.side * fill.lots) < abs(held)
        held += fill.side * fill.lots


def test_skew_direction_reaches_the_quotes() -> None:
    reduce, _ = run("defaults.inventory.max_shift_bps=100", kind="trending")
    literal, _ = run(
        "defaults.inventory.direction=literal",
        "defaults.inventory.max_shift_bps=100",
        kind="trending",
    )
    largest = [max(abs(position) for position in positions(record)) for record in (reduce, literal)]
    assert largest[0] < largest[1]


def positions(record: RunRecord) -> list[int]:
    held, path = 0, [0]
    for fill in record.fills:
        held += fill.side * fill.lots
        path.append(held)
    return path


def test_delays_follow_the_settings() -> None:
    slow, batches = run("simulate.latency_ms=250")
    sent = {place.order_id: batch.ts_ns for batch in batches for place in places([batch])}
    assert slow.fills
    for fill in slow.fills:
        assert fill.ts_exch_ns - sent[fill.order_id] >= 250_000_000
        assert fill.ts_recv_ns - fill.ts_exch_ns == 250_000_000


def test_a_strategy_of_ones_own_is_used() -> None:
    config = load([], ["simulate.steps=5"]).config
    options = assemble.RunOptions(strategy=lambda _market: assemble.Onlooker())
    wired = assemble.synthetic_run(config, None, options)
    assert isinstance(wired.engine.desks[0].strategy, assemble.Onlooker)


class Attentive:
    """One's own strategy that notes how far takers went; the engine does not show it the market."""

    def __init__(self) -> None:
        self.heard: set[int] = set()

    def decide(self, state: QuotingState) -> Quotes:
        self.heard |= {state.takers.bought_ticks, state.takers.sold_ticks} - {0}
        return Quotes((), (), "only listens")


def test_a_strategy_of_ones_own_hears_what_others_trade() -> None:
    config = load([], ["defaults.preset=seed", "simulate.steps=60"]).config
    own = Attentive()
    options = assemble.RunOptions(strategy=lambda _market: own)
    wired = assemble.synthetic_run(config, None, options)
    replay(wired.engine, wired.venue, wired.watch, keep_going=lambda: True)
    assert own.heard


def test_samples_show_the_best_own_quotes() -> None:
    record, _ = run("defaults.levels.count=3")
    widths = sorted(
        (sample.ask_quote_ticks - sample.bid_quote_ticks) * 2 / sample.mid_half_ticks * 10_000
        for sample in record.markets[0].series
        if sample.bid_quote_ticks and sample.ask_quote_ticks
    )
    # Level 0 is 4 to 8 bps wide, within the tolerance of 2 bps a side; level 1 at least 8.
    assert widths
    assert 3 < widths[len(widths) // 2] < 8


def test_an_instrument_is_what_the_settings_say() -> None:
    params = InstrumentParams.model_validate(
        {"tick": "0.5", "lot": "0.02", "min_size": "0.05", "contract": "inverse", "imf_pct": 2.5}
    )
    market = assemble.instrument("X", params)
    # 0.05 is two and a half lots: three are the fewest that reach it.
    assert (market.symbol, market.tick, market.lot, market.min_lots) == (
        "X",
        Decimal("0.5"),
        Decimal("0.02"),
        3,
    )
    assert market.contract is Contract.INVERSE
    assert market.imf == Fraction(1, 40)


@pytest.mark.parametrize(("preset", "learns"), [("recommended", True), ("seed", False)])
def test_only_a_strategy_that_learns_hears_what_others_trade(preset: str, learns: bool) -> None:
    config = load([], [f"defaults.preset={preset}", "simulate.steps=600"]).config
    wired = assemble.synthetic_run(config, None, assemble.RunOptions())
    replay(wired.engine, wired.venue, wired.watch, keep_going=lambda: True)
    (desk,) = wired.engine.desks
    assert type(desk.strategy) is MarketMaker
    # Estimated from the trades of takers, and from nothing else.
    arrivals = desk.strategy.learning.signals.arrivals
    estimates = config.defaults.estimates
    assert (arrivals != (estimates.arrivals_per_s, estimates.decay_per_bps)) is learns
