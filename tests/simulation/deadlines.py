"""Invariants with a deadline, looked at regularly: I2, I6, I10, I21; and at rest: I7, I19, I20."""

from mmbot.domain.status import Mode
from mmbot.exchange.model import Order
from tests.simulation.exchange import Venue
from tests.simulation.loop import VirtualLoop
from tests.simulation.process import Process
from tests.simulation.requests import epoch_of
from tests.simulation.resting import Resting
from tests.simulation.terms import Belief, MarketBelief, Report, Surroundings, Terms

# A cancel on its way, besides the reaction: both latencies and the engine's tick.
WAY_S = 0.1
# Cancels that the limit of a second kept back, within the 2.5 s that the slowest quotes may take.
LIMITED_S = 1.9
# Sweeping what landed late takes a snapshot and a cancel.
SWEEP_S = 1.5


class Deadlines:
    """What may be wrong for a while and not for longer. `bot` is the program that runs."""

    def __init__(
        self,
        loop: VirtualLoop,
        venue: Venue,
        terms: Terms,
        surroundings: Surroundings,
        report: Report,
    ) -> None:
        self.bot: Process | None = None
        self._used_up_s = 0.0
        self._loop = loop
        self._venue = venue
        self._terms = terms
        self._around = surroundings
        self._report = report
        self._resting = Resting(venue, terms, report)
        # Since when: orders the bot does not show, markets not quoted with orders in them.
        self._unknown: dict[int, float] = {}
        self._unquoted: dict[int, float] = {}
        # When each order that rests was first seen.
        self._seen: dict[int, float] = {}
        self._told: set[tuple[str, int]] = set()

    @property
    def belief(self) -> Belief | None:
        """How the bot says that it stands."""
        return self._around.belief

    def look(self, view: Belief | None, *, used_up: bool) -> None:
        """Judge this moment, `view` as the bot sees it; `used_up`: no more cancels may be sent."""
        orders = self._resting.own()
        now_s = self._loop.now_s
        if used_up:
            self._used_up_s = now_s
        self._seen = {each.order_id: self._seen.get(each.order_id, now_s) for each in orders}
        self._strangers(orders, view)
        self._lingering(orders, view)
        self._ancestors(orders, view)
        if self.bot is not None:
            tasks, sockets = len(self.bot.tasks), len(self.bot.sockets)
            if tasks > self._terms.most_tasks or sockets > self._terms.most_sockets:
                self._once("I21", 0, f"{tasks} tasks and {sockets} connections")

    def quiet(self) -> dict[tuple[str, int], str]:
        """Compare belief with truth when faults are long over; what is wrong at this moment.

        An order on its way is no finding: only what is wrong again and again is.
        """
        view = self.belief
        if view is None:
            return {("I20", -1): "no bot runs at the end"}
        wrong = {}
        if view.mode is not Mode.QUOTING:
            wrong["I20", -1] = f"still {view.mode} at the end: {', '.join(view.reasons)}"
        orders = self._resting.own()
        for market, status in enumerate(view.markets):
            held, told = self._resting.held(market), status.position_lots
            if held != told:
                wrong["I7", market] = f"market {market}: holds {held} lots and believes {told}"
            mine = [order for order in orders if order.market_id == market]
            if view.mode is Mode.QUOTING and status.reason is None and not mine:
                wrong["I20", market] = f"market {market}: nothing rests at the end"
            if any(not _shown(order, status) for order in mine):
                wrong["I19", market] = f"market {market}: orders rest that it does not show"
        if view.orders != len(orders):
            wrong["I19", -1] = f"{len(orders)} orders rest, it says {view.orders}"
        return wrong

    def _strangers(self, orders: list[Order], view: Belief | None) -> None:
        now_s = self._loop.now_s
        since = {}
        for order in orders:
            known = view is not None and _shown(order, view.markets[order.market_id])
            if not known:
                since[order.order_id] = self._unknown.get(order.order_id, now_s)
        self._unknown = since
        most_s = self._terms.lifetime_s + 1 + self._terms.reconcile_s
        for order_id, from_s in since.items():
            if now_s - max(from_s, self._around.calm_since) > most_s:
                self._once("I2", order_id, f"order {order_id} rests, unknown since {from_s:.3f} s")

    def _lingering(self, orders: list[Order], view: Belief | None) -> None:
        now_s = self._loop.now_s
        if view is None:
            self._unquoted.clear()
            return
        for market, status in enumerate(view.markets):
            # What a stop may take is another invariant's (I11).
            fine = view.mode is Mode.DRAINING or (
                view.mode is Mode.QUOTING and status.reason is None
            )
            since = [self._seen[each.order_id] for each in orders if each.market_id == market]
            if fine or not since:
                self._unquoted.pop(market, None)
                continue
            from_s = self._unquoted.setdefault(market, now_s)
            # An order that came later was placed when all was well, for less than a look (I5).
            calm_s = max(min(since), self._around.calm_since)
            waited_s = late_s(now_s, from_s, calm_s, self._used_up_s)
            if waited_s > self._terms.reaction_s + WAY_S:
                self._unquoted[market] = now_s + 1.0
                why = status.reason or view.mode
                self._report("I6", f"market {market}: orders rest {waited_s:.2f} s after {why}")

    def _ancestors(self, orders: list[Order], view: Belief | None) -> None:
        now_s = self._loop.now_s
        if view is None:
            return
        up_s = now_s - max(self._around.started_s, self._around.calm_since)
        for order in orders:
            if order.client_order_id is None or epoch_of(order.client_order_id) >= view.epoch:
                continue
            age_s = now_s - (order.added_ns - self._venue.pace.start_ns) / 1e9
            if up_s > self._terms.orphan_s and age_s > SWEEP_S:
                self._once("I10", order.order_id, f"order {order.order_id} of an older epoch rests")

    def _once(self, invariant: str, what: int, text: str) -> None:
        if (invariant, what) not in self._told:
            self._told.add((invariant, what))
            self._report(invariant, text)


def late_s(now_s: float, from_s: float, calm_s: float, used_up_s: float) -> float:
    """How long quotes are late that should be off since `from_s`, and could be since `calm_s`.

    `used_up_s` is when the cancels of a second were last used up: no bot can do anything then, but
    that excuses it for LIMITED_S at most.
    """
    return now_s - max(from_s, calm_s, min(used_up_s, from_s + LIMITED_S))


def _shown(order: Order, status: MarketBelief) -> bool:
    levels = status.bids if order.side > 0 else status.asks
    return any(level.ticks == order.ticks for level in levels)
