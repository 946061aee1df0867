"""Grids of prices and sizes as the kernels take them: a step in units of a decimal place."""

from decimal import Decimal
from fractions import Fraction

from mmbot.domain.market import Contract, Market

# Places at which numbers are read while their grid is still unknown.
SURVEY_PLACES = 8
SURVEY_SCALE = (SURVEY_PLACES, 1)


def scale_of(step: Decimal) -> tuple[int, int]:
    """Return (decimals, units): the step is `units` of the last of `decimals` places."""
    exact = Fraction(step)
    decimals = 0
    while exact.denominator != 1:
        exact *= 10
        decimals += 1
    return decimals, exact.numerator


def step_from(divisor: int) -> Decimal:
    """Return the grid step from the common divisor that a survey has found."""
    return Decimal(divisor).scaleb(-SURVEY_PLACES).normalize()


def inferred_market(symbol: str, price_divisor: int, size_divisor: int, index: int) -> Market:
    """Return a market whose grid is the coarsest that fits all prices and sizes seen.

    A coin-margined symbol of Binance (BTCUSD_PERP) is inverse: 100 USD a contract for BTC, 10 USD
    for every other coin, by the exchange's contract specification.
    """
    tick, lot = step_from(price_divisor), step_from(size_divisor)
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
