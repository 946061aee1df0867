"""Parameters of the synthetic markets, one set per type.

Prices in basis points of the starting price, sizes in order units of 1,000 USD, times in seconds.
Changing anything here changes every generated market: raise FLOW_VERSION with it.
"""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum

FLOW_VERSION = 1
SUBSTEP_NS = 50_000_000
SUBSTEPS_PER_STEP = 20


class MarketType(StrEnum):
    """The markets `simulate --type` knows."""

    NORMAL = "normal"
    ILLIQUID = "illiquid"
    TRENDING = "trending"
    RANGING = "ranging"
    VOLATILE = "volatile"
    FLASH_CRASH = "flash-crash"
    TOXIC = "toxic"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowParams:
    """Everything the flow kernel needs besides the grid; the defaults are a normal market.

    Efficient price: `sigma` bps per root second, its logarithm an OU process (`volvol`,
    `vol_return` per s); two-sided exponential jumps; `alpha_sd` bps/s of predictable drift that
    the touch sizes betray through `tilt`; `reversion` per s pulls back to the starting price.
    Public makers: follow with lag `maker_lag`, quote `half_spread` (log-OU noise, widening with
    volatility by `half_spread_vol`), wobble by `bounce` bps, show `depth` units at the touch and
    deeper levels every `gap` bps; `one_sided` of the time a side is empty.
    Takers: self-exciting noise of base rate `noise_rate` per s and branching ratio
    `noise_branching`, Pareto sizes; informed at `informed_rate` per s while the efficient price is
    `informed_edge` beyond the best price. Impacts are bps per root unit executed (what the book
    cannot give moves nothing, hence a greater figure in a thin market).
    Crash: at `crash_start` s the price falls `crash_fall` bps in `crash_s`, then rebounds.
    """

    levels: int = 16
    sigma: float = 0.7
    volvol: float = 0.04
    vol_return: float = 1 / 300
    jump_rate: float = 0.25
    jump_mean: float = 1.2
    drift: float = 0.0
    reversion: float = 0.0
    alpha_sd: float = 0.3
    alpha_return: float = 0.6
    half_spread: float = 1.5
    half_spread_noise: float = 0.3
    half_spread_vol: float = 0.5
    bounce: float = 0.2
    depth: float = 5.0
    tilt: float = 1.2
    gap: float = 0.6
    maker_lag: float = 0.25
    noise_rate: float = 0.15
    noise_branching: float = 0.5
    noise_decay: float = 0.3
    noise_persistence: float = 0.35
    noise_min_size: float = 0.37
    noise_tail: float = 1.5
    informed_rate: float = 4.0
    informed_edge: float = 3.5
    informed_size: float = 2.6
    temporary_impact: float = 0.02
    permanent_impact: float = 0.08
    one_sided: float = 0.0
    crash_start: float = 0.0
    crash_fall: float = 0.0
    crash_s: float = 90.0
    rebound: float = 0.6
    rebound_s: float = 600.0
    crash_spread: float = 8.0
    crash_depth: float = 0.1
    reference_noise: float = 0.02

    def numbers(self) -> dict[str, float]:
        """Every parameter as the kernel takes it."""
        return {name: float(value) for name, value in asdict(self).items()}


CRASH_START_SHARE = 0.6

# Ranging: pulled back with a half-life of about 9 s into a band of some 3 bps around the starting
# price; the variance ratio 60 s / 1 s is about 0.3, excursions stay below 25 bps.
_NORMAL = FlowParams()
_PARAMS = {
    MarketType.NORMAL: _NORMAL,
    MarketType.ILLIQUID: replace(
        _NORMAL,
        sigma=1.0,
        jump_rate=0.1,
        jump_mean=3.0,
        half_spread=8.0,
        half_spread_noise=0.45,
        depth=1.0,
        gap=4.0,
        maker_lag=1.5,
        noise_rate=0.02,
        permanent_impact=1.1,
        one_sided=0.02,
    ),
    MarketType.TRENDING: replace(_NORMAL, drift=0.05, noise_persistence=0.6),
    MarketType.RANGING: replace(_NORMAL, reversion=0.08),
    MarketType.VOLATILE: replace(
        _NORMAL,
        sigma=2.5,
        volvol=0.08,
        jump_rate=0.8,
        jump_mean=4.0,
        half_spread=3.0,
        depth=3.0,
        noise_rate=0.4,
    ),
    MarketType.FLASH_CRASH: replace(_NORMAL, crash_fall=800.0),
    MarketType.TOXIC: replace(
        _NORMAL,
        volvol=0.02,
        jump_rate=0.6,
        jump_mean=1.5,
        noise_rate=0.07,
        informed_rate=10.0,
        informed_edge=0.3,
    ),
}


def flow_params(market_type: MarketType, steps: int) -> FlowParams:
    """Give the parameters of a type for a run of `steps` seconds; a crash comes at 60 % of it."""
    params = _PARAMS[market_type]
    if market_type is MarketType.FLASH_CRASH:
        return replace(params, crash_start=CRASH_START_SHARE * steps)
    return params
