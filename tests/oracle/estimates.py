"""Estimators over plain lists of everything ever seen, computed afresh for every answer."""

import math

BPS = 1e4


class OracleVolatility:
    """Both estimates from all returns, each weighted by its age."""

    def __init__(
        self, fast_s: float, slow_s: float, initial: float, least: float, most: float
    ) -> None:
        self.fast_s, self.slow_s = fast_s, slow_s
        self.initial, self.least, self.most = initial, least, most
        self.prices: list[tuple[int, float]] = []
        # (ts, return, return as the slow one takes it, seconds)
        self.returns: list[tuple[int, float, float, float]] = []

    def update(self, ts_ns: int, price: float) -> None:
        if self.prices and (ts_ns < self.prices[-1][0] or price <= 0):
            return
        if self.prices:
            if ts_ns - self.prices[-1][0] < 100_000_000:
                return
            seconds = (ts_ns - self.prices[-1][0]) / 1e9
            moved = (price / self.prices[-1][1] - 1) * BPS
            clipped = moved
            if len(self.returns) >= 30:
                most = 10 * self._slow() * math.sqrt(seconds)
                clipped = max(-most, min(most, moved))
            self.returns.append((ts_ns, moved, clipped, seconds))
        elif price <= 0:
            return
        self.prices.append((ts_ns, price))

    def _variance(self, half_life_s: float, column: int) -> float:
        now = self.returns[-1][0]
        weights = [0.5 ** ((now - each[0]) / 1e9 / half_life_s) for each in self.returns]
        squares = sum(w * r[column] ** 2 for w, r in zip(weights, self.returns, strict=True))
        elapsed = sum(w * r[3] for w, r in zip(weights, self.returns, strict=True))
        return float(squares / elapsed)

    def _slow(self) -> float:
        return max(math.sqrt(self._variance(self.slow_s, 2)), self.least)

    @property
    def sigma(self) -> float:
        if len(self.returns) < 30:
            return max(self.least, min(self.most, self.initial))
        fast = math.sqrt(self._variance(self.fast_s, 1))
        return max(self.least, min(self.most, max(fast, self._slow())))


class OracleSlopes:
    """Ridge regression over every sample that has matured, solved as two equations."""

    def __init__(
        self, horizon_ns: int, half_life_s: float, ridge: float, priors: tuple[float, float]
    ) -> None:
        self.horizon_ns, self.half_life_s = horizon_ns, half_life_s
        self.ridge, self.priors = ridge, priors
        self.samples: list[tuple[int, float, float, float]] = []
        self.matured: list[tuple[int, float, float, float]] = []

    def update(self, ts_ns: int, price: float, first: float, second: float, clip: float) -> None:
        waiting = []
        for sample in self.samples:
            then_ns, before, x, z = sample
            if then_ns + self.horizon_ns > ts_ns:
                waiting.append(sample)
            elif ts_ns - then_ns <= 2 * self.horizon_ns:
                y = max(-clip, min(clip, (price / before - 1) * BPS))
                self.matured.append((then_ns, x, z, y))
        self.samples = [*waiting, (ts_ns, price, first, second)]

    @property
    def slopes(self) -> tuple[float, float]:
        xx = zz = self.ridge
        xz = 0.0
        xy, zy = self.ridge * self.priors[0], self.ridge * self.priors[1]
        for then_ns, x, z, y in self.matured:
            # The ridge is not halved with the samples: it stands for what is always believed.
            weight = 0.5 ** ((self.matured[-1][0] - then_ns) / 1e9 / self.half_life_s)
            xx, xz, zz = xx + weight * x * x, xz + weight * x * z, zz + weight * z * z
            xy, zy = xy + weight * x * y, zy + weight * z * y
        det = xx * zz - xz * xz
        return (xy * zz - zy * xz) / det, (zy * xx - xy * xz) / det


class OracleArrivals:
    """Every trade of the tail with its weight; the last answer kept beside them."""

    def __init__(self, tau_s: float, least: float, a: float, k: float) -> None:
        self.tau_s, self.least = tau_s, least
        self.rates = (a, k)
        self.times: list[int] = []
        self.trades: list[tuple[int, float, float]] = []

    def update(self, ts_ns: int, bought: float, sold: float, x0: float) -> None:
        self.times.append(ts_ns)
        for reached in (bought, sold):
            if reached > x0:
                self.trades.append((ts_ns, reached - x0, x0))
        weights = [math.exp((then - ts_ns) / 1e9 / self.tau_s) for then, _, _ in self.trades]
        n = sum(weights)
        elapsed = sum(
            math.exp((after - ts_ns) / 1e9 / self.tau_s) * (after - before) / 1e9
            for before, after in zip(self.times, self.times[1:], strict=False)
        )
        if n < self.least or elapsed <= 0:
            return
        excess = sum(w * each[1] for w, each in zip(weights, self.trades, strict=True))
        start = sum(w * each[2] for w, each in zip(weights, self.trades, strict=True)) / n
        k = max(0.02, min(20.0, n / excess))
        a = max(1e-4, min(50.0, n / (2 * elapsed) * math.exp(min(k * start, 50.0))))
        self.rates = (a, k)


class OracleFlow:
    """Every change of the best quotes, and every trade, with its age."""

    HALF_LIVES = (0.1, 0.5, 1.0, 5.0)

    def __init__(self) -> None:
        self.now = 0
        self.last: tuple[int, int, int, int] | None = None
        self.changes: list[tuple[int, float]] = []
        self.trades: list[tuple[int, float]] = []
        self.depths: list[tuple[int, float]] = []

    def quotes(self, ts_ns: int, bid: int, bid_lots: int, ask: int, ask_lots: int) -> None:
        self.now = ts_ns
        change = 0.0
        if self.last is not None:
            old_bid, old_bid_lots, old_ask, old_ask_lots = self.last
            if bid > old_bid:
                change += bid_lots
            elif bid == old_bid:
                change += bid_lots - old_bid_lots
            else:
                change -= old_bid_lots
            if ask < old_ask:
                change -= ask_lots
            elif ask == old_ask:
                change -= ask_lots - old_ask_lots
            else:
                change += old_ask_lots
        self.last = (bid, bid_lots, ask, ask_lots)
        self.changes.append((ts_ns, change))
        self.depths.append((ts_ns, (bid_lots + ask_lots) / 2))

    def traded(self, ts_ns: int, bought: int, sold: int) -> None:
        self.now = ts_ns
        self.trades.append((ts_ns, bought - sold))

    def _sum(self, rows: list[tuple[int, float]], half_life_s: float) -> float:
        return float(sum(n * 0.5 ** ((self.now - ts) / 1e9 / half_life_s) for ts, n in rows))

    def over(self, rows: list[tuple[int, float]]) -> list[float]:
        depth = self._sum(self.depths, 60.0)
        many = self._sum([(ts, 1.0) for ts, _ in self.depths], 60.0)
        return [self._sum(rows, half) * many / depth if depth else 0.0 for half in self.HALF_LIVES]
