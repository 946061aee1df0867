"""Reduce-only orders: what they may do, and how their size follows the position (protocol 5.8).

Of an account's resting orders on the closing side of a market, taken in price-time order, each
reduce-only order keeps at most what the ones before it leave of the position. So no sweep of the
book, however deep, can turn a reduce-only order into a new position. Orders shrink or go; they
never grow again.
"""

from copy import copy

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import FillMode, Side
from mmbot.exchange.engine.refusals import refuse_unless
from mmbot.exchange.engine.settlement import cancel
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.model import Account, Order
from mmbot.exchange.rules import Rules


def reducible(account: Account, market_id: int, side: Side) -> int:
    """Return how many lots an order of this side closes of the position."""
    position = account.positions.get(market_id)
    return max(-position.lots * side, 0) if position else 0


def check_rule(rules: Rules, account: Account, market_id: int, mode: FillMode) -> None:
    """Refuse a reduce-only order that the venue's rule of the moment does not take."""
    if rules.reduce_rule == "post_only":
        refuse_unless(mode is FillMode.POST_ONLY, pb.ORDER_REDUCE_IS_POST_ONLY)
    if rules.reduce_rule == "only_without_orders":
        alone = all(order.market_id != market_id for order in account.orders.values())
        refuse_unless(alone, pb.CAN_REDUCE_POSITION_ONLY_IF_ALL_ORDERS_ARE_CANCELED)


def allowed_lots(account: Account, market_id: int, side: Side, ticks: int | None) -> int:
    """Return the lots a reduce-only order may have; `ticks` None for one that never rests."""
    position = account.positions.get(market_id)
    held = position.lots if position else 0
    refuse_unless(held != 0, pb.POSITION_NOT_FOUND)
    refuse_unless(held * side < 0, pb.POSITION_STATE_ORDER_SIDE)
    left = abs(held)
    if ticks is not None:
        left -= sum(
            order.lots
            for order in account.orders.values()
            if order.market_id == market_id
            and order.side is side
            and order.ticks * side >= ticks * side
        )
    refuse_unless(left > 0, pb.ORDER_SIZE_EXCEEDS_POSITION_SIZE)
    return left


def follow(turn: Turn, account_id: int, market_id: int) -> None:
    """Shrink or cancel the account's reduce-only orders until none could open a position."""
    account = turn.state.accounts[account_id]
    if not any(o.reduce_only and o.market_id == market_id for o in account.orders.values()):
        return
    for side in Side:
        left = reducible(account, market_id, side)
        queue = [o for o in account.orders.values() if o.market_id == market_id and o.side is side]
        for order in sorted(queue, key=lambda o: (-o.ticks * o.side, o.order_id)):
            if order.reduce_only and order.lots > left:
                _shrink(turn, order, left)
            left = max(left - order.lots, 0)


def follow_all(turn: Turn) -> None:
    """Let reduce-only orders follow wherever this turn moved a position so far."""
    for account_id, market_id in sorted(turn.moved):
        follow(turn, account_id, market_id)


def _shrink(turn: Turn, order: Order, lots: int) -> None:
    if lots == 0:
        cancel(turn, order)
        return
    turn.clob(order.market_id).shrink(order.order_id, lots)
    smaller = copy(order)
    smaller.lots = lots
    smaller.updated_ns, smaller.update_action_id = turn.now_ns, turn.action_id
    turn.rest(smaller)
