"""What the strategy report runs: all contestants on recordings and on six kinds of market, and what
is measured beside the runs. Every run has the same account, fees, sizes and delays.
"""

from dataclasses import dataclass
from math import exp
from pathlib import Path
from random import Random
from time import perf_counter, thread_time_ns

from mmbot.adapters.sim.flow import MarketType
from mmbot.adapters.sim.regimes import Regimes
from mmbot.adapters.sim.synthetic import SyntheticMarket, undisturbed
from mmbot.assemble import (
    SYNTHETIC_MARKET,
    RunOptions,
    bar_run,
    generated_run,
    quoting_limits,
    recorded_run,
    synthetic_run,
)
from mmbot.assemble.contest import DEFAULTS, Job, Making, Recording, Synthetic, run_job, settings_of
from mmbot.assemble.looking import SyntheticRecording, bars_of
from mmbot.cext.orderbook import OrderBook
from mmbot.config.schema import Config
from mmbot.domain.events import Fill
from mmbot.domain.market import MICRO
from mmbot.domain.quotes import Hold, Quotes, Room
from mmbot.errors import InvariantViolation
from mmbot.quoting.state import QuotingState
from mmbot.quoting.strategy import MarketMaker, Strategy
from mmbot.research.contest.goals import GATE, OURS, RECORDED
from mmbot.research.contest.outcome import Outcome
from mmbot.research.metrics import measure
from mmbot.runtime.replay import replay

KINDS = ("normal", "illiquid", "trending", "volatile", "flash-crash", "toxic")
# One account, size, limit and set of delays for all; no loss ends a run before its time.
SETTINGS = (
    "backtest.initial_equity_usd=100000",
    "backtest.maker_fee_bps=1",
    "backtest.latency.entry_ms=50",
    "backtest.latency.response_ms=50",
    "simulate.latency_ms=100",
    "defaults.sizing.fixed_usd=1000",
    "defaults.market_risk.max_position_usd=20000",
    "defaults.hedge.daily_cost_limit_usd=1000000",
    "risk.loss.daily_limit_usd=1000000",
    "risk.loss.drawdown_from_peak_pct=100",
    "risk.loss.drawdown_warn_pct=100",
)
RULES = {
    "zo": "zo",
    "glft": "glft",
    "glft + fee": "glft:fee_bps=1",
    "avellaneda": "avellaneda",
}
# Full widths in bps: where makers stand a tick apart, and where they are a few bps wide.
NOTES_ON_RECORDINGS = "min_bps=2:max_bps=6"
NOTES_ON_SYNTHETIC = "min_bps=6:max_bps=20"
STATES = 1000
TYPICAL_DISTANCE_BPS = 3.0
SECOND_STEPS = 10
LOOKS_OF_A_BAR = 10
# The notes' rule, tight enough for a market with makers 3 bps wide to trade with it; in both at
# the pace of the bars, and with orders that a tenth of a bar's volume fills.
NOTES_BY_BARS = (
    "defaults.sizing.fixed_usd=50",
    "defaults.market_risk.max_position_usd=1000",
    "defaults.requote.min_interval_ms=1000",
    "defaults.spread.min_bps=3",
    "defaults.spread.max_bps=9",
    "defaults.levels.count=1",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run: recordings, kinds of market with seeds and seconds, and whose settings are ours.

    `ours` is a preset, or a YAML file on top of the settings; `switches` is how many paths change
    from normal to toxic after `switch_s` seconds.
    """

    recordings: tuple[Path, ...]
    seeds: tuple[int, ...]
    steps: int
    ours: str = "recommended"
    sets: tuple[str, ...] = ()
    switches: int = 12
    switch_s: int = 7200


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A path from a normal to a toxic market, and the job that says whose settings run on it."""

    job: Job
    seed: int
    before_s: int
    after_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A normal market of `steps` seconds to run once by events and once by bars."""

    job: Job
    seed: int
    steps: int

    def recorded(self) -> SyntheticRecording:
        """The market, afresh."""
        return SyntheticRecording(
            SyntheticMarket(MarketType.NORMAL, self.seed, SYNTHETIC_MARKET, self.steps)
        )


def bars_task(plan: Plan) -> Bars:
    """Return the market on which bars and events are compared."""
    market = Synthetic(type="normal", seed=0, steps=1)
    sets = (*SETTINGS, *plan.sets, *NOTES_BY_BARS)
    job = Job(name="notes", strategy=DEFAULTS, market=market, sets=sets)
    return Bars(job=job, seed=plan.seeds[0], steps=4 * plan.steps)


def field_jobs(plan: Plan) -> list[tuple[str, Job]]:
    """Return every run of every contestant, with its kind of market."""
    jobs = []
    for recording in plan.recordings:
        jobs += _contestants(plan, RECORDED, Recording(path=recording), NOTES_ON_RECORDINGS)
    for kind in KINDS:
        for seed in plan.seeds:
            market = Synthetic(type=kind, seed=seed, steps=plan.steps)
            jobs += _contestants(plan, kind, market, NOTES_ON_SYNTHETIC)
    return jobs


def switches(plan: Plan) -> list[Switch]:
    """Return the paths that change from normal to toxic."""
    market = Synthetic(type="normal", seed=0, steps=1)
    job = Job(name=OURS, strategy=plan.ours, market=market, sets=(*SETTINGS, *plan.sets))
    return [
        Switch(job=job, seed=plan.seeds[0] + n, before_s=plan.switch_s, after_s=plan.switch_s)
        for n in range(plan.switches)
    ]


def gate_delay_s(switch: Switch) -> float | None:
    """Return how long after the change our quotes were gated, in whole seconds; None: never."""
    config, _ = settings_of(switch.job)
    kinds = [(MarketType.NORMAL, switch.before_s), (MarketType.TOXIC, switch.after_s)]
    market = Regimes(kinds, switch.seed, SYNTHETIC_MARKET)
    run = generated_run(config, market, None, RunOptions())
    onset_ns = market.setting.start_ns + switch.before_s * 1_000_000_000
    desk = run.engine.desks[0]
    while not run.venue.finished:
        replay(run.engine, run.venue, run.watch, max_steps=SECOND_STEPS, keep_going=lambda: True)
        answer = desk.answer
        gated = isinstance(answer, Quotes) and answer.reason == GATE
        if gated and run.venue.now_ns >= onset_ns:
            return (run.venue.now_ns - onset_ns) / 1e9
    return None


def carry_out(task: Job | Switch | Bars) -> Outcome | float | None:
    """Do one task: the outcome of a run, the delay of the gate, or what bars add."""
    if isinstance(task, Job):
        return run_job(task)
    return gate_delay_s(task) if isinstance(task, Switch) else bars_gap_bps(task)


def bars_gap_bps(task: Bars) -> float:
    """Return the notes' profit per volume by bars of a second less that by events, same market.

    The market is synthetic, normal, and does not react to the orders in either.
    """
    config, _ = settings_of(task.job)
    by_events = recorded_run(config, [task.recorded()], RunOptions())
    by_bars = bar_run(
        config, SYNTHETIC_MARKET, bars_of(task.recorded(), LOOKS_OF_A_BAR), RunOptions()
    )
    gained = []
    for run in (by_bars, by_events):
        replay(run.engine, run.venue, run.watch, keep_going=lambda: True)
        profit = measure(run.watch.finish()).profit
        gained.append(profit.pnl_net_bps or 0.0)
    return gained[0] - gained[1]


def simulator_s(steps: int) -> float:
    """Return how long a normal market of 10,000 s takes, measured on so many of them."""
    market = SyntheticMarket(MarketType.NORMAL, 1, SYNTHETIC_MARKET, steps)
    began_s = perf_counter()
    for _ in undisturbed(market):
        pass
    return (perf_counter() - began_s) / steps * 10_000


class _Timed:
    """A strategy that learns, and the processor time it took from the book to its quotes."""

    def __init__(self, maker: MarketMaker) -> None:
        self._maker = maker
        self._seen_ns = 0
        self.times_ns: list[int] = []

    def observe(self, state: QuotingState) -> None:
        began_ns = thread_time_ns()
        self._maker.observe(state)
        self._seen_ns = thread_time_ns() - began_ns

    def take_fill(self, fill: Fill) -> None:
        self._maker.take_fill(fill)

    def decide(self, state: QuotingState) -> Hold | Quotes:
        began_ns = thread_time_ns()
        answer = self._maker.decide(state)
        self.times_ns.append(self._seen_ns + thread_time_ns() - began_ns)
        return answer


def decision_us(plan: Plan, steps: int) -> tuple[float, float]:
    """Return median and 99 % of our decisions on a normal market, book to quotes, microseconds."""
    market = Synthetic(type="normal", seed=plan.seeds[0], steps=steps)
    job = Job(name=OURS, strategy=plan.ours, market=market, sets=(*SETTINGS, *plan.sets))
    run = synthetic_run(settings_of(job)[0], None, RunOptions())
    desk = run.engine.desks[0]
    if not isinstance(desk.strategy, MarketMaker):
        raise InvariantViolation("the bot's own settings make its own strategy")
    timed = _Timed(desk.strategy)
    desk.quote_with(timed)
    replay(run.engine, run.venue, run.watch, keep_going=lambda: True)
    times = sorted(timed.times_ns)
    return times[len(times) // 2] / 1000, times[len(times) * 99 // 100] / 1000


def skew_pct(plan: Plan, seed: int) -> dict[str, float]:
    """Return in which share of random long states each contestant's position is expected to fall.

    Fills come at exp(-distance from mid): a long position may not make the bid the likelier one
    than it is when flat.
    """
    market = Synthetic(type="normal", seed=1, steps=1)
    shares = {}
    for _, job in _contestants(plan, "normal", market, NOTES_ON_SYNTHETIC):
        random = Random(seed)  # noqa: S311 - random states, the same every time
        config, making = settings_of(job)
        held = 0
        for _ in range(STATES):
            state = _random_state(random)
            long_lots, state.position_lots = state.position_lots, 0
            flat = _expected_lots(state, _fresh(config, making))
            state.position_lots = long_lots
            held += _expected_lots(state, _fresh(config, making)) <= flat + 1e-9
        shares[job.name] = held * 100 / STATES
    return shares


def _fresh(config: Config, making: Making | None) -> Strategy:
    if making is not None:
        return making(SYNTHETIC_MARKET)
    own = config.defaults
    return MarketMaker(own, quoting_limits(config, own), SYNTHETIC_MARKET)


def _expected_lots(state: QuotingState, strategy: Strategy) -> float:
    """What a position is expected to grow by, in fills."""
    answer = strategy.decide(state)
    if not isinstance(answer, Quotes):
        return 0.0
    best_bid, best_ask, *_ = state.book.top(1, True)
    mid = (best_bid + best_ask) / 2
    decay = 1e4 / mid / TYPICAL_DISTANCE_BPS
    bids = sum(exp(-(mid - level.ticks) * decay) for level in answer.bids)
    asks = sum(exp(-(level.ticks - mid) * decay) for level in answer.asks)
    return bids - asks


def _random_state(random: Random) -> QuotingState:
    mid, half = random.randint(300_000, 900_000), random.randint(5, 120)
    book = OrderBook()
    sizes = [random.randint(1000, 60_000) for _ in range(12)]
    book.snapshot(
        [(mid - half - 30 * n, sizes[n]) for n in range(6)],
        [(mid + half + 30 * n, sizes[6 + n]) for n in range(6)],
    )
    state = QuotingState(SYNTHETIC_MARKET, book)
    state.now_ns = state.book_ts_ns = 10**18
    state.equity_uusd = state.free_uusd = 100_000 * MICRO
    limit = SYNTHETIC_MARKET.lots_for(20_000 * MICRO, 2 * mid)
    state.position_lots = random.randint(1, limit)
    state.room = Room(limit, limit, limit)
    return state


def _contestants(
    plan: Plan, kind: str, market: Recording | Synthetic, widths: str
) -> list[tuple[str, Job]]:
    rules = {
        "notes literal": f"notes:direction=1:{widths}",
        "notes reduce": f"notes:direction=-1:{widths}",
        **RULES,
    }
    sets = (*SETTINGS, *plan.sets)
    jobs = [
        (kind, Job(name=name, strategy=rule, market=market, sets=sets))
        for name, rule in rules.items()
    ]
    return [*jobs, (kind, Job(name=OURS, strategy=plan.ours, market=market, sets=sets))]
