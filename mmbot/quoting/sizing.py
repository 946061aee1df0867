"""Sizing: lots per level from a fixed size, a share of free collateral, or tiers of the limit."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from mmbot.domain.market import MICRO, PPB, Contract, Market
from mmbot.domain.order import Level
from mmbot.domain.params import Params
from mmbot.quoting.state import QuotingLimits

# Beyond any real order or side, while twenty levels of it still add up within 64 bits.
LARGEST = 2**57


class SizingParams(Params):
    """Size of each level (spec section 7)."""

    mode: Annotated[
        Literal["fixed", "percentage", "tiered"],
        Field(description="which of the rules below sizes a level"),
    ] = "fixed"
    fixed_usd: Annotated[Decimal, Field(gt=0, description="fixed: notional of a level")] = Decimal(
        100
    )
    fixed_base: Annotated[
        Decimal | None, Field(gt=0, description="fixed: size of a level; overrides fixed_usd")
    ] = None
    percentage_of_free_collateral_pct: Annotated[
        float, Field(gt=0, le=100, description="percentage: notional of a level")
    ] = 2.0
    tier_weights: Annotated[
        tuple[float, ...],
        Field(min_length=1, description="tiered: share of the market limit per level; sum 1"),
    ] = (0.5, 0.3, 0.2)
    volatility_reference_bps: Annotated[
        float, Field(ge=0, le=1000, description="smaller where a second moves more; 0: do not")
    ] = 0.0
    inventory_eta: Annotated[
        float, Field(ge=0, le=100, description="exp(-eta * share of limit) of what adds; 0: do not")
    ] = 0.0
    edge_reference_bps: Annotated[
        float, Field(ge=0, le=1000, description="smaller where a fill earns less; 0: do not")
    ] = 0.0
    losing_trips_count: Annotated[
        int, Field(ge=0, le=1000, description="half size after so many lost in a row; 0: do not")
    ] = 0
    min_order_usd: Annotated[Decimal, Field(ge=0, description="smaller levels are dropped")] = (
        Decimal(10)
    )
    max_order_usd: Annotated[Decimal, Field(gt=0, description="larger levels are cut")] = Decimal(
        1000
    )

    @field_validator("tier_weights")
    @classmethod
    def _sum_one(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if any(weight < 0 for weight in weights) or abs(sum(weights) - 1) > 1e-9:
            raise ValueError(
                f"weights must not be negative and must add up to 1, not {sum(weights):g}"
            )
        return weights

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_order_usd < self.min_order_usd:
            raise ValueError(
                f"max_order_usd {self.max_order_usd} is below min_order_usd {self.min_order_usd}"
            )
        usd = self.mode == "fixed" and self.fixed_base is None
        if usd and self.fixed_usd < self.min_order_usd:
            raise ValueError(
                f"fixed_usd {self.fixed_usd} is below min_order_usd {self.min_order_usd}"
            )
        return self


class Budget(NamedTuple):
    """What may be quoted now: the worth of each level, best first, and of a whole side."""

    levels: tuple[int, ...]
    side: int


class SizingCalculator:
    """Lots per level from the configured rule (spec section 7).

    Money is counted in *worth*: what one lot is worth at one tick when linear (so an order is
    worth ticks * lots), what one lot is worth when inverse (so an order is worth its lots).
    `bounds` is what an order must keep to: is it worth per tick, least and most worth, least lots.
    A level has the lots its worth buys, floored, and never more than `max_lots`.
    """

    __slots__ = (
        "_asked",
        "_budget",
        "_free_ppb",
        "_level_ppb",
        "_market",
        "_max_worth",
        "_side_ppb",
        "_worths",
        "bounds",
        "max_lots",
    )

    def __init__(
        self, params: SizingParams, limits: QuotingLimits, market: Market, levels: int
    ) -> None:
        self._market = market
        self._max_worth = self._worth(int(params.max_order_usd * MICRO))
        # Merging may make a level too large, cutting too small: see cext.ladder.stack.
        least = _least_worth(market, int(params.min_order_usd * MICRO))
        linear = market.contract is Contract.LINEAR
        self.bounds = (linear, least, self._max_worth, market.min_lots)
        self._side_ppb = round(limits.side_exposure_ratio * PPB)
        self.max_lots = LARGEST
        # The share of equity or of free collateral that each level gets; none when it is fixed.
        self._level_ppb: tuple[int, ...] = ()
        self._free_ppb = 0
        self._worths = (0,) * levels
        if params.mode == "percentage":
            self._free_ppb = round(params.percentage_of_free_collateral_pct / 100 * PPB)
        elif params.mode == "tiered":
            ratio = limits.market_exposure_ratio
            self._level_ppb = tuple(round(ratio * w * PPB) for w in params.tier_weights[:levels])
        elif params.fixed_base is not None:
            self.max_lots = min(market.floor_lots(params.fixed_base), LARGEST)
            self._worths = (self._max_worth,) * levels
        else:
            worth = min(self._worth(int(params.fixed_usd * MICRO)), self._max_worth)
            self._worths = (worth,) * levels
        self._asked: tuple[int, int | None] = (0, None)
        self._budget = self._share(*self._asked)

    def budget(self, equity_uusd: int, free_uusd: int | None) -> Budget:
        """Budget of a decision; free_uusd is only read when levels are a share of it."""
        asked = (equity_uusd, free_uusd if self._free_ppb else None)
        # Equity changes a few times a second at most, and nothing else decides the answer.
        if asked != self._asked:
            self._budget = self._share(*asked)
            self._asked = asked
        return self._budget

    def share(self, budget: Budget, levels: Sequence[Level]) -> float:
        """Share of the size that the rule asks for which these levels have, 0 to 1."""
        linear = self.bounds[0]
        asked = 0
        for number, worth in enumerate(budget.levels):
            # A level that is missing would be about where the last one is.
            ticks = levels[min(number, len(levels) - 1)].ticks
            asked += min(worth // ticks if linear else worth, self.max_lots)
        quoted = sum(level.lots for level in levels)
        return min(1.0, quoted / asked) if asked else 1.0

    def _share(self, equity_uusd: int, free_uusd: int | None) -> Budget:
        levels = self._worths
        if self._level_ppb:
            levels = tuple([self._order_worth(equity_uusd * ppb // PPB) for ppb in self._level_ppb])
        elif self._free_ppb and free_uusd is not None:
            levels = (self._order_worth(free_uusd * self._free_ppb // PPB),) * len(levels)
        return Budget(levels, self._worth(equity_uusd * self._side_ppb // PPB))

    def _order_worth(self, uusd: int) -> int:
        return min(self._worth(uusd), self._max_worth)

    def _worth(self, uusd: int) -> int:
        # At half_ticks 2 a lot of a linear contract costs what it costs at one tick.
        return min(self._market.lots_for(uusd, 2), LARGEST)


def _least_worth(market: Market, uusd: int) -> int:
    """Smallest worth that is at least `uusd`, which `lots_for` rounds down."""
    worth = market.lots_for(uusd, 2)
    return worth if market.notional_uusd(2, worth) >= uusd else worth + 1
