"""What a strategy answers: a full set of quotes, or Hold; and the room risk leaves it.

`Quotes` with no levels means "pull everything"; `HOLD` means "leave things as they are".
"""

from typing import Final

from msgspec import Struct

from mmbot.domain.order import Level


class Quotes(Struct, frozen=True, gc=False):
    """The full set of orders wanted, best first on each side; `reason` says why a side is empty."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    reason: str | None = None


class Hold:
    """Leave resting orders as they are; compare with `is HOLD`."""

    __slots__ = ()


HOLD: Final = Hold()


class Room(Struct, frozen=True, gc=False):
    """Most lots that may rest on each side so that no limit breaks when all of it fills.

    `limit_lots` is the largest position allowed either way.
    """

    bid_lots: int
    ask_lots: int
    limit_lots: int = 0


NO_ROOM: Final = Room(0, 0)
