"""Background: the market the house shows, and what it trades with the users' orders."""

from mmbot.domain.order import Side
from mmbot.exchange.engine import reduce
from mmbot.exchange.engine.settlement import Taker, settle
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.engine.venue import Venue


def apply(venue: Venue, market_id: int, rows: bytes) -> None:
    """Apply a batch of packed rows "<qqqqII" as one action of the engine."""
    executions = venue.clobs[market_id].rows(rows)
    turn = Turn(venue)
    turn.final_clob(market_id)
    for aggressor, taker_id, order_id, fill in executions:
        settle(turn, market_id, Taker(taker_id, order_id, Side(aggressor)), fill)
    reduce.follow_all(turn)
    turn.commit()
