"""Grids of prices and sizes as the kernels take them: a step in units of a decimal place."""

from decimal import Decimal
from fractions import Fraction

from mmbot.domain.market import Contract, Market

# Places at which numbers are read while their grid is still unknown.
SURVEY_PLACES = 8
SURVEY_GRID = ((SURVEY_PLACES, 1), (SURVEY_PLACES, 1))
Scale = tuple[int, int]


def scale_of(step: Decimal) -> Scale:
    """Return (decimals, units): the step is `units` of the last of `decimals` places."""
    exact = Fraction(step)
    decimals = 0
    while exact.denominator != 1:
        exact *= 10
        decimals += 1
    return decimals, exact.numerator


def grid_of(market: Market) -> tuple[Scale, Scale]:
    """Return the scales of a market's prices and sizes."""
    return scale_of(market.tick), scale_of(market.lot)


def step_from(divisor: int) -> Decimal:
    """Return the grid step from the common divisor that a survey has found."""
    return Decimal(divisor).scaleb(-SURVEY_PLACES).normalize()


def inferred_market(symbol: str, index: int, divisors: tuple[int, int]) -> Market:
    """Return a market whose grid is the coarsest that fits all prices and sizes seen.

    A coin-margined symbol of Binance (BTCUSD_PERP) is inverse: 100 USD a contract for BTC, 10 USD
    for every other coin, by the exchange's contract specification.
    """
    tick, lot = map(step_from, divisors)
    if "USD_" not in symbol:
        return Market(symbol, tick, lot, index=index)
    size = Decimal(100) if symbol.startswith("BTCUSD_") else Decimal(10)
    return Market(symbol, tick, lot, index=index, contract=Contract.INVERSE, contract_size=size)


def placed(market: Market, symbol: str, index: int) -> Market:
    """Return the market under this symbol and index, everything else as it is."""
    return Market(
        symbol,
        market.tick,
        market.lot,
        index=index,
        min_lots=market.min_lots,
        contract=market.contract,
        contract_size=market.contract_size,
        imf=market.imf,
    )
