"""Sides, quotes and the life of an order: the words every package shares.

Sizes in orders and quotes are unsigned lots; the side carries the sign.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple


class Side(IntEnum):
    """BID is +1 and ASK is -1, so inventory arithmetic multiplies instead of branching."""

    BID = 1
    ASK = -1


class FillMode(IntEnum):
    """What an order may do on arrival."""

    LIMIT = 0
    POST_ONLY = 1
    IOC = 2
    FOK = 3


class Level(NamedTuple):
    """One price of one side: integer ticks and unsigned lots."""

    ticks: int
    lots: int


class OrderState(StrEnum):
    """Where an order stands; see TRANSITIONS for the moves allowed."""

    NEW = "new"
    SENT = "sent"
    OPEN = "open"
    CLOSING = "closing"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


POST_ONLY = "POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS"
ORDER_GONE = "ORDER_NOT_FOUND"
# The market, or a fill of the order to be replaced, was faster: ordinary for whoever makes markets.
RACES = {POST_ONLY: "post_only", ORDER_GONE: "order_not_found"}
# The reason of an order that was not sent, as requests are kept for what is needed more: no word of
# the venue, so nothing is wrong with the order.
HELD_BACK = "the requests of this minute are kept for cancels"

DONE = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED})

# An unknown order may only be settled by evidence: it is then open or done.
TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.NEW: frozenset({OrderState.SENT}),
    OrderState.SENT: frozenset({OrderState.OPEN, OrderState.CLOSING, OrderState.UNKNOWN}) | DONE,
    OrderState.OPEN: frozenset({OrderState.CLOSING, OrderState.UNKNOWN}) | DONE,
    OrderState.CLOSING: frozenset({OrderState.OPEN, OrderState.UNKNOWN}) | DONE,
    OrderState.UNKNOWN: frozenset({OrderState.OPEN, OrderState.CLOSING}) | DONE,
    **{state: frozenset() for state in DONE},
}
