"""Fees and cash of executions in a market's atoms, rounded exactly as the venue rounds them."""

from decimal import Decimal

from mmbot.adapters.zo.rest.answers import FeeRates, Listing, OwnTrade
from mmbot.domain.market import MICRO, Market
from mmbot.domain.order import Side

# The venue counts money in 10^-12 of a dollar and rounds a fee up to that.
_VENUE_ATOM = Decimal("1e-12")
_PPB_PER_PPM = 1_000
# Micro-USD that a figure told in micro-USD may be off.
_ROUNDING_UUSD = 1


class MarketMoney:
    """One market. `rates` are the account's, None while they are not known: then fees are 0."""

    def __init__(self, listing: Listing, index: int) -> None:
        self.listing = listing
        self.market: Market = listing.market(index)
        self.rates: FeeRates | None = None
        coarse = int(_VENUE_ATOM / self.market.atom)
        self._unit = max(1, coarse)

    def fee_atoms(self, ticks: int, lots: int, *, maker: bool) -> int:
        """Fee of an execution by the account's tier; above 0 is a cost."""
        if self.rates is None:
            return 0
        ppm = self.rates.maker_ppm if maker else self.rates.taker_ppm
        value = abs(self.market.unit_value(2 * ticks)) * lots
        exact = value * ppm // MICRO
        return -(-exact // self._unit) * self._unit

    def cash_atoms(self, side: Side, ticks: int, lots: int) -> int:
        """Cash that an execution brings, below 0 what it costs, without the fee."""
        return -side * self.market.unit_value(2 * ticks) * lots

    def trade_fee_atoms(self, own: OwnTrade) -> int:
        """Fee of a trade: by the tier, unless the venue tells another one."""
        trade = own.trade
        computed = self.fee_atoms(trade.ticks, trade.lots, maker=own.is_maker)
        told = trade.maker_fee_uusd if own.is_maker else trade.taker_fee_uusd
        if told is None or abs(self.uusd(computed) - told) <= _ROUNDING_UUSD:
            return computed
        return self.atoms(told)

    def uusd(self, atoms: int) -> int:
        """Micro-USD of settlement money, rounded down."""
        return self.market.atoms_to_uusd(atoms, 0)

    def atoms(self, uusd: int) -> int:
        """Atoms of micro-USD."""
        return int(Decimal(uusd).scaleb(-6) / self.market.atom)
