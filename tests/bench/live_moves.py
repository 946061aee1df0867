"""A book of the house that goes up and down by a step: every move is worth new quotes."""

from collections.abc import Iterator
from itertools import cycle

from mmbot.adapters.sim.synthetic import FLAG_BUY, FLAG_EXCH, FLAG_SELL, KIND_DEPTH, ROW

CENTRE_TICKS = 600_000
STEP_TICKS = 240
LEVELS = 5
LOTS = 50_000


def moves() -> Iterator[bytes]:
    """Rows that lay out the book, then rows that move it by 4 bps: four levels each."""
    bids = [CENTRE_TICKS - STEP_TICKS // 2 - STEP_TICKS * level for level in range(LEVELS)]
    asks = [CENTRE_TICKS + STEP_TICKS // 2 + STEP_TICKS * level for level in range(LEVELS)]
    yield b"".join(
        [_level(ticks, LOTS, FLAG_BUY) for ticks in bids]
        + [_level(ticks, LOTS, FLAG_SELL) for ticks in asks]
    )
    new_ask = asks[-1] + STEP_TICKS
    up = (
        _level(asks[0], 0, FLAG_SELL)
        + _level(asks[0], LOTS, FLAG_BUY)
        + _level(new_ask, LOTS, FLAG_SELL)
        + _level(bids[-1], 0, FLAG_BUY)
    )
    down = (
        _level(asks[0], 0, FLAG_BUY)
        + _level(asks[0], LOTS, FLAG_SELL)
        + _level(new_ask, 0, FLAG_SELL)
        + _level(bids[-1], LOTS, FLAG_BUY)
    )
    yield from cycle((up, down))


def _level(ticks: int, lots: int, flag: int) -> bytes:
    return ROW.pack(0, 0, ticks, lots, KIND_DEPTH | FLAG_EXCH | flag, 0)
