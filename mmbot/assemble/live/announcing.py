"""What a bot says before it trades: where, as whom, how much, within which limits, watched by whom.

Money is in USD, widths in basis points of the price; a person reads this to see a mistake in time.
"""

import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mmbot.adapters.zo.rest.answers import Listing
from mmbot.assemble import BATCH_SIZE, market_settings
from mmbot.assemble.live.refusals import resting_of
from mmbot.assemble.live.start import Ground, Holding, clock_words
from mmbot.assemble.live.world import RunMode
from mmbot.config.checks import worst_stop_s
from mmbot.config.market import MarketConfig
from mmbot.config.schema import Config
from mmbot.domain.market import MICRO

_PROBE_S = 0.2
_MODES = {
    RunMode.OBSERVE: "quotes are computed and shown, nothing is sent",
    RunMode.PAPER: "a matching engine here fills the quotes, nothing is sent",
    RunMode.LIVE: "orders are sent",
}

# In a calm minute: the engine's time and the prices every second, the account now and then.
READS = 240


class Kept(NamedTuple):
    """What is kept on this machine, and where the guard listens (None: nobody could)."""

    epoch: int
    ledger: Path
    lock: Path | None
    guard: Path | None


def announcement(
    config: Config, mode: RunMode, ground: Ground, holding: Holding | None, kept: Kept, now_ns: int
) -> tuple[str, ...]:
    """Return the lines, warnings last."""
    symbols = ", ".join(each.symbol for each in ground.listings)
    warnings = [clock_words(ground.engine_clock, now_ns, config.venue.max_clock_offset_ms)]
    if holding is not None:
        warnings.append(_unguarded(kept.guard))
    return (
        f"{mode}: {symbols} at {config.venue.http_origin}; {_MODES[mode]}",
        *(f"  {line}" for line in _lines(config, ground, holding, kept)),
        *(f"warning: {words}" for words in warnings if words is not None),
    )


def interval_ms(config: Config, listings: Sequence[Listing]) -> float:
    """Return how often every order can be replaced within the rate limits."""
    levels = [market_settings(config, each.symbol).levels.count for each in listings]
    rates = config.rate_limits
    left = max(rates.requests_per_minute - READS, rates.requests_per_minute / 2)
    rates = rates.model_copy(update={"requests_per_minute": left})
    return rates.requote_interval_ms(levels, BATCH_SIZE)


def _lines(config: Config, ground: Ground, holding: Holding | None, kept: Kept) -> Iterator[str]:
    yield f"bot      {config.instance.name}, instance {config.instance.id}, run {kept.epoch}"
    equity_usd = float(config.backtest.initial_equity_usd)
    if holding is None:
        yield f"account  none: {equity_usd:,.2f} USD are made up (backtest.initial_equity_usd)"
    else:
        equity_usd = holding.view.margins.mf_uusd / MICRO
        yield f"account  {_account(holding)}"
        yield f"session  {_session(holding)}"
    for listing in ground.listings:
        yield f"{listing.symbol:<8} {_market(market_settings(config, listing.symbol), listing)}"
    yield f"losses   {_losses(config, equity_usd)}"
    yield f"limits   {_limits(config, ground.listings)}"
    stop = config.risk.protective_trigger
    if holding is not None and stop.enabled:
        yield f"stops    kept at the venue, {stop.distance_bps:g} bps beyond the entry"
    rates = config.rate_limits
    yield (
        f"rates    {rates.orders_per_second:g} orders/s, {rates.cancels_per_second:g} cancels/s, "
        f"{rates.requests_per_minute:g} requests/min: every order anew every "
        f"{interval_ms(config, ground.listings):,.0f} ms at most"
    )
    if holding is not None:
        orders = resting_of(config, ground.listings)
        yield f"stop     takes {worst_stop_s(config, orders):.0f} s at most"
    yield f"ledger   {kept.ledger}"
    if kept.lock is not None:
        yield f"lock     {kept.lock}"
    if kept.guard is not None:
        yield f"guard    {kept.guard}: {'listens' if _listens(kept.guard) else 'nobody listens'}"


def _account(holding: Holding) -> str:
    view = holding.view
    held = sum(1 for each in view.positions if each.lots)
    return (
        f"{holding.account_id}: equity {view.margins.mf_uusd / MICRO:,.2f} USD, "
        f"{_count(held, 'position')}, {_count(len(view.orders), 'order')}; "
        f"fees {holding.rates.maker_ppm / 100:g} bps maker, {holding.rates.taker_ppm / 100:g} taker"
    )


def _session(holding: Holding) -> str:
    session = holding.session
    ends = datetime.fromtimestamp(session.expiry_s, UTC)
    return f"{session.session_id} of wallet {session.user}, ends {ends:%Y-%m-%dT%H:%M:%SZ}"


def _market(settings: MarketConfig, listing: Listing) -> str:
    spread, most = settings.spread, settings.market_risk.max_position_usd
    limit = f"{settings.market_risk.max_market_exposure_pct:g} % of equity"
    if most is not None:
        limit = f"{most:,.2f} USD or {limit}"
    grid = listing.market(0)
    return (
        f"{_count(settings.levels.count, 'level')} a side of {_size(settings)}, "
        f"{spread.min_bps:g} to {spread.max_bps:g} bps wide, position at most {limit}; "
        f"tick {grid.tick:f}, lot {grid.lot:f}"
    )


def _size(settings: MarketConfig) -> str:
    sizing = settings.sizing
    if sizing.mode == "percentage":
        return f"{sizing.percentage_of_free_collateral_pct:g} % of free collateral"
    if sizing.mode == "tiered":
        shares = " / ".join(f"{100 * each:g} %" for each in sizing.tier_weights)
        return f"{shares} of the limit"
    if sizing.fixed_base is not None:
        return f"{sizing.fixed_base:f} units"
    return f"{sizing.fixed_usd:,.2f} USD"


def _losses(config: Config, equity_usd: float) -> str:
    loss = config.risk.loss
    fall_usd = equity_usd * loss.drawdown_from_peak_pct / 100
    return (
        f"halts after {loss.daily_limit_usd:,.2f} USD lost in a day, or a fall of "
        f"{loss.drawdown_from_peak_pct:g} % from the equity peak ({fall_usd:,.2f} USD of today's)"
    )


def _limits(config: Config, listings: Sequence[Listing]) -> str:
    risk = config.risk
    orders = min(resting_of(config, listings), risk.max_open_orders_count)
    return (
        f"at most {_count(orders, 'order')}, exposure at most {risk.max_total_exposure_pct:g} % of "
        f"equity; paused below {risk.min_free_collateral_usd:,.2f} USD free or a margin of "
        f"{risk.min_margin_fraction_pct:g} %"
    )


def _unguarded(path: Path | None) -> str | None:
    if path is None or _listens(path):
        return None
    return (
        "no guard: should this process die, its orders rest until `mmbot cancel-all --direct` "
        "or the next start (`mmbot guard`)"
    )


def _listens(path: Path) -> bool:
    """Whether somebody answers at a socket; the guard takes a caller without a word for nobody."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
