"""Config = the Params of every package, nested. Frozen; unknown keys are refused."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mmbot.adapters.outside_price import OutsidePriceParams
from mmbot.adapters.sim.params import BacktestParams, SimulateParams
from mmbot.adapters.zo.params import SessionParams, VenueParams
from mmbot.config.market import MarketConfig
from mmbot.config.operating import Operating
from mmbot.domain.params import Params, Symbol
from mmbot.execution.rates import RateLimitParams
from mmbot.risk.limits import RiskParams
from mmbot.runtime.params import RuntimeParams


class InstanceParams(Params):
    """What tells one bot from another."""

    name: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=32),
        Field(description="label of reports and messages: a-z, 0-9 and -"),
    ] = "mmbot"
    id: Annotated[
        int, Field(ge=0, le=255, description="part of every client order id; one per bot")
    ] = 1
    account_id: Annotated[
        int | None, Field(ge=1, description="01 account; null: the first one of the wallet")
    ] = None


class Trading(Params):
    """What is traded, where and how; `markets` holds complete settings, defaults merged in."""

    version: Annotated[Literal[1], Field(description="of this file format")] = 1
    instance: InstanceParams = InstanceParams()
    venue: VenueParams = VenueParams()
    session: SessionParams = SessionParams()
    defaults: Annotated[MarketConfig, Field(description="what every market starts from")] = (
        MarketConfig()
    )
    markets: dict[Symbol, MarketConfig] = Field(
        default_factory=dict,
        description="by name, upper-case; a key set here overrides the one in defaults",
    )
    risk: RiskParams = RiskParams()
    rate_limits: RateLimitParams = RateLimitParams()
    runtime: RuntimeParams = RuntimeParams()
    reference: OutsidePriceParams = OutsidePriceParams()


class Config(Operating, Trading):
    """Everything a run is told. Sections come in file order: trading, operating, research."""

    backtest: BacktestParams = BacktestParams()
    simulate: SimulateParams = SimulateParams()
