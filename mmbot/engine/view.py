"""View: how the engine stands, for whoever shows or judges it. Nothing here changes anything."""

from typing import NamedTuple

from mmbot.domain.order import OrderState, Side
from mmbot.domain.quotes import Quotes
from mmbot.domain.status import Mode
from mmbot.engine.desk import Desk
from mmbot.engine.engine import Engine
from mmbot.engine.stops import STOPPING
from mmbot.risk.breaker import BreakerState


class Standing(NamedTuple):
    """The mode, and all that holds for the whole account."""

    mode: Mode
    reasons: tuple[str, ...]


def standing(engine: Engine) -> Standing:
    """Mode and reasons now; BOOT and EXIT are the runtime's to say."""
    stops = engine.stops
    hindrances = stops.hindrances
    reasons = stops.account_reasons()
    stopped = [stops.reason(index) for index in range(len(engine.desks))]
    reducing = stops.breaker.reduce_reason(-1)
    if reducing is not None:
        reasons.append(reducing)
    if stops.state is BreakerState.HALTED:
        mode = Mode.HALTED
        # It stops because it has halted: that is no reason of its own.
        reasons = [each for each in reasons if each.partition(":")[0] != STOPPING]
    elif stops.stopping:
        mode = Mode.DRAINING
    elif hindrances.holds("recovering"):
        mode = Mode.RECONCILING
    elif any(reason is None for reason in stopped):
        mode = Mode.QUOTING
    elif stops.warming():
        mode = Mode.WARMING
    else:
        mode = Mode.PAUSED
    return Standing(mode, tuple(reasons))


def market_reason(engine: Engine, index: int) -> str | None:
    """Why this market is not quoted, or why a side of it is not; None when all is well."""
    reason = engine.stops.reason(index)
    if reason is not None:
        return reason
    answer = engine.desks[index].answer
    return answer.reason if type(answer) is Quotes else None


def orders_alive(engine: Engine) -> int:
    """Orders that are alive or may be."""
    return sum(len(desk.tracker.orders) for desk in engine.desks)


def best_resting(desk: Desk) -> tuple[int, int]:
    """Ticks of our best bid and ask that rest, 0 for none."""
    bid = ask = 0
    for order in desk.tracker.orders.values():
        if order.state is OrderState.OPEN:
            if order.side is Side.BID:
                bid = max(bid, order.ticks)
            else:
                ask = min(ask or order.ticks, order.ticks)
    return bid, ask


def orders_unknown(engine: Engine) -> int:
    """Orders whose outcome nobody knows."""
    return sum(desk.tracker.unknown() for desk in engine.desks)


def halt_reason(engine: Engine) -> str | None:
    """Why trading has stopped until an operator clears it, or None."""
    stops = engine.stops
    return stops.breaker.account_reason() if stops.state is BreakerState.HALTED else None


def keyless(engine: Engine) -> bool:
    """Whether the venue refuses our key, so that we can cancel nothing (reliability V11)."""
    return engine.stops.hindrances.holds("session")
