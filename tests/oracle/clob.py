"""The slow, obvious twin of mmbot.cext.clob: dictionaries, and every lot of a level in a line."""

import copy
from dataclasses import dataclass, field

LIMIT, POST_ONLY, IOC, FOK = range(4)
DEPTH, TRADE, CLEAR, SNAPSHOT, TAKE = range(1, 6)
ALLOW, CANCEL_RESTING, CANCEL_TAKER = range(3)

Fill = tuple[int, int, int, int, int]
Execution = tuple[int, int, int, Fill]
Place = tuple[int, "Order | None"]


def away_from_zero(value: float) -> int:
    """Round halves away from zero; values are not negative here."""
    return int(value + 0.5)


def power_front(front: float, traded: float, before: int, after: int, n: float) -> float:
    """Where a queue position moves when the level goes from `before` to `after`."""
    change = before - after - traded
    if change < 0:
        return min(front, after)
    back = before - front
    if back < 0 and not float(n).is_integer():
        # A power without a value: as when nothing can be said, the displayed size is in front.
        return after
    behind, ahead = float(back) ** n, float(front) ** n
    if behind == 0 and ahead == 0:
        return after
    share = behind / (behind + ahead) if behind + ahead != 0 else 1.0
    return min(front - (1 - share) * change + min(back - share * change, 0), after)


@dataclass(slots=True)
class Order:
    """One resting order."""

    order_id: int
    owner: int
    side: int
    ticks: int
    lots: int
    front: float
    traded: float = 0.0


@dataclass(slots=True)
class Taker:
    """Who takes: the house without an id, or an order. `money` None: no limit."""

    side: int
    lots: int
    limit: int | None
    owner: int = 0
    order_id: int = 0
    money: int | None = None
    stopped: bool = False
    spent: bool = False

    def sated(self, ticks: int) -> bool:
        """Whether it wants or can pay no lot at a price."""
        return self.lots == 0 or (self.money is not None and self.money < ticks)


@dataclass
class State:
    """All there is; `orders` in order of arrival."""

    shown: dict[int, dict[int, int]] = field(default_factory=lambda: {1: {}, -1: {}})
    orders: list[Order] = field(default_factory=list)
    published: dict[int, dict[int, int]] = field(default_factory=lambda: {1: {}, -1: {}})
    prints: list[tuple[int, int, int, int]] = field(default_factory=list)
    now_ns: int = 0


class Shown:
    """The state and what can be read off it."""

    def __init__(self, *, queue: str = "risk", numbers: tuple[float, ...] = ()) -> None:
        self.power = numbers[0] if queue == "power" else None
        self.self_trade = ALLOW
        self.self_trade_cancels: list[tuple[int, int]] = []
        self.state = State()
        self.saved: State | None = None
        self.executions: list[Execution] = []

    def resting(self, side: int) -> list[Order]:
        """List a side's orders, best price first, then by arrival."""
        mine = [order for order in self.state.orders if order.side == side]
        return sorted(mine, key=lambda order: -order.ticks * side)

    def totals(self, side: int) -> dict[int, int]:
        """Total lots by price, best first."""
        found = dict(self.state.shown[side])
        for order in self.resting(side):
            found[order.ticks] = found.get(order.ticks, 0) + order.lots
        return dict(sorted(found.items(), key=lambda level: -level[0] * side))

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        """Best levels of a side."""
        return list(self.totals(side).items())[:count]

    def side_sum(self, side: int) -> tuple[int, int]:
        """Total lots and number of levels."""
        totals = self.totals(side)
        return sum(totals.values()), len(totals)

    def best(self) -> tuple[int | None, int | None]:
        """Best bid and ask."""
        return next(iter(self.totals(1)), None), next(iter(self.totals(-1)), None)

    def lots_at(self, side: int, ticks: int) -> tuple[int, int]:
        """Total and displayed lots at a price."""
        return self.totals(side).get(ticks, 0), self.state.shown[side].get(ticks, 0)

    def find(self, order_id: int) -> Order | None:
        """Find a resting order."""
        return next((o for o in self.state.orders if o.order_id == order_id), None)

    def order(self, order_id: int) -> tuple[int, int, int, int, float] | None:
        """Owner, side, ticks, lots and front of a resting order."""
        o = self.find(order_id)
        return None if o is None else (o.owner, o.side, o.ticks, o.lots, o.front)

    def orders(self, side: int) -> list[int]:
        """Ids in price-time priority."""
        return [order.order_id for order in self.resting(side)]

    def acceptable(self, side: int, limit: int | None) -> int | None:
        """Find the price the other side offers a taker of `side`, if its limit allows it."""
        best = self.best()[0 if side < 0 else 1]
        if best is None or (limit is not None and (limit - best) * side < 0):
            return None
        return best

    def would_take(self, side: int, ticks: int) -> bool:
        """Whether there is something to trade with."""
        return self.acceptable(side, ticks or None) is not None


class Walking(Shown):
    """Takers on their way through the book."""

    def note(self, taker: Taker, maker: Order | None, ticks: int, lots: int, left: int) -> None:
        """Write down an execution."""
        who = (0, 0) if maker is None else (maker.order_id, maker.owner)
        fill = (*who, ticks, lots, left)
        self.executions.append((taker.side, taker.owner, taker.order_id, fill))
        self.state.prints.append((self.state.now_ns, taker.side, ticks, lots))

    def show(self, side: int, ticks: int, lots: int) -> None:
        """Set the displayed size at a price."""
        self.state.shown[side].pop(ticks, None)
        if lots:
            self.state.shown[side][ticks] = lots

    def walk(self, taker: Taker) -> None:
        """Trade level after level."""
        self.self_trade_cancels = []
        while taker.lots > 0 and not taker.stopped:
            ticks = self.acceptable(taker.side, taker.limit)
            if ticks is None:
                return
            if taker.money is not None and taker.money < ticks:
                taker.spent = True
                return
            self.walk_level(taker, ticks)

    def line(self, side: int, ticks: int) -> list[Place]:
        """Every lot of a level in the order it trades; displayed lots in pieces by the fronts."""
        lots: list[Place] = []
        shown, piece = 0, 0
        for order in [o for o in self.resting(side) if o.ticks == ticks]:
            reach = min(away_from_zero(order.front), self.state.shown[side].get(ticks, 0))
            lots += [(piece, None)] * (reach - shown)
            shown = max(shown, reach)
            piece += 1
            lots += [(piece, order)] * order.lots
        rest = self.state.shown[side].get(ticks, 0) - shown
        return lots + [(piece, None)] * rest

    def walk_level(self, taker: Taker, ticks: int) -> None:
        """Hand out a level lot by lot, then write the pieces down."""
        side, eaten = -taker.side, 0
        pieces = list[tuple[Place, int]]()
        for place in self.line(side, ticks):
            if taker.sated(ticks) or taker.stopped:
                break
            if place[1] is not None and self.forbidden(taker, place[1]):
                self.intervene(taker, place[1])
                continue
            taker.lots -= 1
            taker.money = None if taker.money is None else taker.money - ticks
            eaten += place[1] is None
            lots = pieces.pop()[1] if pieces and pieces[-1][0] == place else 0
            pieces.append((place, lots + 1))
        for place, lots in pieces:
            self.trade(taker, place[1], ticks, lots)
        for other in self.resting(side):
            if other.ticks == ticks:
                other.front = max(other.front - eaten, 0)

    def intervene(self, taker: Taker, maker: Order) -> None:
        """Cancel one of two that must not trade; called again for each lot of a resting one."""
        if self.self_trade == CANCEL_TAKER:
            taker.stopped = True
        elif maker in self.state.orders:
            self.state.orders.remove(maker)
            self.self_trade_cancels.append((maker.order_id, maker.lots))

    def forbidden(self, taker: Taker, maker: Order) -> bool:
        """Whether the rule keeps these two from trading; the house trades with itself."""
        return self.self_trade != ALLOW and maker.owner == taker.owner != 0

    def trade(self, taker: Taker, maker: Order | None, ticks: int, lots: int) -> None:
        """Take a piece out of the book."""
        if maker is None:
            left = self.state.shown[-taker.side][ticks] - lots
            self.show(-taker.side, ticks, left)
        else:
            left = maker.lots = maker.lots - lots
            if left == 0:
                self.state.orders.remove(maker)
        self.note(taker, maker, ticks, lots, left)

    def complete(self, taker: Taker, fills: list[Fill]) -> bool:
        """Whether a fill-or-kill order has all it asked for."""
        if taker.stopped or not fills:
            return False
        poor = taker.money is not None and taker.money < fills[-1][2]
        return taker.lots == 0 or taker.spent or poor


class Clob(Walking):
    """Same methods and answers as the kernel."""

    def place(
        self, order_id: int, owner: int, side: int, ticks: int, lots: int, mode: int
    ) -> tuple[list[Fill], int]:
        """Let an order arrive."""
        taker = Taker(side, lots, ticks or None, owner, order_id)
        return self.arrive(taker, ticks, mode)

    def place_quoted(
        self, order_id: int, owner: int, side: int, ticks: int, size: tuple[int, int], mode: int
    ) -> tuple[list[Fill], int]:
        """Let an order arrive whose money is limited."""
        taker = Taker(side, size[0], ticks or None, owner, order_id, size[1])
        return self.arrive(taker, ticks, mode)

    def arrive(self, taker: Taker, ticks: int, mode: int) -> tuple[list[Fill], int]:
        """Trade, then rest or not."""
        self.executions, self.self_trade_cancels = [], []
        if mode == POST_ONLY and self.would_take(taker.side, ticks):
            return [], -1
        before = copy.deepcopy(self.state)
        self.walk(taker)
        fills = [execution[3] for execution in self.executions]
        if mode == FOK and not self.complete(taker, fills):
            self.state, self.self_trade_cancels = before, []
            return [], 0
        if mode in (IOC, FOK) or taker.stopped or taker.spent:
            return fills, 0
        lots = taker.lots if taker.money is None else min(taker.lots, taker.money // ticks)
        if lots:
            front = self.state.shown[taker.side].get(ticks, 0)
            order = Order(taker.order_id, taker.owner, taker.side, ticks, lots, front)
            self.state.orders.append(order)
        return fills, lots

    def cancel(self, order_id: int) -> int:
        """Take an order out."""
        order = self.find(order_id)
        if order is None:
            return -1
        self.state.orders.remove(order)
        return order.lots

    def shrink(self, order_id: int, lots: int) -> bool:
        """Make an order smaller in its place."""
        order = self.find(order_id)
        if order is None or order.lots <= lots:
            return False
        order.lots = lots
        return True

    def row(self, now_ns: int, kind: int, side: int, ticks: int, lots: int) -> list[Execution]:
        """Apply one row of the background market."""
        self.executions, self.state.now_ns = [], now_ns
        if kind in (DEPTH, SNAPSHOT):
            self.depth(side, ticks, lots)
        elif kind == CLEAR:
            for level in [t for t in self.state.shown[side] if (t - ticks) * side >= 0]:
                del self.state.shown[side][level]
        elif kind == TRADE:
            self.printed(side, ticks, lots)
        else:
            self.walk(Taker(side, lots, ticks))
        return self.executions

    def announce(self, side: int, ticks: int, lots: int) -> None:
        """Show another size at a price and move the queue behind it."""
        before = self.state.shown[side].get(ticks, 0)
        self.show(side, ticks, lots)
        for order in self.resting(side):
            if order.ticks != ticks:
                continue
            if self.power is None:
                order.front = min(order.front, lots)
            else:
                front = power_front(order.front, order.traded, before, lots, self.power)
                order.front = max(front, 0)
                order.traded = 0

    def depth(self, side: int, ticks: int, lots: int) -> None:
        """Displayed size arrives: older displayed size it crosses ends, orders trade with it."""
        if lots and self.would_take(side, ticks):
            for level in [t for t in self.state.shown[-side] if (ticks - t) * side >= 0]:
                self.announce(-side, level, 0)
            taker = Taker(side, lots, ticks)
            self.walk(taker)
            lots = taker.lots
        self.announce(side, ticks, lots)

    def printed(self, aggressor: int, ticks: int, lots: int) -> None:
        """Let a trade printed elsewhere pass the orders, which keep what reaches them."""
        taker, left, passed = Taker(aggressor, lots, ticks), lots, 0
        for order in self.resting(-aggressor):
            if (ticks - order.ticks) * aggressor < 0:
                break
            ahead = 0 if order.ticks != ticks else max(away_from_zero(order.front) - passed, 0)
            passed += min(ahead, left - passed)
            reached = min(order.lots, left - passed)
            if reached:
                left -= reached
                self.trade(taker, order, order.ticks, reached)
        for order in self.resting(-aggressor):
            if order.ticks == ticks:
                order.front = max(order.front - passed, 0)
                order.traded += lots
        if left:
            self.note(taker, None, ticks, left, self.state.shown[-aggressor].get(ticks, 0))

    def begin(self) -> None:
        """Remember everything."""
        self.saved = copy.deepcopy(self.state)

    def commit(self) -> None:
        """Forget what was remembered."""
        self.saved = None

    def rollback(self) -> None:
        """Be as remembered."""
        assert self.saved is not None
        self.state, self.saved = self.saved, None

    def take_changes(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Compare the totals with those of the last call."""
        found = []
        for side in (1, -1):
            now, then = self.totals(side), self.state.published[side]
            changed = [t for t in {*now, *then} if now.get(t, 0) != then.get(t, 0)]
            found.append([(t, now.get(t, 0)) for t in sorted(changed, key=lambda t: -t * side)])
            self.state.published[side] = now
        return found[0], found[1]

    def take_prints(self) -> list[tuple[int, int, int, int]]:
        """Hand over all executions."""
        prints, self.state.prints = self.state.prints, []
        return prints
