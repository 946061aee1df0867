"""Keeps in the ledger why the quotes are what they are, a sample of each market a minute."""

import asyncio
from collections.abc import Callable
from itertools import cycle

import msgspec

from mmbot.engine import Engine
from mmbot.engine.explaining import explain
from mmbot.ledger.ledger import Ledger
from mmbot.ledger.rows import Kind

EVERY_S = 60.0
# Of more markets some, in turn: the journal has room for other things.
MOST_EXPLAINED = 10


async def keep_explanations(engine: Engine, ledger: Ledger, clock: Callable[[], int]) -> None:
    """Keep them until cancelled."""
    turn = cycle(range(len(engine.desks)))
    while True:
        await asyncio.sleep(EVERY_S)
        now_ns = clock()
        for _ in range(min(len(engine.desks), MOST_EXPLAINED)):
            market = next(turn)
            found = explain(engine, market, now_ns)
            best = tuple(each for each in found.quotes if each.level == 1)
            text = msgspec.json.encode(msgspec.structs.replace(found, quotes=best)).decode()
            ledger.note(now_ns, Kind.EXPLAINED, market, None, text)
