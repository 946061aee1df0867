"""What the tests of the account stream share: answers of REST, and a ledger of its own."""

from decimal import Decimal

from mmbot.adapters.zo.rest.answers import (
    AccountView,
    Catalog,
    HeldPosition,
    Listing,
    Margins,
    RestingOrder,
)
from mmbot.adapters.zo.streams.frames import AccountFrame
from mmbot.domain.order import Side

GRID = (1, 2)
ACCOUNT = 7
ONE = Decimal(1)
CATALOG = Catalog([Listing(0, "BTCUSD", *GRID, 0, 0, ONE, ONE, ONE)], ())
MARGINS = Margins(0, 0, 0, 0, 0, 0, 0, bankruptcy=False)


def view(update_id: int, position: int, orders: dict[int, int]) -> AccountView:
    """An account with a position and open orders, lots by order id."""
    return AccountView(
        update_id,
        tuple(
            RestingOrder(order_id, 0, Side.BID, 105, lots, lots, None)
            for order_id, lots in orders.items()
        ),
        (HeldPosition(0, position, ONE, 0, 0),),
        {},
        MARGINS,
    )


class Ledger:
    """A sink that does nothing but add: positions by snapshots and fills, and what was said."""

    def __init__(self) -> None:
        self.position = 0
        self.reached = 0
        self.told: list[str] = []
        self.updates: list[AccountFrame] = []
        self.fills: set[tuple[int, int]] = set()

    def account_adopted(self, view: AccountView, now_ns: int) -> None:
        assert now_ns >= 0
        self.position = sum(held.lots for held in view.positions)
        self.reached = view.update_id
        self.told.append(f"adopted {view.update_id}")

    def account_changed(self, frame: AccountFrame, now_ns: int) -> None:
        assert now_ns >= 0
        self.reached = frame.update_id
        self.updates.append(frame)
        self.told.append(f"changed {frame.update_id}")
        for fill in frame.fills:
            assert (frame.update_id, fill.order_id) not in self.fills
            self.fills.add((frame.update_id, fill.order_id))
            self.position += fill.side * fill.lots

    def account_gap(self, reason: str, now_ns: int) -> None:
        assert now_ns >= 0
        self.told.append(f"gap: {reason}")

    def account_doubt(self, reason: str, now_ns: int) -> None:
        assert now_ns >= 0
        self.told.append(f"doubt: {reason}")

    def account_proved(self, view: AccountView, now_ns: int) -> None:
        assert now_ns >= 0
        self.told.append(f"proved {view.update_id}")
