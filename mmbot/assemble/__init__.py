"""Composition root: settings and data become an engine, a venue and a watch, wired together.

The only place that knows what kind of run it is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple, Protocol

from mmbot.adapters.sim.account import SimAccount
from mmbot.adapters.sim.bars import BarExchange, BarRules
from mmbot.adapters.sim.exchange import (
    RecordedRows,
    ReplayExchange,
    RowSource,
    Terms,
)
from mmbot.adapters.sim.flow import MarketType
from mmbot.adapters.sim.latency import Delays, constant, read_table
from mmbot.adapters.sim.params import BacktestParams, InstrumentParams
from mmbot.adapters.sim.synthetic import Generated, SyntheticMarket, SyntheticRows
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import Replay
from mmbot.config.market import MarketConfig
from mmbot.config.schema import Config
from mmbot.domain.actions import Batch
from mmbot.domain.market import MICRO, PPB, Contract, Market
from mmbot.domain.quotes import HOLD, Hold
from mmbot.engine import Engine, Guards, VenueTraits
from mmbot.engine.desk import Desk
from mmbot.execution.budget import Budget
from mmbot.execution.order_ids import OrderIds
from mmbot.hedging.engine import HedgingEngine
from mmbot.quoting.fair import reference_share
from mmbot.quoting.skew import Portfolio
from mmbot.quoting.state import QuotingLimits, QuotingState
from mmbot.quoting.strategy import MarketMaker, Strategy
from mmbot.research.record import HORIZONS_NS, Recorder
from mmbot.research.watch import Watch
from mmbot.risk.breaker import Breaker
from mmbot.risk.limits import RiskManager
from mmbot.tape import Bar

MILLISECOND_NS = 1_000_000
BPS_PPB = PPB // 10_000
BATCH_SIZE = 4
SYNTHETIC_MARKET = Market("SIMUSD", Decimal("0.1"), Decimal("0.00001"))


class Onlooker:
    """A strategy that wants nothing, for watching a market."""

    def decide(self, state: QuotingState) -> Hold:  # noqa: ARG002 - the Strategy's signature
        """Leave things as they are."""
        return HOLD


class Recorded(Protocol):
    """A market's recorded rows; every tape.Feed is one."""

    @property
    def market(self) -> Market:
        """Grid and contract."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Rows in their final order."""
        ...

    def notes(self) -> list[str]:
        """Remarks on the recording."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything a run needs, wired but not started; `notes` are remarks on its input."""

    engine: Engine
    venue: ReplayExchange | BarExchange
    watch: Watch
    notes: Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What is not configuration: a log of every batch, only watching, a strategy of your own."""

    log: Callable[[Batch], None] | None = None
    observe: bool = False
    strategy: Callable[[Market], Strategy] | None = None


class Footing(NamedTuple):
    """What an engine stands on: the ids of its orders, its breaker, and what its venue is like."""

    ids: OrderIds
    breaker: Breaker
    traits: VenueTraits


def recorded_run(config: Config, feeds: Sequence[Recorded], options: RunOptions) -> Run:
    """Wire a backtest over recorded events."""
    markets = tuple(feed.market for feed in feeds)
    books = [OrderBook() for _ in markets]
    replay = _kernel(config.backtest, books, synthetic=False)
    _delays(config.backtest).apply(replay)
    sources = [RecordedRows(feed.chunks()) for feed in feeds]

    def notes() -> list[str]:
        return [note for feed in feeds for note in feed.notes()]

    account = _account(config, markets)
    return _over_rows(config, account, books, (replay, sources), options, notes)


def synthetic_run(
    config: Config, recorded: Callable[[bytes], None] | None, options: RunOptions
) -> Run:
    """Wire a simulation: the bot on a synthetic market that reacts to it."""
    params = config.simulate
    market = SyntheticMarket(MarketType(params.type), params.seed, SYNTHETIC_MARKET, params.steps)
    return generated_run(config, market, recorded, options)


def generated_run(
    config: Config,
    market: Generated,
    recorded: Callable[[bytes], None] | None,
    options: RunOptions,
) -> Run:
    """Wire the bot on a market that makes its rows as it goes."""
    params = config.simulate
    books = [OrderBook()]
    replay = _kernel(config.backtest, books, synthetic=True)
    delay_ns = round(params.latency_ms * MILLISECOND_NS)
    constant(delay_ns, delay_ns).apply(replay)
    sources = [SyntheticRows(market, replay, recorded, with_reference=params.reference)]
    account = _account(config, (market.market,))
    return _over_rows(config, account, books, (replay, sources), options)


def bar_run(config: Config, market: Market, bars: Iterator[Bar], options: RunOptions) -> Run:
    """Wire a backtest over bars of one market; figures count as fresh for two bars at least."""
    first = list(islice(bars, 2))
    bars = chain(first, bars)
    if len(first) > 1:
        config = _patient(config, first[1].ts_ns - first[0].ts_ns)
    params = config.backtest
    book = OrderBook()
    rules = BarRules(params.bars, params.seed, HORIZONS_NS)
    venue = BarExchange(bars, book, _account(config, (market,)), _terms(params), rules)

    def notes() -> list[str]:
        return [] if venue.warning is None else [venue.warning]

    return _watched(config, venue, [book], options, notes)


def _patient(config: Config, bar_ns: int) -> Config:
    """Settings under which two bars are not too long to wait for news."""
    least_ms = -(-2 * bar_ns // MILLISECOND_NS)
    stale = config.risk.stale
    stale = stale.model_copy(
        update={
            "book_ms": max(stale.book_ms, least_ms),
            "account_ms": max(stale.account_ms, least_ms),
        }
    )
    return config.model_copy(update={"risk": config.risk.model_copy(update={"stale": stale})})


def instrument(symbol: str, params: InstrumentParams) -> Market:
    """Market of a symbol as the configuration describes it; index 0."""
    smallest = params.lot if params.min_size is None else params.min_size
    lots = (smallest / params.lot).to_integral_value(ROUND_CEILING)
    return Market(
        symbol,
        params.tick,
        params.lot,
        min_lots=int(lots),
        contract=Contract(params.contract),
        contract_size=params.contract_size,
        imf=Fraction(str(params.imf_pct)) / 100,
    )


def market_settings(config: Config, symbol: str) -> MarketConfig:
    """Settings of a market: its own, or the defaults."""
    return config.markets.get(symbol, config.defaults)


def _over_rows(
    config: Config,
    account: SimAccount,
    books: Sequence[OrderBook],
    rows: tuple[Replay, Sequence[RowSource]],
    options: RunOptions,
    notes: Callable[[], Sequence[str]] = tuple,
) -> Run:
    replay, sources = rows
    venue = ReplayExchange(replay, sources, account, _terms(config.backtest))
    run = _watched(config, venue, books, options, notes)
    # Only who learns listens to them; a strategy of one's own may.
    learns = any(desk.observer is not None for desk in run.engine.desks)
    venue.tells_trades = learns or options.strategy is not None
    return run


def _watched(
    config: Config,
    venue: ReplayExchange | BarExchange,
    books: Sequence[OrderBook],
    options: RunOptions,
    notes: Callable[[], Sequence[str]] = tuple,
) -> Run:
    account = venue.account
    footing = Footing(
        OrderIds(config.instance.id, epoch=0),
        Breaker(config.risk.loss),
        VenueTraits(batch_size=BATCH_SIZE, book_includes_own=False),
    )
    engine = build_engine(config, account.markets, books, options, footing)
    recorder = Recorder(account.markets, account.initial_uusd)
    watch = Watch(engine, venue, recorder, options.log)
    return Run(engine=engine, venue=venue, watch=watch, notes=notes)


def _account(config: Config, markets: Sequence[Market]) -> SimAccount:
    return SimAccount(markets, int(config.backtest.initial_equity_usd * MICRO))


def _terms(params: BacktestParams) -> Terms:
    return Terms(
        maker_fee_ppb=round(params.maker_fee_bps * BPS_PPB),
        taker_fee_ppb=round(params.taker_fee_bps * BPS_PPB),
        funding_ppb_per_hour=round(params.funding_bps_per_hour * BPS_PPB),
    )


def _kernel(params: BacktestParams, books: list[OrderBook], synthetic: bool) -> Replay:
    numbers: tuple[float, ...] = ()
    if params.fill_model == "power":
        numbers = (params.queue_power,)
    elif params.fill_model == "probabilistic":
        arrivals = params.probabilistic
        numbers = (arrivals.arrivals_per_s, arrivals.decay_per_bps, params.seed)
    return Replay(
        books,
        queue=params.fill_model,
        numbers=numbers,
        partial=params.partial_fills,
        prints=synthetic,
        horizons=HORIZONS_NS,
    )


def _delays(params: BacktestParams) -> Delays:
    latency = params.latency
    if latency.file is None:
        return constant(
            round(latency.entry_ms * MILLISECOND_NS), round(latency.response_ms * MILLISECOND_NS)
        )
    return read_table(Path(latency.file), params.seed if latency.model == "sampled" else None)


def build_engine(
    config: Config,
    markets: Sequence[Market],
    books: Sequence[OrderBook],
    options: RunOptions,
    footing: Footing,
) -> Engine:
    """Put an engine together for these markets, each with its settings and its book."""
    settings = [market_settings(config, market.symbol) for market in markets]
    portfolio = Portfolio(len(markets))
    desks = [
        Desk(
            market,
            book,
            _strategy(config, own, market, options, portfolio),
            own.requote,
            HedgingEngine(own.hedge, market) if own.hedge.enabled else None,
            Guards(own.market_risk, config.risk, reference_share(own.fair_price)),
        )
        for market, book, own in zip(markets, books, settings, strict=True)
    ]
    return Engine(
        desks,
        RiskManager(config.risk, markets, [own.market_risk for own in settings]),
        footing.breaker,
        footing.ids,
        Budget(
            config.rate_limits,
            footing.traits.batch_size,
            footing.traits.slack_ns,
            footing.traits.reads_per_min,
        ),
        footing.traits,
    )


def _strategy(
    config: Config, own: MarketConfig, market: Market, options: RunOptions, portfolio: Portfolio
) -> Strategy:
    if options.observe or not own.enabled:
        return Onlooker()
    if options.strategy is not None:
        return options.strategy(market)
    return MarketMaker(own, quoting_limits(config, own), market, portfolio)


def quoting_limits(config: Config, own: MarketConfig) -> QuotingLimits:
    """Return the limits that the stages of a market's model obey."""
    risk, stale = own.market_risk, config.risk.stale
    cap = risk.max_position_usd
    return QuotingLimits(
        max_book_spread_ratio=risk.max_book_spread_bps / 10_000,
        book_max_age_ns=stale.book_ms * MILLISECOND_NS,
        reference_max_age_ns=stale.reference_ms * MILLISECOND_NS,
        market_exposure_ratio=risk.max_market_exposure_pct / 100,
        side_exposure_ratio=risk.max_exposure_per_side_pct / 100,
        max_position_uusd=None if cap is None else int(cap * MICRO),
        loss_uusd=int(config.risk.loss.daily_limit_usd * MICRO),
    )
