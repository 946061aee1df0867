"""The venue's order book frames: from the bytes of the socket to the book."""

import json
import random

from mmbot.cext.nord import Deltas
from mmbot.cext.orderbook import OrderBook
from tests.bench.registry import bench, time_ns

FRAMES = 2_000


def frames(levels: int) -> list[bytes]:
    """Changes around a moving middle, as the venue writes them."""
    dice = random.Random(1)
    middle, update_id, made = 640_000, 812_345, []
    for _ in range(FRAMES):
        middle += dice.choice([-2, -1, 0, 0, 1, 2])
        last, update_id = update_id, update_id + dice.randint(1, 5)
        sides = [
            [
                [(middle + sign * away) / 10, dice.choice([0, dice.randint(1, 500_000)]) / 1e5]
                for away in sorted(dice.sample(range(1, 40), levels // 2))
            ]
            for sign in (1, -1)
        ]
        inner = {
            "last_update_id": last,
            "update_id": update_id,
            "market_symbol": "BTCUSD",
            "asks": sides[0],
            "bids": sides[1],
        }
        made.append(json.dumps({"delta": inner}, separators=(",", ":")).encode())
    return made


@bench("nord_delta_10", unit="us", must=4.0, goal=1.5)
def nord_delta_10(runs: int) -> list[float]:
    """Ten levels: bytes to applied book, the ids handed out for the check of the chain."""
    told = frames(10)
    deltas, book = Deltas([("ETHUSD", 2, 4), ("BTCUSD", 1, 5)]), OrderBook()
    capsule, parse, apply = book.capsule, deltas.parse, deltas.apply

    def work() -> None:
        for frame in told:
            parse(frame)
            apply(capsule)

    return [sample / 1000 for sample in time_ns(work, FRAMES, runs)]
