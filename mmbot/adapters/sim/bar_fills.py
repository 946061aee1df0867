"""What a price bar would have done to resting orders, and the book it leaves behind.

A fill depends on the bar's path, not on distance alone: an order the price went through fills, one
it only touched fills with a chance, every other one does not. Prices in ticks, sizes in lots.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil, floor
from struct import pack
from typing import NamedTuple, Protocol

from mmbot.adapters.sim.params import BarParams
from mmbot.domain.order import Level, Side

BPS = 10_000
PERCENT = 100
SECOND_NS = 1_000_000_000
_MICRO = 1_000_000


class Bar(Protocol):
    """A bar as the tape reads it: opening time, prices in ticks, volume and depths in lots."""

    @property
    def ts_ns(self) -> int: ...
    @property
    def open(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def low(self) -> int: ...
    @property
    def close(self) -> int: ...
    @property
    def volume_lots(self) -> int: ...
    @property
    def bid_depth_lots(self) -> int: ...
    @property
    def ask_depth_lots(self) -> int: ...


@dataclass(slots=True)
class Resting:
    """An own order on the book; `leaves` lots are still open."""

    order_id: int
    side: Side
    ticks: int
    leaves: int


class BarFill(NamedTuple):
    """Part of a resting order that a bar fills; `through` when the price went beyond it."""

    order: Resting
    lots: int
    through: bool


class Draws(NamedTuple):
    """Source of chance for one market: the same question always gets the same answer."""

    seed: int
    market: int

    def uniform(self, bar_ns: int, side: Side, ticks: int) -> float:
        """Number in [0, 1) for a price level in a bar, whatever else is asked."""
        key = pack("<Qqqqq", self.seed, self.market, bar_ns, side, ticks)
        return int.from_bytes(blake2b(key, digest_size=8).digest(), "little") / 2**64


def bar_fills(
    bar: Bar, resting: Iterable[Resting], params: BarParams, draws: Draws
) -> list[BarFill]:
    """Fills of orders that rested over the whole bar, in order; the orders are left as they are.

    All fills together stay within the bar's volume times participation. The side that the close
    moves against goes first, best price first, then order of arrival (strategy page, 8.1).
    """
    room = bar.volume_lots * round(params.participation_pct * _MICRO) // (PERCENT * _MICRO)
    first = Side.BID if bar.close <= bar.open else Side.ASK
    queue = sorted(resting, key=lambda order: (order.side is not first, -order.side * order.ticks))
    fills = []
    for order in queue:
        beyond = _beyond(bar, order)
        touched = beyond == 0 and draws.uniform(bar.ts_ns, order.side, order.ticks) < (
            params.p_touch_pct / PERCENT
        )
        lots = min(order.leaves, room)
        if lots > 0 and (beyond > 0 or touched):
            fills.append(BarFill(order, lots, beyond > 0))
            room -= lots
    return fills


def book_after(bar: Bar, params: BarParams) -> tuple[list[Level], list[Level]]:
    """Book drawn around the close: bids and asks, best first, half a spread between levels.

    Each side's depth is split evenly, the odd lots going to the best levels.
    """
    half = bar.close * params.spread_bps / (2 * BPS)
    bid, ask = min(floor(bar.close - half), bar.close - 1), ceil(bar.close + half)
    step = max(1, round(half))
    bids = _split(bid, -step, bar.bid_depth_lots, params.levels_count)
    asks = _split(ask, step, bar.ask_depth_lots, params.levels_count)
    return [level for level in bids if level.ticks > 0], asks


def bar_length_warning(length_ns: int) -> str | None:
    """Say what long bars do to a backtest (strategy page, 2.2); None up to a second."""
    if length_ns <= SECOND_NS:
        return None
    return (
        f"bars of {length_ns / SECOND_NS:g} s: quotes that stand that long meet another market than"
        " the bot does. Markout 5 s after fills 3 bps from the mid, by refresh time:"
        " +0.13 bps at 0.1 s, -0.06 at 1 s, -0.50 at 5 s, -1.06 at 15 s"
    )


def _beyond(bar: Bar, order: Resting) -> int:
    # Ticks by which the path went through the order; 0 touched, negative not reached.
    if order.side is Side.BID:
        return order.ticks - bar.low
    return bar.high - order.ticks


def _split(best: int, step: int, lots: int, count: int) -> list[Level]:
    share, odd = divmod(lots, count)
    levels = (Level(best + i * step, share + (i < odd)) for i in range(count))
    return [level for level in levels if level.lots > 0]
