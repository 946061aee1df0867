"""The depth stream of the real capture as plain lists, for benches that need a real book."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.bench.registry import Skipped

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
CAPTURE = SHARED / "btcusdt_usdm_20240808.gz"

Levels = list[tuple[int, int]]


class Depth(NamedTuple):
    """Levels of one message."""

    bids: Levels
    asks: Levels


class Stream(NamedTuple):
    """The snapshot and the deltas after it, in ticks of 0.1 and lots of 0.001."""

    snapshot: Depth
    deltas: list[Depth]

    @property
    def levels(self) -> int:
        """Number of levels in all deltas."""
        return sum(len(delta.bids) + len(delta.asks) for delta in self.deltas)


@cache
def depth_stream() -> Stream:
    """Read the capture once."""
    if not CAPTURE.exists():
        raise Skipped(f"{CAPTURE} is not there")
    snapshot: Depth | None = None
    deltas = []
    with gzip.open(CAPTURE, "rb") as lines:
        for line in lines:
            if b"depth" not in line[20:60] and b"lastUpdateId" not in line[20:60]:
                continue
            message = json.loads(line[20:])
            if "lastUpdateId" in message:
                snapshot = Depth(_levels(message["bids"]), _levels(message["asks"]))
            elif snapshot is not None:
                delta = message["data"]
                deltas.append(Depth(_levels(delta["b"]), _levels(delta["a"])))
    if snapshot is None:
        raise Skipped(f"{CAPTURE} holds no snapshot")
    return Stream(snapshot, deltas)


def _levels(pairs: list[tuple[str, str]]) -> Levels:
    return [(round(float(price) * 10), round(float(size) * 1000)) for price, size in pairs]
