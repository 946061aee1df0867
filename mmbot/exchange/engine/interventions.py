"""Interventions: what the operator of the exchange may do to users from outside (`eng.*` knobs)."""

from mmbot.domain.order import Side
from mmbot.exchange.engine import liquidation, reduce
from mmbot.exchange.engine.sessions import close
from mmbot.exchange.engine.settlement import Taker, settle
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import HOUSE, User


def cancel_orders(venue: Venue, account_id: int) -> None:
    """Cancel all orders of an account as for want of margin."""
    liquidation.cancel_orders(venue, venue.state.accounts[account_id], everything=True)


def liquidate(venue: Venue, account_id: int) -> None:
    """Cancel all orders and close all positions of an account as in a liquidation."""
    liquidation.liquidate(venue, venue.state.accounts[account_id], everything=True)


def fill(venue: Venue, order_id: int, lots: int) -> int:
    """Let the house take up to `lots` of a resting order at its price; return what it took."""
    found = venue.order(order_id)
    if found is None or lots < 1:
        return 0
    order = found[1]
    taken = min(lots, order.lots)
    left = order.lots - taken
    turn = Turn(venue)
    clob = turn.clob(order.market_id)
    if left:
        clob.shrink(order_id, left)
    else:
        clob.cancel(order_id)
    taker = Taker(HOUSE, 0, Side(-order.side))
    settle(turn, order.market_id, taker, (order_id, order.account_id, order.ticks, taken, left))
    reduce.follow_all(turn)
    turn.commit()
    return taken


def end_sessions(venue: Venue, user: User, only: int | None = None) -> None:
    """End all sessions of a user, or this one alone, as if they had expired."""
    turn = Turn(venue)
    for session_id in list(user.sessions) if only is None else [only]:
        close(turn, user, session_id, not venue.rules.resting_survive_session)
    turn.commit()
