"""The venues a live bot can have: the real one, or a pretend one fed by the real one's streams."""

from collections.abc import Awaitable, Callable, Sequence
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
    Start,
    Surroundings,
    TradedAccount,
    TradingParams,
)
from mmbot.adapters.zo.trading.venue import ZoVenue
from mmbot.assemble import BPS_PPB, MILLISECOND_NS
from mmbot.cext.matching import Matching
from mmbot.config.schema import Config
from mmbot.domain.market import MICRO
from mmbot.ports import Venue, VenueFigures


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
    trading = TradingParams(cancels_per_s=limits.cancels_per_second)
    venue = ZoVenue(access, traded, outside, hooks, trading, start)

    def figures() -> VenueFigures:
        told = venue.figures
        acks = sorted(told.ack_ns)
        if not acks:
            return VenueFigures(reconnects=told.reconnects)
        p50_ns, p99_ns = acks[len(acks) // 2], acks[len(acks) * 99 // 100]
        return VenueFigures(p50_ns / MILLISECOND_NS, p99_ns / MILLISECOND_NS, told.reconnects)

    return Placed(venue, figures, venue.audit)


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
