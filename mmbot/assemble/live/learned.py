"""What models have learned, kept in the ledger from one run to the next, with its age."""

import msgspec

from mmbot.engine import Engine
from mmbot.quoting.markout import MarkoutMemory
from mmbot.quoting.strategy import MarketMaker

LEARNED = "learned"


def memories(engine: Engine, now_ns: int) -> bytes:
    """Return what every market's models would go on with, by symbol."""
    found: dict[str, MarkoutMemory] = {}
    for desk in engine.desks:
        strategy = desk.strategy
        memory = strategy.learning.memory(now_ns) if type(strategy) is MarketMaker else None
        if memory is not None:
            found[desk.state.market.symbol] = memory
    return msgspec.json.encode(found)


def go_on(engine: Engine, kept: bytes | None, now_ns: int) -> list[str]:
    """Have every market go on with what is kept of it; returns the lines to tell.

    What cannot be read, say of another version, is learned anew: no quote depends on having it.
    """
    if kept is None:
        return []
    try:
        found = msgspec.json.decode(kept, type=dict[str, MarkoutMemory])
    except msgspec.DecodeError:
        return ["what models had learned cannot be read; they begin anew"]
    lines = []
    for desk in engine.desks:
        strategy, symbol = desk.strategy, desk.state.market.symbol
        if type(strategy) is not MarketMaker or symbol not in found:
            continue
        age_min = (now_ns - found[symbol].ts_ns) / 60e9
        try:
            strategy.learning.restore(found[symbol], now_ns)
        except ValueError as error:
            lines.append(f"{symbol}: what was learned is damaged ({error}); begun anew")
        else:
            lines.append(f"{symbol}: goes on with what was learned {age_min:.0f} min ago")
    return lines
