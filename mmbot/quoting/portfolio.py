"""Portfolio: what a position in every market means for one of them, by how their prices move.

One object for all markets of a bot. Returns of 10 s, halved in weight every 30 minutes; a fifth
of every covariance is given up, which keeps the matrix positive definite.
"""

STEP_NS = 10_000_000_000
HALF_LIFE_S = 1800.0
STEP_S = 10.0
KEEP: float = 0.5 ** (STEP_S / HALF_LIFE_S)
SHRUNK = 0.8
# Two minutes of returns: before that markets count as strangers.
LEAST_STEPS = 12


class Portfolio:
    """Prices and positions of all markets, and the covariance of their returns."""

    __slots__ = ("_covariance", "_last", "_prices", "_step", "_steps", "_units")

    def __init__(self, markets: int) -> None:
        self._prices = [0.0] * markets
        self._last = [0.0] * markets
        self._units = [0.0] * markets
        self._covariance = [[0.0] * markets for _ in range(markets)]
        self._step = -1
        self._steps = 0

    def note(self, market: int, now_ns: int, price: float, units: float) -> None:
        """Take in a market's price and signed position (units of equal worth)."""
        step = now_ns // STEP_NS
        if step > self._step:
            if self._step >= 0:
                self._turn()
            self._step = step
        self._prices[market] = price
        self._units[market] = units

    def pull(self, market: int) -> float:
        """Position that moves as all positions together do, in units of this market."""
        own = self._covariance[market][market]
        if self._steps < LEAST_STEPS or own <= 0.0:
            return self._units[market]
        row = self._covariance[market]
        others = sum(
            row[number] * units for number, units in enumerate(self._units) if number != market
        )
        return self._units[market] + SHRUNK * others / own

    def _turn(self) -> None:
        """A step of 10 s is over."""
        returns = [
            now / before - 1.0 if before > 0.0 and now > 0.0 else 0.0
            for now, before in zip(self._prices, self._last, strict=True)
        ]
        for row, first in zip(self._covariance, returns, strict=True):
            for number, second in enumerate(returns):
                row[number] = KEEP * row[number] + (1.0 - KEEP) * first * second
        self._last[:] = self._prices
        self._steps += 1
