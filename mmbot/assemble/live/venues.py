"""The venues a live bot can have: the real one, or a pretend one fed by the real one's streams."""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from mmbot.adapters.sim.account import SimAccount
from mmbot.adapters.sim.paper import PaperTerms, PaperVenue
from mmbot.adapters.sim.paper_floor import PaperFloor
from mmbot.adapters.web.clock import Clock
from mmbot.adapters.zo.market_terms import BookedMarket
from mmbot.adapters.zo.rest.action_line import ActionLine, LineParams
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.trading.params import (
    Access,
    Hooks,
    ProtectionTerms,
    Start,
    Surroundings,
    TradedAccount,
    TradingParams,
)
from mmbot.adapters.zo.trading.venue import VenueFigures as ZoFigures
from mmbot.adapters.zo.trading.venue import ZoVenue
from mmbot.assemble import BPS_PPB, MILLISECOND_NS
from mmbot.cext.matching import Matching
from mmbot.config.schema import Config
from mmbot.domain.figures import Labels, Readings
from mmbot.domain.market import MICRO
from mmbot.ports import Venue, VenueFigures

BPS_PER_WHOLE = 10_000


class Placed(NamedTuple):
    """A venue, and how it does. `last_trades` reads its list once more, at the end of a run."""

    venue: Venue
    figures: Callable[[], VenueFigures]
    last_trades: Callable[[], Awaitable[None]] | None = None


def real_venue(
    http: ZoHttp,
    config: Config,
    traded: TradedAccount,
    outside: Surroundings,
    hooks: Hooks,
    start: Start,
) -> Placed:
    """Put the venue together for trading on this account."""
    params = config.venue
    line = ActionLine(params.http_origin, LineParams(connect_s=params.connect_timeout_ms / 1000))
    access = Access(http, line, params.ws_origin)
    limits = config.rate_limits
    trading = TradingParams(cancels_per_s=limits.cancels_per_second, protection=_protection(config))
    venue = ZoVenue(access, traded, outside, hooks, trading, start)

    def figures() -> VenueFigures:
        told = venue.figures
        acks = sorted(told.ack_ns)
        p50_ms = p99_ms = None
        if acks:
            p50_ms = acks[len(acks) // 2] / MILLISECOND_NS
            p99_ms = acks[len(acks) * 99 // 100] / MILLISECOND_NS
        readings = _readings(venue, told, http, outside.clock())
        return VenueFigures(p50_ms, p99_ms, told.reconnects, readings, told.stops)

    return Placed(venue, figures, venue.audit)


def _protection(config: Config) -> ProtectionTerms | None:
    """Return how stop triggers are kept, None for none."""
    wanted = config.risk.protective_trigger
    if not wanted.enabled:
        return None
    distance = Decimal(str(wanted.distance_bps)) / BPS_PER_WHOLE
    return ProtectionTerms(distance, Decimal(str(wanted.move_at_pct)) / 100)


def _readings(venue: ZoVenue, told: ZoFigures, http: ZoHttp, now_ns: int) -> Readings:
    """Return what is counted between us and the venue."""
    requests: dict[Labels, float] = dict(http.answered)
    for outcome in ("accepted", "rejected", "unanswered", "not_sent"):
        requests["action", outcome] = getattr(told, outcome)
    return Readings(
        counts={
            "http_requests": requests,
            "order_retries": {("action",): told.repeats},
            "rate_limit_rejections": {("venue",): told.refused_for_rate},
            "ws_messages": {("account",): told.messages},
            "ws_reconnects": {("account",): told.reconnects},
        },
        gauges={"rate_limit_tokens": {("venue",): http.allowance.left(now_ns)}},
        times={"order_ack_seconds": venue.acks},
    )


def paper_venue(
    config: Config, markets: Sequence[BookedMarket], clock: Clock, *, fills: bool
) -> PaperVenue:
    """Put a pretend exchange together, with fees, queues and delays of the backtest's settings."""
    params = config.backtest
    numbers: tuple[float, ...] = ()
    if params.fill_model == "power":
        numbers = (params.queue_power,)
    elif params.fill_model == "probabilistic":
        arrivals = params.probabilistic
        numbers = (arrivals.arrivals_per_s, arrivals.decay_per_bps, params.seed)
    grids = [each.listing.market(each.index) for each in markets]
    latency = params.latency
    matchings = [
        Matching(queue=params.fill_model, numbers=numbers, partial=params.partial_fills)
        for _ in markets
    ]
    floor = PaperFloor(
        SimAccount(grids, int(params.initial_equity_usd * MICRO)),
        [each.book for each in markets],
        matchings,
        (round(params.maker_fee_bps * BPS_PPB), round(params.taker_fee_bps * BPS_PPB)),
        # Ids of fills go on from those of the runs before.
        first_fill=clock() // MILLISECOND_NS * 1_000,
    )
    terms = PaperTerms(
        entry_ns=round(latency.entry_ms * MILLISECOND_NS),
        response_ns=round(latency.response_ms * MILLISECOND_NS),
        funding_ppb_per_hour=round(params.funding_bps_per_hour * BPS_PPB),
        fills=fills,
    )
    return PaperVenue(floor, terms, clock)
