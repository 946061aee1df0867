"""Settings of the outside price: where it comes from, and what our markets are called there."""

from typing import Annotated

from pydantic import Field, model_validator

from mmbot.adapters.reference import BINANCE, reference_url
from mmbot.domain.params import Params, Symbol

_HOST = BINANCE.partition("://")[2]
_DOLLAR, _THEIRS = "USD", "USDT"


class OutsideNameParams(Params):
    """What one of our markets is called there."""

    symbol: Annotated[Symbol, Field(description="their name, exactly")]
    scale: Annotated[
        float, Field(gt=0, le=1e9, description="what one of ours is worth of theirs")
    ] = 1.0


class OutsidePriceParams(Params):
    """Best quotes of Binance futures, or of what speaks like them."""

    url: Annotated[
        str,
        Field(description="wss:// of an allowed host or ws:// of this machine"),
    ] = BINANCE
    allowed_hosts: Annotated[
        tuple[str, ...], Field(min_length=1, description="any other is refused, ours excepted")
    ] = (_HOST,)
    names: dict[Symbol, OutsideNameParams] = Field(
        default_factory=dict, description="by our symbol; BTCUSD is BTCUSDT by itself"
    )

    def symbol_of(self, symbol: str) -> str:
        """Return what a market of ours is called there."""
        given = self.names.get(symbol)
        if given is not None:
            return given.symbol
        return f"{symbol.removesuffix(_DOLLAR)}{_THEIRS}" if symbol.endswith(_DOLLAR) else symbol

    def scale_of(self, symbol: str) -> float:
        """Return what one unit of a market of ours is worth of theirs."""
        given = self.names.get(symbol)
        return 1.0 if given is None else given.scale

    @model_validator(mode="after")
    def _place_is_allowed(self) -> "OutsidePriceParams":
        reference_url(self.url, self.allowed_hosts, ["BTCUSDT"])
        return self
