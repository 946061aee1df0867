"""The dumbest book that synthetic rows can be played into: two dictionaries, no own orders."""

BID, ASK = 1, -1
FLAG_BUY = 0x20000000
KIND_DEPTH, KIND_TAKE = 1, 5

Print = tuple[int, int, int, int]


class FlowBook:
    """Anonymous depth; a taker walks it from the best price to its limit."""

    def __init__(self) -> None:
        self.sides: dict[int, dict[int, int]] = {BID: {}, ASK: {}}

    def best(self, side: int) -> int | None:
        prices = self.sides[side]
        if not prices:
            return None
        return max(prices) if side == BID else min(prices)

    def range(self, side: int) -> tuple[int, int]:
        prices = self.sides[side]
        return (min(prices), max(prices)) if prices else (0, 0)

    @property
    def is_crossed(self) -> bool:
        bid, ask = self.best(BID), self.best(ASK)
        return bid is not None and ask is not None and bid >= ask

    def row(self, row: tuple[int, int, int, int, int, int]) -> list[Print]:
        exch_ns, _, ticks, lots, flags, _ = row
        side = BID if flags & FLAG_BUY else ASK
        if flags & 0xFF == KIND_DEPTH:
            self.sides[side][ticks] = lots
            if lots == 0:
                del self.sides[side][ticks]
            return []
        assert flags & 0xFF == KIND_TAKE
        return self._take(exch_ns, side, ticks, lots)

    def _take(self, exch_ns: int, side: int, limit: int, lots: int) -> list[Print]:
        prints = []
        depth = self.sides[-side]
        while lots > 0:
            best = self.best(-side)
            if best is None or side * best > side * limit:
                break
            traded = min(lots, depth[best])
            prints.append((exch_ns, side, best, traded))
            lots -= traded
            depth[best] -= traded
            if depth[best] == 0:
                del depth[best]
        return prints
