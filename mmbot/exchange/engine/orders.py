"""Orders: place, cancel and atomic batches (protocol 5.8), each whole or not at all.

A batch is one account's; in every market its cancels come first, then its trades (immediate and
fill-or-kill orders), then its places (limit and post-only orders). Risk is checked once, on the
state after all parts.
"""

from collections.abc import Callable
from enum import IntEnum

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import FillMode, Side
from mmbot.exchange.engine import limits, reduce
from mmbot.exchange.engine.limits import Asked
from mmbot.exchange.engine.margin import check_opening, margins
from mmbot.exchange.engine.refusals import RefusalError, refuse_unless
from mmbot.exchange.engine.settlement import Taker, cancel, set_remaining, settle
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.model import Account, Finalization, Order, Origin

PlaceResult = pb.PlaceOrderResult
CancelResult = pb.CancelOrderResult


class _Phase(IntEnum):
    CANCELS = 0
    TRADES = 1
    PLACES = 2


def guarded(turn: Turn, account_id: int, work: Callable[[], None]) -> None:
    """Do the work of the turn and refuse it when the account may not end up where it does."""
    account = turn.account(account_id)
    work()
    after = margins(turn.venue, account)
    if not after.may_open:
        before = margins(turn.venue, turn.effects[account_id].before)
        check_opening(before, after, bool(turn.records.trades))
    most = turn.venue.rules.position_limit_lots
    if most is not None:
        _check_sizes(turn, account, most)


def _check_sizes(turn: Turn, account: Account, most: int) -> None:
    before = turn.effects[account.account_id].before.positions
    for market_id, position in account.positions.items():
        held = abs(before[market_id].lots) if market_id in before else 0
        refuse_unless(abs(position.lots) <= max(most, held), pb.POSITION_SIZE_LIMIT)


def place(turn: Turn, account_id: int, asked: Asked, session_id: int) -> PlaceResult:
    """Let an order arrive; return its result or refuse it."""
    venue, account = turn.venue, turn.account(account_id)
    limits.check_market(venue, asked)
    limits.check_limits(venue, asked)
    _check_client_id(turn, account, asked.client_order_id)
    if asked.reduce_only:
        asked = _reduced(turn, account, asked)
    if asked.rests:
        most = limits.affordable_lots(asked)
        refuse_unless(most <= 2 * limits.MOST_POSTED_LOTS, pb.ORDER_EXECUTION_SIZE_LIMIT)
        room = len(account.orders) < venue.rules.max_open_orders
        refuse_unless(room, pb.TOO_MANY_OPEN_ORDERS)
    order = _opened(turn, account_id, asked, session_id)
    return arrive(turn, order, asked)


def _reduced(turn: Turn, account: Account, asked: Asked) -> Asked:
    rules = turn.venue.rules
    reduce.check_rule(rules, account, asked.market_id, asked.mode)
    ticks = asked.ticks if asked.rests else None
    most = reduce.allowed_lots(account, asked.market_id, asked.side, ticks)
    if rules.reduce_rule == "exact" and asked.lots is not None:
        refuse_unless(asked.lots <= most, pb.ORDER_SIZE_EXCEEDS_POSITION_SIZE)
    return asked._replace(lots=most if asked.lots is None else min(asked.lots, most))


def _check_client_id(turn: Turn, account: Account, client_order_id: int | None) -> None:
    if client_order_id is None:
        return
    repeated = any(order.client_order_id == client_order_id for order in account.orders.values())
    if turn.venue.rules.client_id_forever:
        named = (account.account_id, client_order_id)
        used = turn.state.client_ids_used.get(account.account_id, [])
        repeated = repeated or client_order_id in used or named in turn.records.client_ids
        turn.records.client_ids.append(named)
    refuse_unless(not repeated, pb.REPEATED_ORDER_ID)


def _opened(turn: Turn, account_id: int, asked: Asked, session_id: int) -> Order:
    order_id = turn.state.next_order_id
    turn.state.next_order_id += 1
    return Order(
        order_id,
        account_id,
        asked.market_id,
        asked.side,
        asked.ticks,
        0,
        asked.lots or 0,
        0,
        asked.mode,
        asked.reduce_only,
        asked.client_order_id,
        asked.tracking_id,
        turn.now_ns,
        turn.now_ns,
        turn.action_id,
        session_id,
    )


def arrive(turn: Turn, order: Order, asked: Asked) -> PlaceResult:
    """Match an order, book what it trades, and let the rest of it rest."""
    clob = turn.clob(order.market_id)
    size = limits.NO_LIMIT if asked.lots is None else min(asked.lots, limits.NO_LIMIT)
    whose = (order.order_id, order.account_id, order.side, order.ticks)
    if asked.ticklots is None:
        fills, rests = clob.place(*whose, size, order.mode)
    else:
        fills, rests = clob.place_quoted(*whose, (size, asked.ticklots), order.mode)
    _check_outcome(order, fills, rests)
    for order_id, _ in clob.self_trade_cancels:
        turn.remove(turn.account(order.account_id).orders[order_id], Finalization.CANCELED)
    taker = Taker(order.account_id, order.order_id, order.side, order.sender_tracking_id)
    ended = len(turn.cancelled_triggers)
    for fill in fills:
        settle(turn, order.market_id, taker, fill)
    order.lots, order.filled_lots = rests, sum(fill[3] for fill in fills)
    order.placed_lots = order.placed_lots or order.filled_lots + rests
    _rest_or_finish(turn, order)
    # A better priced order of the account leaves less for its reduce-only orders as well.
    turn.moved.add((order.account_id, order.market_id))
    reduce.follow_all(turn)
    return _result(turn, order, fills, ended)


def _check_outcome(order: Order, fills: list[tuple[int, int, int, int, int]], rests: int) -> None:
    if order.mode is FillMode.POST_ONLY:
        refuse_unless(rests >= 0, pb.POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS)
    elif order.mode is FillMode.FOK:
        code = pb.ORDER_EXECUTION_FILL_OR_KILL if order.ticks else pb.FAILED_TO_FILL_LIMIT
        refuse_unless(bool(fills), code)
    elif order.mode is FillMode.IOC:
        refuse_unless(bool(fills), pb.IMMEDIATE_ORDER_GOT_NO_FILLS)
    else:
        # Its sender's own orders were in the way, by the self-trade rule.
        refuse_unless(bool(fills) or rests > 0, pb.ORDER_EXECUTION_EMPTY)
    refuse_unless(rests <= limits.MOST_POSTED_LOTS, pb.ORDER_EXECUTION_SIZE_LIMIT)


def _rest_or_finish(turn: Turn, order: Order) -> None:
    if order.lots > 0:
        turn.rest(order)
        if order.filled_lots:
            set_remaining(turn, order.account_id, order.order_id, order.lots)
    else:
        turn.finish(order, Finalization.TAKEN if order.filled_lots else Finalization.CANCELED)


def _result(
    turn: Turn, order: Order, fills: list[tuple[int, int, int, int, int]], ended: int
) -> PlaceResult:
    result = PlaceResult()
    if order.lots > 0:
        posted = result.posted
        posted.side = pb.BID if order.side is Side.BID else pb.ASK
        posted.market_id, posted.price, posted.size = order.market_id, order.ticks, order.lots
        posted.order_id, posted.account_id = order.order_id, order.account_id
    for order_id, account_id, ticks, lots, _ in fills:
        result.fills.add(order_id=order_id, price=ticks, size=lots, account_id=account_id)
    if order.client_order_id is not None:
        result.client_order_id = order.client_order_id
    if order.sender_tracking_id is not None:
        result.sender_tracking_id = order.sender_tracking_id
    for trigger in turn.cancelled_triggers[ended:]:
        ours = result.cancelled_triggers.add(account_id=trigger.account_id)
        ours.trigger.trigger_price, ours.trigger.market_id = (
            trigger.trigger_ticks,
            trigger.market_id,
        )
        ours.trigger.key.kind = pb.TriggerKind.ValueType(trigger.kind)
        ours.trigger.key.side = pb.BID if trigger.side is Side.BID else pb.ASK
    return result


def cancel_by_id(turn: Turn, account_ids: list[int], order_id: int) -> CancelResult:
    """Cancel an order of one of these accounts: 8 when it does not rest, 22 when not theirs."""
    found = turn.venue.order(order_id)
    if found is None:
        raise RefusalError(pb.ORDER_NOT_FOUND)
    refuse_unless(found[0].account_id in account_ids, pb.INVALID_ORDER_OWNER)
    return _cancelled(turn, found[1])


def cancel_by_client_id(turn: Turn, account_id: int, client_order_id: int) -> CancelResult:
    """Cancel the account's resting order of this client order id, 8 when there is none."""
    account = turn.account(account_id)
    for order in account.orders.values():
        if order.client_order_id == client_order_id:
            return _cancelled(turn, order)
    raise RefusalError(pb.ORDER_NOT_FOUND)


def _cancelled(turn: Turn, order: Order) -> CancelResult:
    rules = turn.venue.rules
    if rules.frozen_refuses_cancels:
        refuse_unless(order.market_id not in rules.frozen_markets, pb.MARKET_FROZEN)
    cancel(turn, order)
    result = CancelResult(order_id=order.order_id, account_id=order.account_id)
    if order.client_order_id is not None:
        result.client_order_id = order.client_order_id
    return result


def atomic(turn: Turn, account_id: int, batch: pb.Atomic) -> pb.AtomicResult:
    """Do all parts of a batch, in their order."""
    refuse_unless(1 <= len(batch.actions) <= turn.venue.rules.max_atomic, pb.ATOMICS)
    reached: dict[int, _Phase] = {}
    result = pb.AtomicResult()
    for part in batch.actions:
        if part.HasField("cancel_order"):
            order_id = part.cancel_order.order_id
            found = turn.venue.order(order_id)
            if found is not None:
                _advance(reached, found[1].market_id, _Phase.CANCELS)
            result.results.add(cancel_order=cancel_by_id(turn, [account_id], order_id))
        else:
            refuse_unless(part.HasField("trade_or_place"), pb.DECODE_FAILURE_DOMAIN)
            asked = limits.asked_part(part.trade_or_place)
            _advance(reached, asked.market_id, _Phase.PLACES if asked.rests else _Phase.TRADES)
            done = place(turn, account_id, asked, batch.session_id)
            result.results.add(place_order_result=done)
    return result


def _advance(reached: dict[int, _Phase], market_id: int, phase: _Phase) -> None:
    before = reached.get(market_id, _Phase.CANCELS)
    if phase < before:
        raise RefusalError(
            pb.ATOMICS_CANCELS_CANNOT_FOLLOW_TRADES_PLACES
            if phase is _Phase.CANCELS
            else pb.ATOMICS_TRADES_CANNOT_FOLLOW_PLACES
        )
    reached[market_id] = phase


def forced_order(turn: Turn, account_id: int, asked: Asked, origin: Origin) -> bool:
    """Send an immediate order of the venue's own for an account; without a fill, roll back."""
    order = _opened(turn, account_id, asked, 0)
    order.origin = origin
    try:
        arrive(turn, order, asked)
    except RefusalError:
        return False
    return True
