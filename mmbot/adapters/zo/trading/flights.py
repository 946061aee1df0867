"""Bytes on their way to the venue, and the orders whose fate hangs on them."""

from msgspec import Struct

from mmbot.adapters.zo.trading.dispatch import Signed
from mmbot.adapters.zo.trading.health import Answered
from mmbot.adapters.zo.trading.known_orders import KnownOrder
from mmbot.adapters.zo.wire.actions import Atomic, CancelById, PlaceOrder
from mmbot.adapters.zo.wire.outcomes import NotSent, Rejected, Unknown
from mmbot.domain.actions import Place


class Flight(Struct):
    """Bytes on their way: `orders` are those of the action's parts, in their order.

    `copies` of the bytes were handed over, `refused` of them never left or were refused for good;
    `broke`: the way of the last one broke before its answer came; `unfit`: one was refused, or the
    way was in trouble, so no more of them are sent.
    """

    signed: Signed
    orders: tuple[KnownOrder, ...]
    places: int
    sent_ns: int
    copies: int = 0
    refused: int = 0
    broke: bool = False
    unfit: bool = False
    settled: bool = False

    def left(self, outcome: Answered) -> bool:
        """Whether the answer tells of bytes that left; one that never did tells nothing then."""
        self.broke = isinstance(outcome, Unknown)
        if isinstance(outcome, NotSent):
            self.refused += 1
            return self.refused == self.copies
        self.broke = isinstance(outcome, Unknown)
        return True

    def go_on(self, outcome: Answered) -> None:
        """Note an answer that did not settle it."""
        if isinstance(outcome, Rejected):
            self.refused += 1
            self.unfit = True

    @property
    def placed(self) -> tuple[KnownOrder, ...]:
        """The orders that it places."""
        return self.orders[len(self.orders) - self.places :]

    @property
    def wanted(self) -> bool:
        """Whether every order it places is still wanted and unproven."""
        return all(each.wanted and not each.landed and not each.done for each in self.placed)


def action_of(
    cancelled: list[KnownOrder], placed: list[Place], market_ids: tuple[int, ...]
) -> Atomic | PlaceOrder | CancelById:
    """Return the action that cancels orders, whose venue ids are known, and places others."""
    parts: list[PlaceOrder | CancelById] = [
        CancelById(order.venue_id or 0, market_ids[order.market]) for order in cancelled
    ]
    parts += [_wire(place, market_ids) for place in placed]
    return parts[0] if len(parts) == 1 else Atomic(tuple(parts))


def _wire(place: Place, market_ids: tuple[int, ...]) -> PlaceOrder:
    return PlaceOrder(
        market_ids[place.market],
        place.side,
        place.mode,
        place.ticks,
        place.lots,
        place.order_id,
        place.reduce_only,
    )
