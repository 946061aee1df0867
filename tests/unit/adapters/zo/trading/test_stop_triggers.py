"""Stop triggers of the live venue at the exchange: set, moved, fired, lost, refused, left behind.

A position at 60,000.0 is 600,000 ticks; the stop of a long one waits 3 % below, at 582,000.
"""

from decimal import Decimal
from functools import partial

from msgspec.structs import replace

from mmbot.adapters.zo.trading.params import ProtectionTerms
from mmbot.adapters.zo.trading.trigger_news import FIRED, REFUSED
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import OrderState, Side
from mmbot.domain.status import StopTrigger
from mmbot.exchange.model import Trigger, TriggerKind
from tests.unit.adapters.zo.trading import scene
from tests.unit.adapters.zo.trading.scene import PARAMS, PRICE, Desk, taken

TERMS = ProtectionTerms(Decimal("0.03"), Decimal("0.2"))
ON = replace(PARAMS, protect_ms=100, protection=TERMS)
play = partial(scene.play, params=ON)
LONG_STOP = (Side.ASK, 582_000)


def rests(desk: Desk) -> list[tuple[Side, int]]:
    """What waits at the exchange in truth."""
    return [(each.side, each.trigger_ticks) for each in triggers(desk)]


def triggers(desk: Desk) -> list[Trigger]:
    return desk.served.exchange.state.accounts[desk.owner.account].triggers


def codes(desk: Desk) -> list[str]:
    return [notice.code for notice in desk.notices]


def shown(desk: Desk) -> StopTrigger:
    return desk.venue.figures.stops[0]


async def trade(desk: Desk, side: Side, lots: int, ticks: int = PRICE) -> None:
    """Have an order of ours filled."""
    order_id = desk.place(side, ticks, lots)
    await desk.told(order_id, OrderState.OPEN)
    await taken(desk, Side(-side), lots, ticks)
    await desk.told(order_id, OrderState.FILLED)


async def protected(desk: Desk) -> None:
    await trade(desk, Side.BID, 10)
    await desk.until(lambda: rests(desk) == [LONG_STOP])


def told_usd(desk: Desk) -> float:
    """Money of a flat account, by what was told of it: the ledger's view."""
    market = desk.venue._known.money[0].market
    fills = desk.fills().values()
    atoms = sum(-each.side * market.unit_value(2 * each.ticks) * each.lots for each in fills)
    atoms -= sum(each.fee_atoms for each in fills)
    atoms += sum(each.cash_atoms - each.fees_atoms for each in desk.restated())
    return 10_000 + float(market.money(atoms))


def index(desk: Desk, ticks: int) -> None:
    """Let the oracle say something else."""
    desk.served.server.floor.operation.set_index(0, ticks)
    desk.served.server.floor.turn()


async def owners(desk: Desk, ticks: int, kind: pb.TriggerKind.ValueType = pb.STOP_LOSS) -> None:
    """Set a trigger as somebody with the same account would."""
    record = pb.TriggerRecord(
        key=pb.TriggerKey(kind=kind, side=pb.ASK), trigger_price=ticks, market_id=0
    )
    asked = pb.AddTrigger(session_id=desk.owner.session, trigger=record, intent=pb.DECREASE)
    receipt = await desk.owner.send(desk.owner.signed(pb.Action(add_trigger=asked)))
    assert receipt.WhichOneof("kind") == "trigger_added"


def test_a_position_gets_one_that_reduces_and_nothing_else() -> None:
    async def work(desk: Desk) -> None:
        await protected(desk)
        (one,) = triggers(desk)
        assert (one.kind, one.limit_ticks) == (TriggerKind.STOP_LOSS, 0)
        await desk.pause(15.0)
        # Looked at since, and not set again.
        assert triggers(desk) == [one]
        assert shown(desk) == StopTrigger(582_000)
        assert desk.notices == []

    play(work)


def test_it_follows_the_entry() -> None:
    async def work(desk: Desk) -> None:
        await protected(desk)
        index(desk, 640_000)
        # 10 at 600,000 and 30 at 640,000 are 40 at 630,000; 3 % below it is 611,100.
        await trade(desk, Side.BID, 30, PRICE + 40_000)
        await desk.until(lambda: rests(desk) == [(Side.ASK, 611_100)])

    play(work)


def test_a_position_that_flips_gets_one_on_the_other_side() -> None:
    async def work(desk: Desk) -> None:
        await protected(desk)
        await trade(desk, Side.ASK, 30)
        await desk.until(lambda: rests(desk) == [(Side.BID, 618_000)])
        assert desk.owner.lots() == -20

    play(work)


def test_a_flat_position_has_none_whatever_the_venue_does_by_itself() -> None:
    async def work(desk: Desk) -> None:
        desk.served.exchange.venue.rules.triggers_survive_close = True
        await protected(desk)
        await trade(desk, Side.ASK, 10)
        await desk.until(lambda: rests(desk) == [])
        assert shown(desk) == StopTrigger()

    play(work)


def test_one_that_the_venue_took_off_with_the_position_comes_again_with_the_next() -> None:
    async def work(desk: Desk) -> None:
        await protected(desk)
        # Closed and opened again before anybody looks.
        closing = [desk.place(Side.ASK), desk.place(Side.BID, PRICE - 10)]
        for order_id in closing:
            await desk.told(order_id, OrderState.OPEN)
        await desk.sneak(Side.BID, 10, PRICE)
        await desk.sneak(Side.ASK, 10, PRICE - 10)
        assert rests(desk) == []
        # 3 % below 599,990.
        await desk.until(lambda: rests(desk) == [(Side.ASK, 581_990)])

    play(work)


def test_it_fires_and_the_account_is_told_exactly() -> None:
    async def work(desk: Desk) -> None:
        await protected(desk)
        await desk.other.send(desk.other.place(580_000, 50))
        index(desk, 581_000)
        await desk.until(lambda: desk.owner.lots() == 0)
        await desk.until(lambda: FIRED in codes(desk))
        (notice,) = desk.notices
        assert "58,200.0" in notice.text
        assert (notice.market, rests(desk)) == (0, [])
        await desk.until(lambda: len(desk.trades) == 2)
        assert desk.position() == 0
        told = [(fill.side, fill.ticks, fill.lots) for fill in desk.fills().values()]
        assert told == [(Side.BID, PRICE, 10), (Side.ASK, 580_000, 10)]
        account = await desk.served.get(f"/account/{desk.owner.account}")
        held_usd = account["margins"]["mf"]
        await desk.until(lambda: abs(told_usd(desk) - held_usd) < 1e-6)
        assert desk.transfers() == []
        assert "liquidated" not in desk.hindered()

    play(work)


def test_what_rests_at_the_start_is_adopted() -> None:
    async def work(desk: Desk) -> None:
        await protected(desk)
        await desk.stop()
        await owners(desk, 583_000)
        await owners(desk, 700_000, pb.TAKE_PROFIT)
        before = list(triggers(desk))
        assert rests(desk) == [(Side.ASK, 583_000), (Side.ASK, 700_000)]
        # To whoever begins again it is unknown what happened meanwhile.
        desk.begin()
        await desk.until(lambda: shown(desk) == StopTrigger(583_000))
        await desk.pause(5.0)
        assert triggers(desk) == before

    play(work)


def test_lost_answers_are_looked_up_and_nothing_is_set_twice() -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "act.drop_resp", "kind": "add_trigger"})
        await trade(desk, Side.BID, 10)
        await desk.until(lambda: rests(desk) == [LONG_STOP])
        (one,) = triggers(desk)
        await desk.until(lambda: shown(desk) == StopTrigger(582_000))
        await desk.pause(10.0)
        assert triggers(desk) == [one]
        assert desk.hindered() == set()

    play(work)


def test_lost_requests_are_sent_again() -> None:
    async def work(desk: Desk) -> None:
        await desk.control({"knob": "act.drop_req", "kind": "add_trigger"})
        await trade(desk, Side.BID, 10)
        await desk.pause(12.0)
        assert rests(desk) == []
        await desk.control()
        await desk.until(lambda: rests(desk) == [LONG_STOP], 120.0)

    play(work)


def test_a_venue_without_triggers_is_told_once_and_traded_on() -> None:
    async def work(desk: Desk) -> None:
        desk.served.exchange.venue.rules.max_triggers = 0
        await trade(desk, Side.BID, 10)
        await desk.until(lambda: bool(desk.notices))
        assert shown(desk) == StopTrigger(None, "refused: TRIGGER")
        await trade(desk, Side.BID, 5)
        await desk.pause(15.0)
        assert codes(desk) == [REFUSED]
        assert desk.hindered() == set()

    play(work)


def test_nothing_is_set_while_the_venue_is_in_maintenance() -> None:
    async def work(desk: Desk) -> None:
        order_id = desk.place()
        await desk.told(order_id, OrderState.OPEN)
        rules = desk.served.exchange.venue.rules
        rules.maintenance = True
        desk.place(ticks=PRICE - 50)
        await desk.until(lambda: "maintenance" in desk.hindered())
        # Between two moments of the bot the venue lets somebody trade.
        rules.maintenance = False
        await desk.sneak(Side.ASK, 10, PRICE)
        rules.maintenance = True
        assert desk.owner.lots() == 10
        await desk.pause(5.0)
        assert rests(desk) == []
        rules.maintenance = False
        await desk.until(lambda: rests(desk) == [LONG_STOP])

    play(work)


def test_at_the_end_it_stays_with_a_position() -> None:
    async def work(desk: Desk) -> None:
        await protected(desk)
        left = await desk.venue.cancel_all(20.0)
        assert left.clean
        await desk.stop()
        assert rests(desk) == [LONG_STOP]

    play(work)


def test_at_the_end_it_goes_with_the_position() -> None:
    async def work(desk: Desk) -> None:
        desk.served.exchange.venue.rules.triggers_survive_close = True
        await protected(desk)
        await trade(desk, Side.ASK, 10)
        left = await desk.venue.cancel_all(20.0)
        assert left.clean
        assert rests(desk) == []

    play(work)


def test_without_it_nothing_is_set() -> None:
    async def work(desk: Desk) -> None:
        await trade(desk, Side.BID, 10)
        await desk.pause(5.0)
        assert rests(desk) == []
        assert desk.venue.figures.stops == ()

    scene.play(work)
