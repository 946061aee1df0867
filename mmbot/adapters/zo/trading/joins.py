"""Two names of one order brought together: the stream speaks of venue ids, the engine of ours.

What the stream tells of an order that nobody knows yet is kept until a receipt or a snapshot names
it (reliability P04); what an end needs as evidence is waited for, shortly.
"""

from itertools import count

from msgspec.structs import replace

from mmbot.adapters.zo.rest.answers import OwnTrade
from mmbot.adapters.zo.streams.frames import OwnFill, OwnOrder
from mmbot.adapters.zo.trading.endings import Endings
from mmbot.adapters.zo.trading.hindrances import Outlet
from mmbot.adapters.zo.trading.known_orders import KnownOrder, KnownOrders
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.adapters.zo.trading.strangers import Stranger, Strangers
from mmbot.adapters.zo.trading.tally import Booked, Tally
from mmbot.domain.events import UNIDENTIFIED, Fill
from mmbot.domain.order import OrderState

UNSOLICITED = "unsolicited"


class Joins:
    """Fills, places and cancels of the stream on one side, receipts and snapshots on the other."""

    def __init__(
        self, outlet: Outlet, orders: KnownOrders, money: list[MarketMoney], evidence_ms: int
    ) -> None:
        self.reached = 0
        self.tally = Tally(len(money))
        self._outlet = outlet
        self._orders = orders
        self._money = money
        self.strangers = Strangers()
        # Orders that traded at once and never got an id, by the action that executed them.
        self._nameless: dict[int, list[KnownOrder]] = {}
        self._endings = Endings(orders, evidence_ms)
        self._numbers = count(1)
        # The snapshot that the stream goes on from, and lots by venue id told by the list of trades
        # that the stream has passed without telling: its next fill of the order contains them.
        self._based = 0
        self._ahead: dict[int, int] = {}

    def fill(self, found: OwnFill, market: int, action_id: int, *, maker: bool) -> bool:
        """Tell an execution; the position is right from now on, whoever's order it was.

        False when nobody knows yet whose.
        """
        if self._ahead:
            early = min(self._ahead.pop(found.order_id, 0), found.lots)
            if early == found.lots:
                return True
            found = replace(found, lots=found.lots - early)
        money = self._money[market]
        fee = money.fee_atoms(found.ticks, found.lots, maker=maker)
        cash = money.cash_atoms(found.side, found.ticks, found.lots)
        booked = Booked(found.side * found.lots, cash, fee)
        now_ns = self._outlet.clock()
        self.tally.book((self.reached, action_id), market, booked, now_ns)
        order = self._orders.of_venue(found.order_id) or self._named(found, market, action_id)
        fill = Fill(
            0,
            self._outlet.clock(),
            market,
            UNIDENTIFIED if order is None else order.order_id,
            next(self._numbers),
            found.side,
            found.ticks,
            found.lots,
            found.remaining if order is None else _left(order, found.lots, found.remaining),
            maker,
            fee,
        )
        self._outlet.tell(fill)
        if order is None:
            stranger = self.strangers.note(found, market, (self.reached, action_id))
            stranger.fills.append(fill)
            stranger.left = found.remaining
        else:
            self._filled(order, fill.leaves_lots)
        return order is not None

    def missed(self, own: OwnTrade, market: int) -> None:
        """Tell an execution that the stream did not tell, by the venue's list of trades."""
        trade, money = own.trade, self._money[market]
        venue_id = trade.order_id if own.is_maker else 0
        if venue_id and trade.action_id > self._based:
            self._ahead[venue_id] = self._ahead.get(venue_id, 0) + trade.lots
        order = self._orders.of_venue(venue_id)
        left = 0 if order is None else max(0, order.leaves - trade.lots)
        fee = money.trade_fee_atoms(own)
        self.tally.lots[market] += own.side * trade.lots
        order_id = UNIDENTIFIED if order is None else order.order_id
        number, now_ns = next(self._numbers), self._outlet.clock()
        self._outlet.tell(
            Fill(
                trade.time_ns,
                now_ns,
                market,
                order_id,
                number,
                own.side,
                trade.ticks,
                trade.lots,
                left,
                own.is_maker,
                fee,
            )
        )
        if order is not None:
            self._filled(order, left)

    def placed(self, found: OwnOrder, market: int, action_id: int) -> bool:
        """An order was placed; False when nobody knows whose it is."""
        order = self._orders.of_venue(found.order_id)
        if order is None:
            stranger = self.strangers.note(found, market, (self.reached, action_id))
            stranger.placed_lots = found.lots
            stranger.left = found.lots if stranger.left is None else stranger.left
        return order is not None

    def cancelled(self, found: OwnOrder, market: int, action_id: int) -> bool:
        """An order is gone, not filled to its end; False when nobody asked for it."""
        order = self._orders.of_venue(found.order_id)
        if order is None:
            self.strangers.note(found, market, (self.reached, action_id)).cancelled = True
            return True
        asked = not order.wanted
        self._cancelled(order)
        return asked

    def adopted(self, action_id: int) -> None:
        """The stream goes on from a snapshot at this action, which has everything before it."""
        self._based = action_id
        self._ahead.clear()
        self.told_to(action_id)

    def told_to(self, action_id: int) -> None:
        """The stream told everything up to this action; ends that waited for it are told."""
        self.reached = max(self.reached, action_id)
        if self._nameless:
            self._nameless = {at: each for at, each in self._nameless.items() if at > self.reached}
        self._endings.reached(self.reached)

    def tick(self, now_ns: int) -> bool:
        """Tell ends whose evidence is late; whether there were any."""
        return self._endings.late(now_ns)

    def identify(self, order: KnownOrder, venue_id: int) -> None:
        """An order's venue id is known now: tell what waited for it, and that it rests if it does.

        An order told to be done that rests is left to the caller.
        """
        self._orders.identify(order, venue_id)
        stranger = self.strangers.take(venue_id)
        if stranger is not None:
            if stranger.left is not None and not order.immediate:
                order.leaves = stranger.left
            self._name(order, stranger)
        if not order.done:
            self._orders.tell(order, OrderState.OPEN)

    def executed(self, order: KnownOrder, action_id: int, *, whole: bool) -> None:
        """An order traded at once and nothing of it rests: by receipt, it never gets an id."""
        order.landed = True
        mine = self.strangers.executed_by(action_id, order)
        for each in mine:
            self.identify(order, each.venue_id)
        if not mine and action_id > self.reached:
            self._nameless.setdefault(action_id, []).append(order)
        self.end(order, OrderState.FILLED if whole else OrderState.CANCELLED, action_id)

    def end(self, order: KnownOrder, state: OrderState, action_id: int) -> None:
        """Tell an end by a receipt once the stream has told all that came before it."""
        order.cancel_due_ns = None
        if action_id <= self.reached:
            self._orders.tell(order, state)
        else:
            self._endings.hold(order, state, action_id, self._outlet.clock())

    def _named(self, found: OwnFill, market: int, action_id: int) -> KnownOrder | None:
        for executed, orders in self._nameless.items():
            for order in orders if self.reached < executed <= action_id else ():
                if (order.market, order.side) == (market, found.side):
                    self._orders.identify(order, found.order_id)
                    return order
        return None

    def _name(self, order: KnownOrder, stranger: Stranger) -> None:
        for fill in stranger.fills:
            left = _left(order, fill.lots, fill.leaves_lots)
            now_ns = self._outlet.clock()
            named = replace(fill, ts_recv_ns=now_ns, order_id=order.order_id, leaves_lots=left)
            self._outlet.tell(named)
            if not order.done:
                self._filled(order, left)
        if stranger.cancelled:
            self._cancelled(order)

    def _filled(self, order: KnownOrder, left: int) -> None:
        order.landed = True
        order.leaves = left
        if left == 0:
            self._ahead.pop(order.venue_id or 0, None)
            self._orders.tell(order, OrderState.FILLED)

    def _cancelled(self, order: KnownOrder) -> None:
        reason = UNSOLICITED if order.wanted else None
        self._ahead.pop(order.venue_id or 0, None)
        self._orders.tell(order, OrderState.CANCELLED, reason)


def _left(order: KnownOrder, lots: int, told: int) -> int:
    # Of an order that does not rest the stream says 0, whatever it was sent with.
    return max(0, order.leaves - lots) if order.immediate else told
