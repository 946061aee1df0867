"""Deciding: what one market sends now, from the strategy's answer and all that restrains it."""

from typing import Final

from mmbot.domain.events import Fill
from mmbot.domain.notices import Severity
from mmbot.domain.order import OrderState, Side
from mmbot.domain.quotes import Quotes, Room
from mmbot.engine.desk import Desk
from mmbot.engine.outbox import Outbox
from mmbot.engine.stops import Stops
from mmbot.execution.diff import Changes, diff
from mmbot.hedging.engine import Hedge, HedgingEngine
from mmbot.risk.limits import RiskManager
from mmbot.risk.reducing import within
from mmbot.risk.rejects import Permission

_OPEN: Final = OrderState.OPEN
_ALL: Final = Permission.ALL


class Decider:
    """Decides on a market when it is due; keeps nothing of its own."""

    __slots__ = ("_outbox", "_risk", "_stops")

    def __init__(self, risk: RiskManager, stops: Stops, outbox: Outbox) -> None:
        self._risk = risk
        self._stops = stops
        self._outbox = outbox

    def decide(self, desk: Desk, now_ns: int, stop_reason: str | None) -> None:
        """Bring what rests nearer to what is wanted, or take it off."""
        state = desk.state
        market = state.market.index
        state.now_ns = now_ns
        if desk.observer is not None:
            desk.observer.observe(state)
        risk, guards = self._risk, desk.guards
        best_bid, _, best_ask, _ = state.book.touch()
        mark = best_bid + best_ask if best_bid and best_ask else 0
        risk.take_exposure(market, desk.exposure(mark))
        here = guards.stop_reason(state, (best_bid, best_ask), now_ns)
        if stop_reason is None:
            stop_reason = here
        if stop_reason is not None:
            desk.answer = Quotes((), (), stop_reason)
            self._outbox.pull(desk)
            if guards.flattening is not None:
                self._flatten(desk, now_ns)
            return
        answer = self._answer(desk, now_ns)
        if answer is None:
            return
        if not answer.bids and not answer.asks:
            # Nothing may rest: what is on its way must not land either, nor be sent again.
            guards.remember(answer, best_bid + best_ask)
            self._outbox.pull(desk)
            return
        if desk.hedging is not None:
            answer = self._without_rivals(
                desk, self._hedge(desk, desk.hedging, answer, (best_bid, best_ask)), answer
            )
        changes = diff(answer, desk.tracker, desk.tolerance, state.room, now_ns)
        if changes.places or changes.cancels:
            self._send(desk, changes, now_ns)
        # What is decided leaves first.
        if desk.tolerance.cancel_when_near:
            guards.remember(answer, best_bid + best_ask, state.reference_ticks)

    def _answer(self, desk: Desk, now_ns: int) -> Quotes | None:
        """What the strategy wants, cut to what is allowed; None when things stay as they are."""
        state, risk, guards = desk.state, self._risk, desk.guards
        market = state.market.index
        reduce_reason = self._stops.breaker.reduce_reason(market)
        if reduce_reason is None and guards.reduces(now_ns):
            reduce_reason = "reducing after a shock"
        risk.reduce_only(market, reduce_reason is not None)
        state.position_lots = desk.position.lots
        state.equity_uusd = risk.equity_uusd
        state.free_uusd = risk.free_uusd
        state.room = risk.room(market)
        if desk.counts.foreign_orders:
            state.room = _less_foreign(state.room, desk)
        desk.answer = answer = desk.strategy.decide(state)
        if type(answer) is not Quotes:
            return None
        if reduce_reason is not None:
            desk.answer = answer = within(answer, state.room, state.market.min_lots, reduce_reason)
        if not guards.rejects.quiet:
            desk.answer = answer = self._restrained(desk, answer, now_ns)
        return answer

    def endangered(self, desk: Desk) -> None:
        """Take off at once what the price has come too near to since the decision."""
        orders = desk.guards.endangered(desk.state, desk.tracker)
        if orders:
            self._outbox.cancel(desk, orders)

    def hedged(self, desk: Desk, event: Fill) -> None:
        """Book what a fill of a hedge cost against the mid, fees included."""
        if desk.hedging is None or desk.hedge is None or desk.hedge.order_id != event.order_id:
            return
        best_bid, _, best_ask, _ = desk.state.book.touch()
        market = desk.state.market
        cost = market.atoms_to_uusd(event.fee_atoms, 2 * event.ticks)
        if best_bid and best_ask:
            worse = event.side * (2 * event.ticks - best_bid - best_ask)
            cost += market.notional_uusd(worse, event.lots) if worse > 0 else 0
        desk.hedging.budget.spend(cost, event.ts_recv_ns)

    def _send(self, desk: Desk, changes: Changes, now_ns: int) -> None:
        guards = desk.guards
        if not guards.rejects.quiet:
            permission = guards.permission(desk.state, now_ns)
            if permission is Permission.NOTHING_YET and changes.places:
                return
            if permission is not _ALL:
                changes = Changes(changes.cancels, [])
        if self._stops.places_wait:
            changes = Changes(changes.cancels, [])
        self._outbox.send(desk, changes)

    def _restrained(self, desk: Desk, answer: Quotes, now_ns: int) -> Quotes:
        """The answer without what the venue keeps refusing."""
        rejects, lots = desk.guards.rejects, desk.position.lots
        bids, asks = answer.bids, answer.asks
        most = rejects.most_levels(now_ns)
        if most is not None:
            bids, asks = bids[:most], asks[:most]
        min_lots = desk.state.market.min_lots
        restrained = Quotes(bids, asks, answer.reason)
        for side in (Side.BID, Side.ASK):
            if rejects.disabled(side, now_ns):
                held = max(0, -side * lots)
                room = Room(held, 1 << 62) if side is Side.BID else Room(1 << 62, held)
                restrained = within(restrained, room, min_lots, "refused by the venue's limits")
        return restrained

    def _without_rivals(self, desk: Desk, hedge: Hedge | None, answer: Quotes) -> Quotes:
        """Send a hedge, and quote nothing that one in flight could trade with."""
        if hedge is not None and desk.hedging is not None:
            desk.hedge = self._outbox.take(desk, hedge, reduce_only=not desk.hedging.plain)
            if desk.hedge is None:
                desk.hedging.settle()
        side = desk.hedge.side if desk.hedge is not None else hedge.side if hedge else None
        if side is None:
            return answer
        if side is Side.ASK:
            return Quotes((), answer.asks, answer.reason)
        return Quotes(answer.bids, (), answer.reason)

    def _hedge(
        self, desk: Desk, hedging: HedgingEngine, answer: Quotes, best: tuple[int, int]
    ) -> Hedge | None:
        """A hedge to send now; only while the strategy finds the market fit to quote."""
        if desk.hedge is not None and desk.hedge.order_id not in desk.tracker.orders:
            desk.hedge = None
            hedging.settle()
        if desk.hedge is not None or not (answer.bids or answer.asks) or self._stops.places_wait:
            return None
        side = Side.ASK if desk.position.lots > 0 else Side.BID
        # An order on its way out, or not answered, could still be met.
        for order in desk.tracker.orders.values():
            if order.side is not side and order.state is not _OPEN:
                return None
        ratio = self._risk.position_ratio(desk.state.market.index)
        sigma = desk.guards.sigma_ticks
        return hedging.decide(ratio, desk.position.lots, best, self._outbox.now_ns, sigma)

    def _flatten(self, desk: Desk, now_ns: int) -> None:
        """The next step of a flattening, when nothing of ours rests and the market can trade."""
        guards, state = desk.guards, desk.state
        market = state.market.index
        flattening, lots = guards.flattening, desk.position.lots
        if flattening is None or self._stops.hindrances.blocks(market):
            return
        if not flattening.due(desk.tracker, lots, now_ns):
            return
        if lots == 0:
            guards.flattening = None
            self._outbox.notify(Severity.INFO, "flat", market, "the position is closed")
        elif flattening.failed:
            guards.flattening = None
            text = f"{lots} lots left after {flattening.tries} orders"
            self._outbox.notify(Severity.CRITICAL, "flatten_failed", market, text)
        elif guards.trusts_book(state, now_ns):
            hedge = flattening.order(state.book, lots, now_ns)
            if hedge is not None:
                order = self._outbox.take(desk, hedge, reduce_only=not flattening.plain)
                if order is None:
                    flattening.missed(now_ns)
                else:
                    flattening.sent(order.order_id, abs(lots) - order.lots)


def _less_foreign(room: Room, desk: Desk) -> Room:
    counts = desk.counts
    return Room(
        max(0, room.bid_lots - counts.foreign_bids),
        max(0, room.ask_lots - counts.foreign_asks),
        room.limit_lots,
    )
