"""Shadow quotes as a list of everything that ever filled, judged from the whole history of mids."""

import math

MULTIPLES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0)
SECOND = 1_000_000_000


class OracleShadows:
    """Keeps every step; prices and fills are worked out one side and one depth at a time."""

    def __init__(self, tau_s: float, horizon_ns: int) -> None:
        self.tau_s, self.horizon_ns, self.scale = tau_s, horizon_ns, 1.0
        self.fairs: list[tuple[int, float]] = []
        self.quotes: list[tuple[int, int, float]] = []  # side, depth, price
        self.pending: list[tuple[int, int, int, float]] = []  # due, side, depth, price
        self.marked: list[tuple[int, int, float]] = []  # when, depth, markout
        self.now = 0

    def step(
        self,
        ts_ns: int,
        fair: float,
        touch: tuple[int, int],
        bought: int,
        sold: int,
        lag_ns: int,
    ) -> None:
        bid, ask = touch
        if self.fairs and ts_ns - self.fairs[-1][0] > SECOND:
            self.quotes = []
        self.now = ts_ns
        for due, side, depth, price in self.pending:
            if due <= ts_ns and ts_ns - due <= SECOND:
                self.marked.append((ts_ns, depth, side * ((bid + ask) / 2 - price) / price * 1e4))
        self.pending = [each for each in self.pending if each[0] > ts_ns]
        for side, depth, price in self.quotes:
            if side > 0:
                filled = ask <= price or (sold != 0 and sold < price)
            else:
                filled = bid >= price or bought > price
            if filled:
                self.pending.append((ts_ns + self.horizon_ns, side, depth, price))
        self.fairs = [*self.fairs, (ts_ns, fair)][-64:]
        old = [price for then, price in self.fairs if then <= ts_ns - lag_ns]
        self._quote(old[-1] if old else self.fairs[0][1], bid, ask)

    def _quote(self, fair: float, bid: int, ask: int) -> None:
        self.quotes = []
        low = high = fair
        for depth, multiple in enumerate(MULTIPLES):
            away = fair * multiple * self.scale / 1e4
            low = min(math.floor(fair - away), math.ceil(low) - 1)
            high = max(math.ceil(fair + away), math.floor(high) + 1)
            if 0 < low < ask:
                self.quotes.append((1, depth, low))
            if high > bid:
                self.quotes.append((-1, depth, high))

    def table(self) -> list[tuple[float, float, float, float]]:
        rows = []
        for depth, multiple in enumerate(MULTIPLES):
            mine = [
                (math.exp((when - self.now) / 1e9 / self.tau_s), markout)
                for when, at, markout in self.marked
                if at == depth
            ]
            count = sum(weight for weight, _ in mine)
            mean = sum(w * m for w, m in mine) / count if count else 0.0
            spread = sum(w * m * m for w, m in mine) / count - mean * mean if count else 0.0
            error = math.sqrt(max(spread, 0.25) / count) if count else 0.0
            rows.append((multiple * self.scale, count, mean, error))
        return rows
