"""A market of the venue: a book with its history, told as frames and as snapshots."""

import json
from random import Random

Sides = tuple[dict[int, int], dict[int, int]]
Pairs = list[tuple[int, int]]


class FakeMarket:
    """Numbers of updates are actions of the whole venue: linked, not consecutive."""

    def __init__(self, symbol: str, decimals: tuple[int, int], rng: Random) -> None:
        self.symbol = symbol
        self.decimals = decimals
        self.rng = rng
        self.update_id = rng.randrange(1, 1000)
        self.book: Sides = ({}, {})
        self.history: dict[int, Sides] = {}
        self.middle = 1000
        for _ in range(8):
            self.change()

    def change(self, levels: int = 3) -> bytes:
        """Change some levels; the frame that tells of it."""
        last = self.update_id
        self.update_id += self.rng.randint(1, 5)
        self.middle = max(50, self.middle + self.rng.choice([-1, 0, 0, 1]))
        told: tuple[dict[int, int], dict[int, int]] = ({}, {})
        for _ in range(levels):
            side = self.rng.randrange(2)
            away = self.rng.randint(1, 12)
            ticks = self.middle - away if side == 0 else self.middle + away
            told[side][ticks] = self.rng.choice([0, 1, 5, 70])
        # The matching engine leaves nothing crossed.
        for side, sign in ((0, -1), (1, 1)):
            for ticks in self.book[side]:
                if (ticks - self.middle) * sign <= 0:
                    told[side][ticks] = 0
        for side in (0, 1):
            self.book[side].update(told[side])
            for ticks in [ticks for ticks, lots in self.book[side].items() if lots == 0]:
                del self.book[side][ticks]
        self.history[self.update_id] = (dict(self.book[0]), dict(self.book[1]))
        return self.frame(last, self.update_id, told)

    def frame(self, last: int, update_id: int, told: Sides) -> bytes:
        """Write a change as the venue does."""
        bids, asks = ([self.pair(*level) for level in side.items()] for side in told)
        inner = {
            "last_update_id": last,
            "update_id": update_id,
            "market_symbol": self.symbol,
            "asks": asks,
            "bids": bids,
        }
        return json.dumps({"delta": inner}, separators=(",", ":")).encode()

    def pair(self, ticks: int, lots: int) -> list[float]:
        """Write a level in the venue's decimals."""
        return [ticks / 10 ** self.decimals[0], lots / 10 ** self.decimals[1]]

    def levels(self, update_id: int) -> tuple[Pairs, Pairs]:
        """Return bids and asks, best first, as they were after an update."""
        bids, asks = self.history[update_id]
        return sorted(bids.items(), reverse=True), sorted(asks.items())
