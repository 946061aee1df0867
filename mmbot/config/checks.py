"""What a valid configuration may still get wrong: remarks, never errors."""

from collections.abc import Iterator
from typing import NamedTuple

from mmbot.config.keys import values
from mmbot.config.market import MarketConfig
from mmbot.config.schema import Config
from mmbot.domain.params import Params

LITERAL_SKEW = (
    "literal raises both quotes when long, so the bid fills more easily, the ask less, and a long"
    " position grows. It follows the original notes word for word and is kept to compare with;"
    " reduce leans toward flat."
)
# Two rounds of splitting and two snapshots, over a slow line.
PROOF_S = 4.0


class Remark(NamedTuple):
    """A doubt about the value of `key` (dotted path)."""

    key: str
    text: str


def remarks(config: Config) -> list[Remark]:
    """Return the doubts about `config`, those that markets share only once, at `defaults`."""
    shared = list(_market_remarks(config.defaults, config))
    found = [Remark(f"defaults.{key}", text) for key, text in shared]
    for name, market in config.markets.items():
        own = [remark for remark in _market_remarks(market, config) if remark not in shared]
        found += [Remark(f"markets.{name}.{key}", text) for key, text in own]
    return found + list(_account_remarks(config))


def _market_remarks(market: MarketConfig, config: Config) -> Iterator[Remark]:
    inventory, risk, sizing = market.inventory, market.market_risk, market.sizing
    yield from _shares_for_percent(market)
    if inventory.direction == "literal":
        yield Remark("inventory.direction", LITERAL_SKEW)
    if inventory.deadband_pct >= 100:
        yield Remark("inventory.deadband_pct", "at 100 % of the limit or more nothing ever skews")
    yield from _strong_skew(market, float(config.backtest.initial_equity_usd))
    if market.spread.min_bps < 2 * config.backtest.maker_fee_bps:
        yield Remark(
            "spread.min_bps",
            f"{market.spread.min_bps:g} bps is less than the two maker fees of a round trip,"
            f" {2 * config.backtest.maker_fee_bps:g} bps; every round trip loses",
        )
    if risk.max_exposure_per_side_pct > risk.max_market_exposure_pct:
        yield Remark(
            "market_risk.max_exposure_per_side_pct",
            f"{risk.max_exposure_per_side_pct:g} % is above max_market_exposure_pct"
            f" {risk.max_market_exposure_pct:g} %, which is reached first",
        )
    if risk.max_market_exposure_pct > config.risk.max_total_exposure_pct:
        yield Remark(
            "market_risk.max_market_exposure_pct",
            f"{risk.max_market_exposure_pct:g} % is above risk.max_total_exposure_pct"
            f" {config.risk.max_total_exposure_pct:g} %, which is reached first",
        )
    fixed = sizing.mode == "fixed" and sizing.fixed_base is None
    if fixed and sizing.fixed_usd > sizing.max_order_usd:
        yield Remark(
            "sizing.fixed_usd",
            f"{sizing.fixed_usd} is above max_order_usd {sizing.max_order_usd}; levels are cut",
        )


def _strong_skew(market: MarketConfig, equity_usd: float) -> Iterator[Remark]:
    """One fill must not carry the quotes of the other side over the fair price."""
    risk, sizing = market.market_risk, market.sizing
    limit_usd = equity_usd * risk.max_market_exposure_pct / 100
    if risk.max_position_usd is not None:
        limit_usd = min(limit_usd, float(risk.max_position_usd))
    if sizing.mode == "tiered":
        order_usd = limit_usd * max(sizing.tier_weights[: market.levels.count])
    elif sizing.mode == "percentage":
        order_usd = equity_usd * sizing.percentage_of_free_collateral_pct / 100
    elif sizing.fixed_base is None:
        order_usd = float(sizing.fixed_usd)
    else:
        # What it is worth depends on a price nobody knows here.
        return
    order_usd = min(order_usd, float(sizing.max_order_usd))
    shift_bps = min(1.0, order_usd / limit_usd) * market.inventory.max_shift_bps
    if shift_bps > market.spread.min_bps / 2:
        yield Remark(
            "inventory.max_shift_bps",
            f"a fill of {order_usd:,.0f} USD against a limit of {limit_usd:,.0f} USD shifts the"
            f" quotes by {shift_bps:.1f} bps, more than half of spread.min_bps"
            f" {market.spread.min_bps:g}; the quote that gives it back stands beyond the fair"
            " price and loses",
        )


def _shares_for_percent(section: Params, prefix: tuple[str, ...] = ()) -> Iterator[Remark]:
    for path, value in values(section, prefix):
        if path[-1].endswith("_pct") and isinstance(value, float) and 0 < value < 1:
            text = f"{value:g} is read as {value:g} %; if {value * 100:g} % is meant, write that"
            yield Remark(".".join(path), text)


def _account_remarks(config: Config) -> Iterator[Remark]:
    for name in ("risk", "rate_limits", "backtest"):
        yield from _shares_for_percent(getattr(config, name), (name,))
    orders = resting_orders(config)
    if orders > config.risk.max_open_orders_count:
        yield Remark(
            "risk.max_open_orders_count",
            f"{config.risk.max_open_orders_count} is less than the {orders} orders that all"
            " levels of all enabled markets rest; some levels stay away",
        )


def quoted(config: Config) -> dict[str, MarketConfig]:
    """Return the enabled markets; `defaults` alone when the file names no market."""
    named = config.markets or {"defaults": config.defaults}
    return {name: market for name, market in named.items() if market.enabled}


def resting_orders(config: Config) -> int:
    """Return how many orders rest when every level of every enabled market is quoted."""
    return sum(2 * market.levels.count for market in quoted(config).values())


def worst_stop_s(config: Config, orders: int) -> float:
    """Return how long a stop may take: waiting for what may still land, cancelling, proving."""
    resting = min(orders, config.risk.max_open_orders_count)
    cancelling_s = resting / config.rate_limits.cancels_per_second
    return config.venue.action_lifetime_s + cancelling_s + PROOF_S
