"""Everything the engine can ask a venue for. Answers come back as events."""

from msgspec import Struct

from mmbot.domain.order import FillMode, Side


class Place(Struct, frozen=True, gc=False):
    """Rest or take `lots` at `ticks`; `order_id` is ours and unique for ever."""

    market: int
    order_id: int
    side: Side
    ticks: int
    lots: int
    mode: FillMode
    reduce_only: bool = False


class Cancel(Struct, frozen=True, gc=False):
    """Take an own order off the book."""

    market: int
    order_id: int


Action = Place | Cancel


class Batch(Struct, frozen=True, gc=False):
    """Actions that travel together, cancels first."""

    ts_ns: int
    actions: tuple[Action, ...]
