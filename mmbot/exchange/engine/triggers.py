"""Triggers: stop losses and take profits (protocol 5.5), fired by the index price.

The side of a trigger is the side of the order it sends: ASK protects a long position. A stop loss
fires when the index reaches its price against the position, a take profit in its favour. It then
sends an immediate order that reduces as much as possible within its limit, and is gone whether
that traded or not. One trigger per market, side and kind; adding another replaces it.
"""

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import FillMode, Side
from mmbot.exchange.engine import reduce
from mmbot.exchange.engine.limits import MOST_TICKS, Asked, side_of
from mmbot.exchange.engine.orders import forced_order
from mmbot.exchange.engine.refusals import RefusalError, refuse_unless
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import Account, Origin, Trigger, TriggerEnd, TriggerEnded, TriggerKind


def _kind_of(key: pb.TriggerKey) -> TriggerKind:
    refuse_unless(key.kind in (pb.STOP_LOSS, pb.TAKE_PROFIT), pb.DECODE_FAILURE_DOMAIN)
    return TriggerKind(key.kind)


def add(turn: Turn, account_id: int, asked: pb.AddTrigger) -> None:
    """Add a trigger or replace the one of the same market, side and kind."""
    record, rules = asked.trigger, turn.venue.rules
    refuse_unless(record.market_id < len(turn.venue.clobs), pb.MARKET_NOT_FOUND)
    decreases = asked.intent == pb.DECREASE
    refuse_unless(decreases, pb.TRIGGER_ONLY_DECREASE_ORDERS_SUPPORTED)
    sized = record.limits.size or record.limits.HasField("quote_size")
    refuse_unless(not sized, pb.TRIGGER_MAX_SIZE_PLACEMENT_EXCEEDED)
    priced = 0 < record.trigger_price < MOST_TICKS and record.limits.price < MOST_TICKS
    refuse_unless(priced, pb.TRIGGER_INVALID_PRICE)
    trigger = Trigger(
        account_id,
        record.market_id,
        side_of(record.key.side),
        _kind_of(record.key),
        record.trigger_price,
        record.limits.price,
        turn.action_id,
        turn.now_ns,
    )
    account = turn.account(account_id)
    for old in _same(account, trigger.market_id, trigger.side, trigger.kind):
        _end(turn, account, old, TriggerEnd.REMOVED)
    here = [one for one in account.triggers if one.market_id == trigger.market_id]
    refuse_unless(len(here) < rules.max_triggers, pb.TRIGGER)
    account.triggers.append(trigger)


def remove(turn: Turn, account_id: int, asked: pb.RemoveTrigger) -> None:
    """Remove a trigger; a price narrows the choice, 170 when nothing fits."""
    account = turn.account(account_id)
    found = _same(account, asked.market_id, side_of(asked.key.side), _kind_of(asked.key))
    if asked.HasField("price"):
        found = [one for one in found if one.trigger_ticks == asked.price]
    if not found:
        raise RefusalError(pb.TRIGGER_NOT_FOUND)
    for trigger in found:
        _end(turn, account, trigger, TriggerEnd.REMOVED)


def _same(account: Account, market_id: int, side: Side, kind: TriggerKind) -> list[Trigger]:
    return [
        one
        for one in account.triggers
        if one.market_id == market_id and one.side is side and one.kind is kind
    ]


def _end(turn: Turn, account: Account, trigger: Trigger, end: TriggerEnd) -> None:
    account.triggers.remove(trigger)
    record = TriggerEnded(trigger, end, turn.action_id, turn.now_ns)
    turn.records.triggers.append(record)


def fire_all(venue: Venue) -> None:
    """Fire every trigger whose price the index has reached, oldest first."""
    due = [
        trigger
        for account in venue.state.accounts.values()
        for trigger in account.triggers
        if _reached(venue, trigger)
    ]
    for trigger in sorted(due, key=lambda one: one.action_id):
        if trigger in venue.state.accounts[trigger.account_id].triggers:
            _fire(venue, trigger)


def _reached(venue: Venue, trigger: Trigger) -> bool:
    index = venue.state.markets[trigger.market_id].index_ticks
    frozen = trigger.market_id in venue.rules.frozen_markets
    if index is None or frozen:
        return False
    # A stop loss that sells waits for a fall, a take profit that sells for a rise.
    rising = (trigger.side is Side.ASK) is (trigger.kind is TriggerKind.TAKE_PROFIT)
    return index >= trigger.trigger_ticks if rising else index <= trigger.trigger_ticks


def _fire(venue: Venue, trigger: Trigger) -> None:
    turn = Turn(venue)
    end = TriggerEnd.SUCCESS
    if not _sent(turn, trigger):
        turn.rollback()
        turn, end = Turn(venue), TriggerEnd.CANCELED
    account = turn.account(trigger.account_id)
    if trigger in account.triggers:
        account.triggers.remove(trigger)
    # A trade that closed the position has ended its triggers, this one among them.
    ended = [one for one in turn.records.triggers if one.trigger != trigger]
    turn.records.triggers = [*ended, TriggerEnded(trigger, end, turn.action_id, turn.now_ns)]
    turn.commit()


def _sent(turn: Turn, trigger: Trigger) -> bool:
    market_id, side = trigger.market_id, trigger.side
    lots = reduce.reducible(turn.account(trigger.account_id), market_id, side)
    if not lots:
        return False
    asked = Asked(market_id, side, FillMode.IOC, True, trigger.limit_ticks, lots, None, None)
    return forced_order(turn, trigger.account_id, asked, Origin.TRIGGER)
