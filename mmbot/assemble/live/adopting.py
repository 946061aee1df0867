"""Has a running engine take on other settings, between two events; see config.live_keys.

Everything new is made before anything old is replaced, so a mistake changes nothing.
"""

from mmbot.assemble import market_settings, quoting_limits
from mmbot.config.schema import Config
from mmbot.domain.market import MICRO
from mmbot.domain.status import Limits
from mmbot.engine import Engine
from mmbot.execution.diff import Tolerance
from mmbot.quoting.fair import reference_share
from mmbot.quoting.strategy import MarketMaker
from mmbot.risk.limits import adopt as adopt_limits


def adopt(engine: Engine, config: Config) -> None:
    """Quote, requote and limit by these settings from the next decision on."""
    owns = [market_settings(config, desk.state.market.symbol) for desk in engine.desks]
    strategies = [
        desk.strategy.renewed(own, quoting_limits(config, own), desk.state.market)
        if type(desk.strategy) is MarketMaker
        else desk.strategy
        for desk, own in zip(engine.desks, owns, strict=True)
    ]
    tolerances = [Tolerance(own.requote) for own in owns]
    for number, (desk, own) in enumerate(zip(engine.desks, owns, strict=True)):
        desk.quote_with(strategies[number])
        desk.tolerance = tolerances[number]
        desk.guards.adopt(own.market_risk, config.risk)
        desk.guards.reference_share = reference_share(own.fair_price)
    adopt_limits(engine.risk, config.risk, [own.market_risk for own in owns])
    engine.stops.breaker.losses.adopt(config.risk.loss)


def limits_of(config: Config) -> Limits:
    """Return what the account is held to by these settings."""
    risk = config.risk
    return Limits(
        margin_ratio=risk.min_margin_fraction_pct / 100,
        exposure_ratio=risk.max_total_exposure_pct / 100,
        daily_loss_uusd=int(risk.loss.daily_limit_usd * MICRO),
        drawdown_ratio=risk.loss.drawdown_from_peak_pct / 100,
        free_uusd=int(risk.min_free_collateral_usd * MICRO),
        orders=risk.max_open_orders_count,
    )
