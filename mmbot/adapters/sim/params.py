"""Settings of the simulated exchange: account, fees, delays, fills and synthetic markets."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mmbot.domain.params import Params, Symbol


class LatencyParams(Params):
    """Delay of a request to the exchange and of its answer back."""

    model: Annotated[
        Literal["constant", "table", "sampled"],
        Field(description="fixed, interpolated from a file, or drawn from it"),
    ] = "constant"
    entry_ms: Annotated[
        float, Field(ge=0, le=60_000, description="constant: from the bot to the exchange")
    ] = 40.0
    response_ms: Annotated[
        float, Field(ge=0, le=60_000, description="constant: from the exchange to the bot")
    ] = 40.0
    file: Annotated[
        str | None,
        Field(description="table, sampled: CSV with req_ts,exch_ts,resp_ts in nanoseconds"),
    ] = None
    feed_ms: Annotated[
        float,
        Field(
            ge=0,
            le=60_000,
            description="delay of the fastest market message, once clocks agree",
        ),
    ] = 0.0

    @model_validator(mode="after")
    def _has_file(self) -> Self:
        if self.model != "constant" and self.file is None:
            raise ValueError(f"model {self.model} reads its delays from a file; set file")
        return self


class InstrumentParams(Params):
    """What a symbol of the data trades in, for files that do not say it themselves."""

    tick: Annotated[Decimal, Field(gt=0, description="price step, quote currency")]
    lot: Annotated[Decimal, Field(gt=0, description="size step, base units (inverse: contracts)")]
    min_size: Annotated[
        Decimal | None, Field(gt=0, description="smallest order; null: one lot")
    ] = None
    contract: Annotated[
        Literal["linear", "inverse"], Field(description="what the profit is paid in: quote or base")
    ] = "linear"
    contract_size: Annotated[
        Decimal, Field(gt=0, description="base units (inverse: USD) in one unit of size")
    ] = Decimal(1)
    imf_pct: Annotated[float, Field(ge=0.01, le=100, description="initial margin / notional")] = 5.0


class BarParams(Params):
    """How a bar of prices and volume becomes fills."""

    p_touch_pct: Annotated[
        float, Field(ge=0, le=100, description="chance of a fill when the path only touches")
    ] = 30.0
    participation_pct: Annotated[
        float, Field(gt=0, le=100, description="share of a bar's volume that may fill us")
    ] = 10.0
    spread_bps: Annotated[
        float, Field(gt=0, le=1000, description="full width of the book drawn around a price")
    ] = 2.0
    levels_count: Annotated[int, Field(ge=1, le=100, description="levels a side of that book")] = 5


class ProbabilisticParams(Params):
    """Arrivals of the fill model probabilistic, fewer the further from mid."""

    arrivals_per_s: Annotated[
        float, Field(gt=0, le=1000, description="fills a second of a quote at mid")
    ] = 0.4
    decay_per_bps: Annotated[
        float, Field(gt=0, le=100, description="the rate falls as exp(-decay * distance)")
    ] = 1.4


class BacktestParams(Params):
    """Account, fees, queue and delays of a replay."""

    initial_equity_usd: Annotated[
        Decimal, Field(gt=0, le=1_000_000_000_000, description="equity at the start")
    ] = Decimal(10_000)
    maker_fee_bps: Annotated[
        float, Field(ge=-100, le=100, description="fee of a resting fill; negative: rebate")
    ] = 1.0
    taker_fee_bps: Annotated[
        float, Field(ge=-100, le=100, description="fee of a crossing fill")
    ] = 3.5
    fill_model: Annotated[
        Literal["risk", "power", "probabilistic"],
        Field(description="the queue ahead falls with trades, cancels too, or fills are drawn"),
    ] = "power"
    queue_power: Annotated[
        float,
        Field(gt=0, le=100, description="power: higher, cancels come more from the longer part"),
    ] = 3.0
    partial_fills: Annotated[bool, Field(description="a trade fills no more than its own size")] = (
        True
    )
    latency: LatencyParams = LatencyParams()
    clock_offset_ns: Annotated[
        int | None,
        Field(
            ge=-(10**15),
            le=10**15,
            description="added to local times; null: automatic",
        ),
    ] = None
    funding_bps_per_hour: Annotated[
        float, Field(ge=-100, le=100, description="longs pay this to shorts every hour")
    ] = 0.0
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="of everything drawn")] = 1
    instruments: dict[Symbol, InstrumentParams] = Field(
        default_factory=dict, description="by the symbol used in the data"
    )
    bars: BarParams = BarParams()
    probabilistic: ProbabilisticParams = ProbabilisticParams()


class SimulateParams(Params):
    """The synthetic market of `simulate`."""

    type: Annotated[
        Literal["normal", "illiquid", "trending", "ranging", "volatile", "flash-crash", "toxic"],
        Field(description="kind of market"),
    ] = "normal"
    steps: Annotated[int, Field(ge=1, le=100_000_000, description="length in seconds")] = 1000
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="same seed, same market")] = 1
    reference: Annotated[bool, Field(description="an outside price feed exists")] = True
    latency_ms: Annotated[float, Field(ge=0, le=60_000, description="order delay, each way")] = (
        100.0
    )
