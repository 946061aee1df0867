"""Settings of the embedded exchange: markets, tokens, fees, limits, margin, funding, memory.

Integer forms for the engine (parts per million, atoms) are properties, so that no sum of money
ever passes through a float.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from mmbot.domain.params import Params

MarketSymbol = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+$", max_length=32)]
_USDC_MINT = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


def ppm_of_pct(pct: float) -> int:
    """Return a percentage as whole parts per million."""
    return round(pct * 10_000)


class MarketParams(Params):
    """One perpetual market; its id is its place in the list (protocol 3.3)."""

    symbol: MarketSymbol
    price_decimals: Annotated[int, Field(ge=0, le=12)]
    size_decimals: Annotated[int, Field(ge=0, le=12)]
    start_price: Annotated[
        float | None, Field(gt=0, description="index at the start, USD; null: none until set")
    ] = None
    imf_pct: Annotated[float, Field(gt=0, le=100, description="initial margin / notional")] = 2.0
    cmf_pct: Annotated[float | None, Field(gt=0, le=100, description="null: 5/8 of imf_pct")] = None
    mmf_pct: Annotated[float | None, Field(gt=0, le=100, description="null: half of imf_pct")] = (
        None
    )

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if self.price_decimals + self.size_decimals > 12:
            raise ValueError("price_decimals + size_decimals may be 12 at most")
        if not self.mmf_ppm <= self.cmf_ppm <= self.imf_ppm:
            raise ValueError("margins must rise: mmf_pct <= cmf_pct <= imf_pct")
        return self

    @property
    def imf_ppm(self) -> int:
        """Initial margin fraction, parts per million."""
        return ppm_of_pct(self.imf_pct)

    @property
    def cmf_ppm(self) -> int:
        """Margin fraction below which open orders are cancelled, parts per million."""
        return ppm_of_pct(self.imf_pct * 5 / 8 if self.cmf_pct is None else self.cmf_pct)

    @property
    def mmf_ppm(self) -> int:
        """Maintenance margin fraction, parts per million."""
        return ppm_of_pct(self.imf_pct / 2 if self.mmf_pct is None else self.mmf_pct)

    @property
    def atoms_per_ticklot(self) -> int:
        """Atoms of 10^-12 USD in one tick times one lot."""
        return int(10 ** (12 - self.price_decimals - self.size_decimals))


class TokenParams(Params):
    """One token; its id is its place in the list, token 0 is the money of every market."""

    symbol: MarketSymbol
    decimals: Annotated[int, Field(ge=0, le=12)]
    mint: Annotated[str, Field(max_length=44)] = _USDC_MINT
    weight_bps: Annotated[int, Field(ge=0, le=10_000)] = 10_000

    @property
    def atoms_per_unit(self) -> int:
        """Atoms in the smallest unit of the token."""
        return int(10 ** (12 - self.decimals))


class FeeTier(Params):
    """Fees of one tier in parts per million of the notional (protocol 6)."""

    maker_ppm: Annotated[int, Field(ge=0, le=10_000)]
    taker_ppm: Annotated[int, Field(ge=0, le=10_000)]
    from_volume_usd: Annotated[
        int | None,
        Field(ge=0, le=10**15, description="traded in 30 days, above it; null: not by volume"),
    ] = None


ReduceRule = Literal["dynamic", "exact", "post_only", "only_without_orders"]
SelfTrade = Literal["allow", "cancel_resting", "cancel_taker"]


class RuleParams(Params):
    """Limits and open questions of the venue at the start; `Rules` holds them while running."""

    ts_window_s: Annotated[int, Field(ge=0, le=3_600)] = 60
    stale_window_s: Annotated[
        int | None,
        Field(ge=0, le=3_600, description="older is TIMESTAMP_STALE; null: no such rule"),
    ] = None
    dup_window_s: Annotated[int, Field(ge=0, le=3_600)] = 60
    remember_failed: Annotated[bool, Field(description="a refused action counts as seen")] = False
    max_open_orders: Annotated[
        int, Field(ge=1, le=10_000, description="resting orders of an account, all markets")
    ] = 200
    max_atomic: Annotated[int, Field(ge=1, le=10)] = 4
    max_triggers: Annotated[int, Field(ge=0, le=100)] = 16
    max_accounts: Annotated[int, Field(ge=1, le=1_000)] = 16
    session_cap: Annotated[int, Field(ge=1, le=1_000)] = 16
    session_max_s: Annotated[
        int | None, Field(ge=1, description="longest lifetime of a session; null: any")
    ] = None
    price_band_bps: Annotated[
        int, Field(ge=1, description="limit prices accepted around the index; wide: up to 5 times")
    ] = 40_000
    reduce_rule: ReduceRule = "dynamic"
    self_trade: SelfTrade = "allow"
    client_id_forever: Annotated[bool, Field(description="a client order id is used once")] = False
    frozen_refuses_cancels: bool = False
    resting_survive_session: bool = True
    revoke_cancels_orders: bool = False
    triggers_survive_close: bool = False
    transfer_to_others: bool = True
    position_limit_lots: Annotated[int | None, Field(ge=1)] = None


class MemoryParams(Params):
    """How many of the newest records are kept, so that memory stays bounded for ever."""

    trades: Annotated[int, Field(ge=100)] = 200_000
    orders: Annotated[int, Field(ge=100, description="finished orders")] = 100_000
    actions: Annotated[int, Field(ge=100)] = 20_000
    records: Annotated[
        int,
        Field(ge=100, description="each: pnl, funding, transfers, liquidations, hours, triggers"),
    ] = 50_000
    users: Annotated[int, Field(ge=1, description="no wallet more is funded on its own")] = 100_000


class FundingParams(Params):
    """Funding and mark price: the bounds of both (protocol 6)."""

    premium_hours: Annotated[
        float, Field(gt=0, description="the rate pays the mean premium back over so many hours")
    ] = 8.0
    cap_pct: Annotated[float, Field(ge=0, le=4, description="largest hourly rate")] = 0.05
    mark_clamp_pct: Annotated[float, Field(ge=0, le=50, description="mark against index")] = 2.0


_MARKETS = (
    MarketParams(symbol="BTCUSD", price_decimals=1, size_decimals=5, start_price=60_000.0),
    MarketParams(symbol="ETHUSD", price_decimals=2, size_decimals=4, start_price=3_000.0),
    MarketParams(symbol="SOLUSD", price_decimals=3, size_decimals=3, start_price=150.0),
)
_TIERS = tuple(
    FeeTier(maker_ppm=maker, taker_ppm=taker, from_volume_usd=volume)
    for maker, taker, volume in (
        (100, 350, None),
        (50, 300, 5_000_000),
        (0, 250, 25_000_000),
        (0, 230, 100_000_000),
        (0, 200, 1_000_000_000),
    )
)


class ExchangeParams(Params):
    """Everything the exchange is built from."""

    markets: Annotated[tuple[MarketParams, ...], Field(min_length=1, max_length=256)] = _MARKETS
    tokens: Annotated[tuple[TokenParams, ...], Field(min_length=1, max_length=64)] = (
        TokenParams(symbol="USDC", decimals=6),
    )
    fee_tiers: Annotated[tuple[FeeTier, ...], Field(min_length=1, max_length=64)] = _TIERS
    auto_fund_usd: Annotated[
        int, Field(ge=0, le=10**12, description="money of an unknown wallet; 0: it stays unknown")
    ] = 0
    withdraw_fee_usd: Annotated[int, Field(ge=0, le=1_000)] = 0
    queue: Annotated[
        Literal["risk", "power"],
        Field(description="what moves a resting order forward: trades only, or cancels as well"),
    ] = "risk"
    queue_power: Annotated[float, Field(gt=0, le=10)] = 3.0
    rules: RuleParams = RuleParams()
    funding: FundingParams = FundingParams()
    memory: MemoryParams = MemoryParams()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        symbols = [market.symbol for market in self.markets]
        if len(set(symbols)) < len(symbols):
            raise ValueError("every market needs its own symbol")
        volumes = [tier.from_volume_usd for tier in self.fee_tiers]
        told = [volume for volume in volumes if volume is not None]
        if told != sorted(set(told)):
            raise ValueError("fee tiers must rise: each from_volume_usd above the one before")
        return self
