"""Orders that the stream speaks of and nobody knows yet: kept until something names them."""

from collections.abc import Iterator

from msgspec import Struct

from mmbot.adapters.zo.streams.frames import OwnFill, OwnOrder
from mmbot.adapters.zo.trading.known_orders import KnownOrder
from mmbot.domain.events import Fill
from mmbot.domain.order import Side

REMEMBERED = 1024


class Stranger(Struct):
    """What the stream told of an order whose client id is not known.

    `span`: the actions one of which brought it; `left`: lots it has left, None while it was not
    said; `cancelled`: it ended so.
    """

    venue_id: int
    market: int
    side: Side
    ticks: int
    span: tuple[int, int]
    fills: list[Fill]
    placed_lots: int | None = None
    left: int | None = None
    cancelled: bool = False

    @property
    def rests(self) -> bool:
        """Whether it rests as far as the stream tells."""
        return bool(self.left) and not self.cancelled


class Strangers:
    """By venue id, the newest of them."""

    def __init__(self) -> None:
        self._by_venue_id: dict[int, Stranger] = {}

    def __iter__(self) -> Iterator[Stranger]:
        return iter(list(self._by_venue_id.values()))

    def note(self, found: OwnFill | OwnOrder, market: int, span: tuple[int, int]) -> Stranger:
        """Return what is kept of an order, from now on if it is new."""
        known = self._by_venue_id.get(found.order_id)
        if known is None:
            known = Stranger(found.order_id, market, found.side, found.ticks, span, [])
            self._by_venue_id[found.order_id] = known
            if len(self._by_venue_id) > REMEMBERED:
                del self._by_venue_id[next(iter(self._by_venue_id))]
        return known

    def take(self, venue_id: int) -> Stranger | None:
        """Return what is kept of an order and forget it: somebody knows it now."""
        return self._by_venue_id.pop(venue_id, None)

    def executed_by(self, action_id: int, order: KnownOrder) -> list[Stranger]:
        """Return those that can be an order which an action executed at once."""
        return [
            each
            for each in self._by_venue_id.values()
            if each.span[0] < action_id <= each.span[1]
            and (each.market, each.side) == (order.market, order.side)
            and each.placed_lots is None
        ]

    def only_match(self, order: KnownOrder) -> Stranger | None:
        """Return the one that can be an order whose receipt was lost, if there is just one."""
        fits = [each for each in self._by_venue_id.values() if _fits(order, each)]
        return fits[0] if len(fits) == 1 else None


def _fits(order: KnownOrder, stranger: Stranger) -> bool:
    if (order.market, order.side) != (stranger.market, stranger.side):
        return False
    if stranger.placed_lots is not None:
        return stranger.ticks == order.ticks
    # Executed on arrival, at its limit or better.
    return (order.ticks - stranger.ticks) * order.side >= 0
