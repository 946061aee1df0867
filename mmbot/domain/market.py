"""What a market is: its grid, its contract, and what a price is worth.

Prices are integer ticks, sizes integer lots, marks integer half ticks (best bid + best ask).
Money is counted in integer *atoms* of the settlement currency. One lot held from price p1 to p2
earns exactly `unit_value(p2) - unit_value(p1)` atoms, for linear and inverse contracts alike, so
cash, equity and attribution need one formula and no branch.
"""

from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction

PPB = 1_000_000_000
MICRO = 1_000_000
_INVERSE_ATOM = Decimal("1e-18")
# The default of 28 digits would round large sums, and prices a hair off the grid onto it.
_EXACT = Context(prec=120)


class Contract(StrEnum):
    """How profit follows price: linear settles in quote, inverse in base currency."""

    LINEAR = "linear"
    INVERSE = "inverse"


# Members of an enum are slow to look up.
_LINEAR = Contract.LINEAR


class Market:
    """One market's grid and contract; immutable by convention, shared by every package.

    tick, lot: grid of prices (quote per base) and sizes (base; contracts when inverse).
    contract_size: base per unit of size (linear) or quote per contract (inverse).
    min_lots: smallest order. imf: initial margin fraction, a ratio.
    """

    __slots__ = (
        "_atom_uusd",
        "_usd",
        "_value_numerator",
        "atom",
        "contract",
        "contract_size",
        "imf",
        "index",
        "lot",
        "min_lots",
        "symbol",
        "tick",
    )

    def __init__(
        self,
        symbol: str,
        tick: Decimal,
        lot: Decimal,
        *,
        index: int = 0,
        min_lots: int = 1,
        contract: Contract = Contract.LINEAR,
        contract_size: Decimal = Decimal(1),
        imf: Fraction = Fraction(1, 20),
    ) -> None:
        if tick <= 0 or lot <= 0 or contract_size <= 0 or min_lots < 1:
            raise ValueError(f"{symbol}: tick, lot, contract size and minimum must be positive")
        self.symbol = symbol
        self.tick = tick
        self.lot = lot
        self.index = index
        self.min_lots = min_lots
        self.contract = contract
        self.contract_size = contract_size
        self.imf = imf
        if contract is Contract.LINEAR:
            # An atom is a billionth of one tick times one lot: fees in parts per billion are exact.
            self.atom = tick * lot * contract_size / PPB
            self._value_numerator = PPB // 2
            usd = Fraction(tick * lot * contract_size) * MICRO / 2
        else:
            self.atom = _INVERSE_ATOM
            self._value_numerator = int(2 * lot * contract_size / tick / _INVERSE_ATOM)
            usd = Fraction(lot * contract_size) * MICRO
        per_atom = Fraction(self.atom) * MICRO
        if contract is Contract.INVERSE:
            per_atom *= Fraction(tick) / 2
        self._atom_uusd = per_atom.as_integer_ratio()
        self._usd = usd.as_integer_ratio()

    def unit_value(self, half_ticks: int) -> int:
        """Atoms one long lot is worth at this price, up to a constant; rises with the price."""
        if self.contract is _LINEAR:
            return half_ticks * self._value_numerator
        return -(self._value_numerator // half_ticks)

    def fee(self, ticks: int, lots: int, rate_ppb: int) -> int:
        """Fee in atoms (negative: rebate) for a trade, rate in parts per billion of its value."""
        return abs(self.unit_value(2 * ticks)) * lots * rate_ppb // PPB

    def notional_uusd(self, half_ticks: int, lots: int) -> int:
        """Notional of `lots` in micro-USD (quote currency), rounded up, so limits err safe."""
        numerator, denominator = self._usd
        scaled = abs(lots) * numerator
        if self.contract is _LINEAR:
            scaled *= half_ticks
        return -(-scaled // denominator)

    def lots_for(self, uusd: int, half_ticks: int) -> int:
        """Most lots whose notional does not exceed `uusd` micro-USD; 0 when that is negative."""
        if uusd <= 0 or half_ticks <= 0:
            return 0
        per_lot, denominator = self._usd
        if self.contract is _LINEAR:
            per_lot *= half_ticks
        return uusd * denominator // per_lot

    def atoms_to_uusd(self, atoms: int, half_ticks: int) -> int:
        """Settlement money in micro-USD, rounded down; inverse contracts convert at the mark."""
        if self.contract is not _LINEAR:
            atoms *= half_ticks
        numerator, denominator = self._atom_uusd
        return atoms * numerator // denominator

    def money(self, atoms: int) -> Decimal:
        """Settlement currency amount of `atoms`, exact."""
        return _EXACT.multiply(self.atom, Decimal(atoms))

    def price(self, ticks: int) -> Decimal:
        """Price of `ticks` in quote currency."""
        return _EXACT.multiply(self.tick, Decimal(ticks))

    def size(self, lots: int) -> Decimal:
        """Size of `lots` in base units (contracts when inverse)."""
        return _EXACT.multiply(self.lot, Decimal(lots))

    def ticks(self, price: Decimal) -> int:
        """Ticks of a price on the grid; ValueError when it is off the grid."""
        return _on_grid(price, self.tick, "price")

    def floor_ticks(self, price: Decimal) -> int:
        """Largest tick at or below a price."""
        whole, rest = _EXACT.divmod(price, self.tick)
        return int(whole) - (rest < 0)

    def ceil_ticks(self, price: Decimal) -> int:
        """Smallest tick at or above a price."""
        whole, rest = _EXACT.divmod(price, self.tick)
        return int(whole) + (rest > 0)

    def lots(self, size: Decimal) -> int:
        """Lots of a size on the grid; ValueError when it is off the grid."""
        return _on_grid(size, self.lot, "size")

    def floor_lots(self, size: Decimal) -> int:
        """Largest number of lots not above a size."""
        whole, rest = _EXACT.divmod(size, self.lot)
        return int(whole) - (rest < 0)

    def __repr__(self) -> str:
        return f"Market({self.symbol!r}, tick={self.tick}, lot={self.lot}, {self.contract})"


def _on_grid(value: Decimal, step: Decimal, name: str) -> int:
    if not value.is_finite() or _EXACT.remainder(value, step) != 0:
        raise ValueError(f"{name} {value} is not a multiple of {step}")
    return int(_EXACT.divide_int(value, step))
