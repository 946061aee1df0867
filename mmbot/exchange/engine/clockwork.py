"""Clockwork: what happens because engine time passes, in a fixed order.

Every full hour on the way: marks, premium, funding. Then at the new time: sessions end, old
duplicates are forgotten, triggers fire, margins are looked at (when prices or positions moved).
"""

from mmbot.exchange.engine import funding, liquidation, prices, sessions, triggers
from mmbot.exchange.engine.admission import forget_seen
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.state import HOUR_NS


def advance(venue: Venue, now_ns: int) -> None:
    """Let engine time become `now_ns`; back in time, only the clock moves.

    No hour is paid twice, however often the clock passes it.
    """
    state = venue.state
    prices.update_marks(venue)
    while (hour := state.funded_ns + HOUR_NS) <= now_ns:
        state.funded_ns = hour
        _move(venue, hour)
        funding.pay_hour(venue)
    _move(venue, now_ns)
    sessions.expire(venue)
    forget_seen(venue)
    if state.margins_due:
        state.margins_due = False
        triggers.fire_all(venue)
        liquidation.check_all(venue)


def _move(venue: Venue, now_ns: int) -> None:
    for market in venue.state.markets:
        funding.sample(market, now_ns)
    venue.state.now_ns = now_ns
