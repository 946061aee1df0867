"""What an account has by its snapshot and the updates since: lots that rest, and positions."""

from collections.abc import Iterable

from mmbot.adapters.zo.rest.answers import AccountView, HeldPosition, RestingOrder
from mmbot.adapters.zo.streams.frames import AccountFrame


class Holdings:
    """`resting` are lots by order id, `positions` signed lots by market id, without the zeros."""

    def __init__(
        self, orders: Iterable[RestingOrder] = (), positions: Iterable[HeldPosition] = ()
    ) -> None:
        self.resting = {order.order_id: order.lots for order in orders}
        self.positions = {held.market_id: held.lots for held in positions if held.lots}

    def note(self, frame: AccountFrame) -> None:
        """Take an update whose fills have the lots that the orders really lost."""
        # What an order has left after its fill counts more than what it was placed with.
        for order in frame.places:
            self.resting[order.order_id] = order.lots
        for fill in frame.fills:
            self.resting[fill.order_id] = fill.remaining
            lots = self.positions.pop(fill.market_id, 0) + fill.side * fill.lots
            if lots:
                self.positions[fill.market_id] = lots
        for order in frame.cancels:
            self.resting.pop(order.order_id, None)
        for fill in frame.fills:
            if fill.remaining == 0:
                self.resting.pop(fill.order_id, None)

    def differs(self, view: AccountView) -> str | None:
        """Say in what REST tells otherwise, if it does."""
        theirs = Holdings(view.orders, view.positions)
        if theirs.resting != self.resting:
            return "the open orders differ from those REST tells"
        if theirs.positions != self.positions:
            return "a position differs from the one REST tells"
        return None
