"""The order book as two dictionaries, sorted afresh for every answer."""

import math
from collections.abc import Iterable
from fractions import Fraction

BID, ASK = 1, -1
Pairs = Iterable[tuple[int, int]]


class OracleBook:
    """Same contract as mmbot.cext.orderbook.OrderBook."""

    def __init__(self) -> None:
        self.lots: dict[int, dict[int, int]] = {BID: {}, ASK: {}}
        self.own: dict[int, dict[int, int]] = {BID: {}, ASK: {}}

    def snapshot(self, bids: Pairs, asks: Pairs) -> None:
        self.clear()
        self.apply(bids, asks)

    def apply(self, bids: Pairs, asks: Pairs) -> None:
        for side, levels in ((BID, bids), (ASK, asks)):
            for ticks, lots in levels:
                self.set_level(side, ticks, lots)

    def set_level(self, side: int, ticks: int, lots: int) -> None:
        _set(self.lots[side], ticks, lots)

    def set_own(self, side: int, ticks: int, lots: int) -> None:
        _set(self.own[side], ticks, lots)

    def clear(self) -> None:
        self.lots = {BID: {}, ASK: {}}

    def clear_own(self) -> None:
        self.own = {BID: {}, ASK: {}}

    def levels(self, side: int, count: int, exclude_own: bool = True) -> list[tuple[int, int]]:
        own = self.own[side] if exclude_own else {}
        left = [(t, lots - own.get(t, 0)) for t, lots in self.lots[side].items()]
        return sorted((p for p in left if p[1] > 0), key=lambda p: -side * p[0])[:count]

    def touch(self, exclude_own: bool = True) -> tuple[int, int, int, int]:
        bid, ask = (self.levels(s, 1, exclude_own) or [(0, 0)] for s in (BID, ASK))
        return *bid[0], *ask[0]

    def top(
        self, levels: int, exclude_own: bool = True
    ) -> tuple[int, int, int, int, float, float, int, int]:
        bids, asks = (self.levels(side, levels, exclude_own) for side in (BID, ASK))
        bid, _, ask, _ = self.touch(exclude_own)
        both = min(len(bids), len(asks))
        bid_depth = sum(lots for _, lots in bids[:both])
        ask_depth = sum(lots for _, lots in asks[:both])
        total = bid_depth + ask_depth
        imbalance = float(Fraction(bid_depth - ask_depth, total)) if total else 0.0
        mid = float(Fraction(bid + ask, 2)) if bid and ask else math.nan
        return bid, ask, bid_depth, ask_depth, imbalance, mid, len(bids), len(asks)

    def microprice(self, exclude_own: bool = True) -> float:
        bid, bid_lots, ask, ask_lots = self.touch(exclude_own)
        if not bid or not ask:
            return math.nan
        return float(Fraction(bid * ask_lots + ask * bid_lots, bid_lots + ask_lots))

    def vwap(self, side: int, lots: int, exclude_own: bool = True) -> tuple[float, int]:
        filled = value = 0
        for ticks, found in self.levels(side, 10**9, exclude_own):
            taken = min(found, lots - filled)
            filled += taken
            value += ticks * taken
        return (float(Fraction(value, filled)) if filled else math.nan), filled

    def lots_at(self, side: int, ticks: int) -> int:
        return self.lots[side].get(ticks, 0)

    def lots_within(self, side: int, ticks: int) -> int:
        best = self.levels(side, 1, False)
        return sum(n for t, n in self.lots[side].items() if abs(t - best[0][0]) <= ticks)


def _set(levels: dict[int, int], ticks: int, lots: int) -> None:
    levels[ticks] = lots
    if lots == 0:
        del levels[ticks]
