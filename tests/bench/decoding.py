"""A depth message from bytes to an updated book, as a live stream would do it."""

import gzip
import time
from functools import cache

from mmbot.cext.capture import Decoder
from mmbot.cext.orderbook import OrderBook
from tests.bench.capture import CAPTURE
from tests.bench.registry import Skipped, bench

# Decimals and units of prices and sizes: ticks of 0.1, lots of 0.001.
GRID = ((1, 1), (3, 1))
ORDINARY = 62
NEAR = 6
STAMP = 20


@cache
def ordinary_messages() -> list[bytes]:
    """Depth messages of about the average number of levels, without their receive times."""
    if not CAPTURE.exists():
        raise Skipped(f"{CAPTURE} is not there")
    with gzip.open(CAPTURE, "rb") as lines:
        messages = [line[STAMP:].rstrip() for line in lines if b"@depth" in line[STAMP:80]]
    levels = [message.count(b'["') for message in messages]
    return [
        message
        for message, count in zip(messages, levels, strict=True)
        if abs(count - ORDINARY) <= NEAR
    ]


@bench(
    "depth_message_62_levels",
    unit="us",
    must=6.0,
    goal=3.0,
    peers={"msgspec decode alone": 5.226, "orjson decode alone": 13.128},
)
def depth_message(runs: int) -> list[float]:
    """Decode and apply one message of 62 levels."""
    messages = ordinary_messages()
    samples = []
    for _ in range(runs):
        decoder, book = Decoder(GRID), OrderBook()
        capsule = book.capsule
        start_ns = time.perf_counter_ns()
        for message in messages:
            decoder.apply_depth(message, capsule)
        samples.append((time.perf_counter_ns() - start_ns) / len(messages) / 1000)
    return samples
