"""Stop losses and take profits: both forms of the wire, firing, replacing, ending."""

import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.proto import nord_s1_pb2 as s1
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.model import Origin, TriggerEnd
from tests.unit.exchange.traders import IOC, NS, Trader, error, opened, rows

SL, TP = pb.STOP_LOSS, pb.TAKE_PROFIT


def add(trader: Trader, kind: int, side: int, ticks: int, limit: int = 0) -> pb.Receipt:
    record = pb.TriggerRecord(trigger_price=ticks)
    record.key.kind, record.key.side = pb.TriggerKind.ValueType(kind), pb.Side.ValueType(side)
    if limit:
        record.limits.price = limit
    asked = pb.AddTrigger(session_id=trader.session_id, trigger=record)
    return trader.send(pb.Action(add_trigger=asked))


def move(exchange: Exchange, ticks: float) -> None:
    exchange.set_index(0, ticks)
    exchange.advance(exchange.state.now_ns + NS)


def held(side: int) -> tuple[Exchange, Trader]:
    """Trader 1 holds 100 lots, long after a BID; the book is deep at 990 and 1010."""
    exchange = opened()
    trader = Trader(exchange, 1)
    exchange.background(0, rows((1, 1, 990, 9_000), (1, -1, 1010, 9_000)))
    trader.place(side, 0, 100, IOC)
    return exchange, trader


@pytest.mark.parametrize(
    ("opening", "kind", "ticks", "waits", "fires"),
    [
        (pb.BID, SL, 980, 980.5, 980.0),
        (pb.BID, TP, 1020, 1019.5, 1020.0),
        (pb.ASK, SL, 1020, 1019.5, 1020.0),
        (pb.ASK, TP, 980, 980.5, 980.0),
    ],
)
def test_a_trigger_closes_the_position(
    opening: int, kind: int, ticks: int, waits: float, fires: float
) -> None:
    exchange, trader = held(opening)
    side = pb.ASK if opening == pb.BID else pb.BID
    assert add(trader, kind, side, ticks).HasField("trigger_added")
    move(exchange, waits)
    assert abs(trader.lots) == 100
    move(exchange, fires)
    assert trader.lots == 0
    assert [entry.end for entry in exchange.state.triggers_ended] == [TriggerEnd.SUCCESS]
    assert (
        exchange.state.finished[exchange.state.trades[-1].taker_order_id].origin is Origin.TRIGGER
    )
    assert exchange.violations() == []


def test_a_limit_that_cannot_be_met_ends_the_trigger() -> None:
    exchange, trader = held(pb.BID)
    add(trader, SL, pb.ASK, 980, limit=991)
    move(exchange, 970.0)
    assert trader.lots == 100
    assert [entry.end for entry in exchange.state.triggers_ended] == [TriggerEnd.CANCELED]


def test_a_trigger_that_meets_only_its_owners_order_leaves_it() -> None:
    exchange, trader = held(pb.BID)
    exchange.rules.self_trade = "cancel_resting"
    exchange.background(0, rows((1, 1, 990, 0)))
    trader.place(pb.BID, 985, 5)
    add(trader, SL, pb.ASK, 980)
    move(exchange, 979.0)
    assert trader.lots == 100
    assert [order.ticks for order in exchange.state.accounts[1].orders.values()] == [985]
    assert [entry.end for entry in exchange.state.triggers_ended] == [TriggerEnd.CANCELED]
    assert exchange.violations() == []


def test_the_same_key_replaces_and_other_keys_stand_beside() -> None:
    exchange, trader = held(pb.BID)
    for kind, ticks in ((SL, 980), (SL, 970), (TP, 1050)):
        add(trader, kind, pb.ASK, ticks)
    active = exchange.state.accounts[1].triggers
    assert [(int(one.kind), one.trigger_ticks) for one in active] == [(SL, 970), (TP, 1050)]
    assert exchange.state.triggers_ended[0].end is TriggerEnd.REMOVED


@pytest.mark.parametrize("survive", [False, True])
def test_closing_the_position_ends_its_triggers(survive: bool) -> None:
    exchange, trader = held(pb.BID)
    exchange.rules.triggers_survive_close = survive
    add(trader, SL, pb.ASK, 980)
    assert not trader.place(pb.ASK, 0, 50, IOC).trade_or_place.cancelled_triggers
    ended = trader.place(pb.ASK, 0, 50, IOC).trade_or_place.cancelled_triggers
    assert [one.trigger.trigger_price for one in ended] == ([] if survive else [980])
    assert len(exchange.state.accounts[1].triggers) == (1 if survive else 0)


def test_removing() -> None:
    exchange, trader = held(pb.BID)
    add(trader, SL, pb.ASK, 980)
    asked = pb.RemoveTrigger(session_id=trader.session_id, key=pb.TriggerKey(kind=SL, side=pb.ASK))
    asked.price = 981
    assert error(trader.send(pb.Action(remove_trigger=asked))) == pb.TRIGGER_NOT_FOUND
    asked.price = 980
    assert trader.send(pb.Action(remove_trigger=asked)).HasField("trigger_removed")
    asked.ClearField("price")
    assert error(trader.send(pb.Action(remove_trigger=asked))) == pb.TRIGGER_NOT_FOUND
    assert exchange.state.accounts[1].triggers == []


def test_the_legacy_form() -> None:
    exchange, trader = held(pb.BID)
    old = s1.Action(current_timestamp=exchange.state.now_s)
    old.add_trigger.session_id = trader.session_id
    old.add_trigger.key.kind, old.add_trigger.key.side = s1.STOP_LOSS, s1.ASK
    old.add_trigger.prices.trigger_price = 985
    old.add_trigger.prices.limit_price = 980
    action = pb.Action.FromString(old.SerializeToString())
    assert trader.send(action).HasField("trigger_added")
    (trigger,) = exchange.state.accounts[1].triggers
    assert (trigger.trigger_ticks, trigger.limit_ticks) == (985, 980)


def test_what_a_trigger_may_not_be() -> None:
    exchange, trader = held(pb.BID)
    assert error(add(trader, SL, pb.ASK, 0)) == pb.TRIGGER_INVALID_PRICE
    assert error(add(trader, 5, pb.ASK, 980)) == pb.DECODE_FAILURE_DOMAIN
    exchange.rules.max_triggers = 1
    add(trader, SL, pb.ASK, 980)
    assert error(add(trader, SL, pb.ASK, 981)) is None
    assert error(add(trader, TP, pb.ASK, 1020)) == pb.TRIGGER
    asked = pb.AddTrigger(session_id=trader.session_id, intent=pb.INCREASE)
    asked.trigger.trigger_price = 5
    code = pb.TRIGGER_ONLY_DECREASE_ORDERS_SUPPORTED
    assert error(trader.send(pb.Action(add_trigger=asked))) == code
