"""The slow, obvious twin of mmbot.cext.matching: dictionaries, lists and one lot at a time."""

import math
from dataclasses import dataclass
from itertools import groupby

ACCEPTED, FILLED, CANCELLED, EXPIRED, CANCEL_REFUSED, REJECTED = range(1, 7)
QUEUE, TRADE_THROUGH, BOOK_CROSS, TAKER, ARRIVAL = range(1, 6)
DEPTH, TRADE, CLEAR, SNAPSHOT, TAKE = range(1, 6)
LIMIT, POST_ONLY, IOC, FOK = range(4)
REDUCE_ONLY = 4

Report = tuple[int, int, int, int, int, int, bool, int]
Print = tuple[int, int, int, int]


def away_from_zero(value: float) -> int:
    """Round halves away from zero."""
    return math.floor(value + 0.5) if value >= 0 else -math.floor(-value + 0.5)


def power_front(front: float, traded: float, before: int, after: int, n: float) -> float:
    """Where a queue position moves when the level goes from `before` to `after`."""
    change = before - after - traded
    if change < 0:
        return min(front, after)
    back = before - front
    if min(back, front) < 0 and not float(n).is_integer():
        # A power without a value: as when nothing can be said, the displayed size is in front.
        return after
    behind, ahead = float(back) ** n, float(front) ** n
    if behind == 0 and ahead == 0:
        return after
    share = behind / (behind + ahead) if behind + ahead != 0 else 1.0
    return min(front - (1 - share) * change + min(back - share * change, 0), after)


@dataclass(slots=True)
class Resting:
    """An own order in the exchange's hands."""

    order_id: int
    side: int
    ticks: int
    lots: int
    front: float
    traded: float = 0.0


class Book:
    """Two dictionaries; a new best that crosses moves the other side's best behind it."""

    def __init__(self) -> None:
        self.levels: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.top: dict[int, int | None] = {1: None, -1: None}

    def worse(self, side: int, ticks: int) -> int | None:
        """Next level strictly worse than `ticks`."""
        listed = [t for t in self.levels[side] if (ticks - t) * side > 0]
        return max(listed, key=lambda t: t * side, default=None)

    def reaches(self, side: int, ticks: int) -> bool:
        """Whether this side's best is at `ticks` or better."""
        best = self.top[side]
        return best is not None and (best - ticks) * side >= 0

    def set(self, side: int, ticks: int, lots: int) -> None:
        """Replace the size at a price."""
        best, other = self.top[side], self.top[-side]
        if lots == 0:
            self.levels[side].pop(ticks, None)
            if ticks == best:
                self.top[side] = self.worse(side, ticks)
            return
        self.levels[side][ticks] = lots
        if best is None or (ticks - best) * side > 0:
            self.top[side] = ticks
            if other is not None and (ticks - other) * side >= 0:
                self.top[-side] = self.worse(-side, ticks)

    def clear_to(self, side: int, ticks: int) -> None:
        """Remove `ticks` and everything better."""
        for level in [t for t in self.levels[side] if (t - ticks) * side >= 0]:
            del self.levels[side][level]
        if self.reaches(side, ticks):
            self.top[side] = self.worse(side, ticks)


class Matching:
    """Same methods and answers as the kernel, for the queue models risk and power."""

    def __init__(
        self, *, queue: str = "risk", numbers: tuple[float, ...] = (), partial: bool = True
    ) -> None:
        self.power = numbers[0] if queue == "power" else None
        self.partial = partial
        self.book = Book()
        self.orders: list[Resting] = []
        self.prints: list[Print] = []
        self.position = 0
        self.reports: list[Report] = []

    def resting(self, side: int) -> list[Resting]:
        """List a side's orders, best price first, then by arrival."""
        return sorted((o for o in self.orders if o.side == side), key=lambda o: -o.ticks * side)

    def fill(self, order: Resting, lots: int, cause: int) -> None:
        """Fill a resting order."""
        order.lots -= lots
        self.position += order.side * lots
        self.reports.append(
            (FILLED, order.order_id, order.side, order.ticks, lots, order.lots, True, cause)
        )
        if order.lots == 0:
            self.orders.remove(order)

    def event(self, now_ns: int, kind: int, side: int, ticks: int, lots: int) -> list[Report]:
        """Apply a market row."""
        self.reports = []
        if kind in (DEPTH, SNAPSHOT):
            self.depth(side, ticks, lots)
        elif kind == TRADE:
            self.trade(side, ticks, lots)
        elif kind == CLEAR:
            self.book.clear_to(side, ticks)
        else:
            self.take(now_ns, side, ticks, lots)
        return self.reports

    def depth(self, side: int, ticks: int, lots: int) -> None:
        """Book first, queues second, crossed orders third."""
        before = self.lots_at(side, ticks)
        self.book.set(side, ticks, lots)
        for order in self.resting(side):
            if order.ticks == ticks and self.power is None:
                order.front = min(order.front, lots)
            elif order.ticks == ticks and self.power is not None:
                order.front = power_front(order.front, order.traded, before, lots, self.power)
                order.traded = 0
        for order in self.resting(-side):
            if self.book.reaches(side, order.ticks):
                self.fill(order, order.lots, BOOK_CROSS)

    def trade(self, aggressor: int, ticks: int, lots: int) -> None:
        """Let every order on the other side see the whole trade."""
        for order in self.resting(-aggressor):
            beyond = (ticks - order.ticks) * aggressor
            if beyond > 0:
                self.fill(order, order.lots, TRADE_THROUGH)
            elif beyond == 0:
                order.front -= lots
                order.traded += lots
                reached = away_from_zero(-order.front)
                if reached < 1:
                    continue
                if self.partial and reached < order.lots:
                    order.front = 0
                    self.fill(order, reached, QUEUE)
                else:
                    self.fill(order, order.lots, QUEUE)

    def take(self, now_ns: int, aggressor: int, limit: int, lots: int) -> None:
        """Eat the passive side lot by lot."""
        side = -aggressor
        while lots > 0:
            prices = {o.ticks for o in self.orders if o.side == side}
            best = self.book.top[side]
            prices |= set() if best is None else {best}
            ticks = max(prices, key=lambda t: t * side, default=None)
            if ticks is None or (ticks - limit) * side < 0:
                return
            lots = self.take_level(now_ns, aggressor, ticks, lots)

    def take_level(self, now_ns: int, aggressor: int, ticks: int, lots: int) -> int:
        """Line up every lot of a price in time priority and hand out the first `lots`."""
        side, line = -aggressor, list[Resting | None]()
        here = [o for o in self.resting(side) if o.ticks == ticks]
        for order in here:
            line += [None] * (away_from_zero(order.front) - line.count(None))
            line += [order] * order.lots
        shown = self.lots_at(side, ticks)
        line += [None] * (shown - line.count(None))
        eaten = line[:lots]
        for owner, group in groupby(eaten, key=id):
            piece = len(list(group))
            self.prints.append((now_ns, aggressor, ticks, piece))
            for order in [o for o in here if id(o) == owner]:
                self.fill(order, piece, QUEUE)
        public = eaten.count(None)
        for order in here:
            order.front = max(order.front - public, 0)
        self.book.set(side, ticks, max(shown - public, 0))
        return lots - len(eaten)

    def submit(
        self, now_ns: int, order_id: int, side: int, ticks: int, lots: int, mode: int
    ) -> list[Report]:
        """Let an order arrive."""
        del now_ns
        self.reports = []
        reduce_only, mode = mode >= REDUCE_ONLY, mode % REDUCE_ONLY
        if any(o.order_id == order_id for o in self.orders) or (
            reduce_only and lots > -side * self.position
        ):
            self.reports.append((REJECTED, order_id, side, ticks, 0, lots, False, 0))
        elif self.book.reaches(-side, ticks):
            self.cross(order_id, side, ticks, lots, mode)
        elif mode in (IOC, FOK):
            self.reports.append((EXPIRED, order_id, side, ticks, 0, lots, False, 0))
        else:
            front = self.lots_at(side, ticks)
            self.orders.append(Resting(order_id, side, ticks, lots, front))
            self.reports.append((ACCEPTED, order_id, side, ticks, 0, lots, False, 0))
        return self.reports

    def cross(self, order_id: int, side: int, limit: int, lots: int, mode: int) -> None:
        """Trade with the displayed book, which stays as it is."""
        best = self.book.top[-side]
        assert best is not None
        shown = {
            ticks: size
            for ticks, size in sorted(self.book.levels[-side].items(), key=lambda x: x[0] * side)
            if (ticks - best) * side >= 0 and (limit - ticks) * side >= 0
        }
        pieces: list[tuple[int, int]] = []
        left = lots
        if mode == POST_ONLY or (mode == FOK and self.partial and sum(shown.values()) < lots):
            shown = {}
        elif not self.partial:
            pieces, left, shown = [(best, lots)], 0, {}
        if mode == LIMIT and side > 0:
            shown.pop(limit, None)
        for ticks, size in shown.items():
            if left > 0:
                pieces.append((ticks, min(size, left)))
                left -= min(size, left)
        if mode == LIMIT and left > 0:
            pieces.append((limit, left))
            left = 0
        open_lots = lots
        for ticks, piece in pieces:
            open_lots -= piece
            self.position += side * piece
            self.reports.append((FILLED, order_id, side, ticks, piece, open_lots, False, TAKER))
        if left > 0:
            self.reports.append((EXPIRED, order_id, side, limit, 0, left, False, 0))

    def cancel(self, now_ns: int, order_id: int) -> list[Report]:
        """Take an order out if it rests."""
        del now_ns
        for order in self.orders:
            if order.order_id == order_id:
                self.orders.remove(order)
                return [(CANCELLED, order_id, order.side, order.ticks, 0, order.lots, False, 0)]
        return [(CANCEL_REFUSED, order_id, 1, 0, 0, 0, False, 0)]

    def take_prints(self) -> list[Print]:
        """Hand over the executions of takers."""
        prints, self.prints = self.prints, []
        return prints

    def front(self, order_id: int) -> float:
        """Lots in front of a resting order."""
        return next(o.front for o in self.orders if o.order_id == order_id)

    def lots_at(self, side: int, ticks: int) -> int:
        """Displayed lots at a price."""
        return self.book.levels[side].get(ticks, 0)

    def best(self) -> tuple[int | None, int | None]:
        """Best prices with own orders."""
        bids = [o.ticks for o in self.orders if o.side > 0]
        asks = [o.ticks for o in self.orders if o.side < 0]
        shown_bid, shown_ask = self.book.top[1], self.book.top[-1]
        bids += [] if shown_bid is None else [shown_bid]
        asks += [] if shown_ask is None else [shown_ask]
        return max(bids, default=None), min(asks, default=None)
