"""The stop trigger of a market: what is sent for it, figures worked out by hand.

A stop waits 3 % from the entry and is moved when it is off by more than a fifth of that.
"""

from decimal import Decimal

import pytest

from mmbot.adapters.web.clock import NS_PER_S
from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.rest.answers import RestingTrigger
from mmbot.adapters.zo.trading.dispatch import Signed
from mmbot.adapters.zo.trading.health import Answered
from mmbot.adapters.zo.trading.params import ProtectionTerms
from mmbot.adapters.zo.trading.protection import Stop
from mmbot.adapters.zo.trading.stop_plan import Held, TriggerAction
from mmbot.adapters.zo.wire.actions import AddTrigger, Intent, RemoveTrigger, TriggerKind
from mmbot.adapters.zo.wire.outcomes import Accepted, Done, NotSent, Rejected, Unknown
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.refusals import refusal
from mmbot.domain.order import Side

TERMS = ProtectionTerms(Decimal("0.03"), Decimal("0.2"))
MARKET = 4
DONE = Accepted(9, (Done(),))
LOST = Unknown("no answer in time")
LONG = Held(10, Decimal(1_000_000), Decimal(1_000_000))
FLAT = LONG._replace(lots=0)


def stop(side: Side, ticks: int, **more: int) -> RestingTrigger:
    return RestingTrigger(MARKET, side, TriggerKind.STOP_LOSS, ticks, **more)


def refused(number: int) -> Rejected:
    return Rejected(refusal(number))


class Desk:
    """A stop whose market has these triggers, and the time."""

    def __init__(self, *resting: RestingTrigger) -> None:
        self.now_ns = 100 * NS_PER_S
        self.stop = Stop(MARKET, TERMS)
        self.signed: Signed
        self.stop.found(resting, self.now_ns, dead=False)

    def wants(self, held: Held) -> TriggerAction | None:
        return self.stop.wants(held, self.now_ns)

    def send(self, held: Held) -> TriggerAction:
        action = self.wants(held)
        assert action is not None
        self.signed = Signed(action, b"", EngineSeconds(1))
        self.stop.sent(self.signed, action, self.now_ns)
        return action

    def answer(self, outcome: Answered) -> None:
        self.stop.answered(self.signed, lambda: self.now_ns, outcome)

    def do(self, held: Held, outcome: Answered = DONE) -> TriggerAction:
        """Send what is wanted, have it answered, and let time pass."""
        action = self.send(held)
        self.answer(outcome)
        self.later(1)
        return action

    def look(self, *resting: RestingTrigger, dead: bool = False) -> tuple[RestingTrigger, ...]:
        return self.stop.found(resting, self.now_ns, dead=dead)

    def later(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS_PER_S)


def add(side: Side, ticks: int) -> AddTrigger:
    return AddTrigger(MARKET, side, TriggerKind.STOP_LOSS, ticks, Intent.DECREASE)


def remove(side: Side, ticks: int) -> RemoveTrigger:
    return RemoveTrigger(MARKET, side, TriggerKind.STOP_LOSS, ticks)


@pytest.mark.parametrize(
    ("lots", "entry", "wanted"),
    [
        (10, 1_000_000, add(Side.ASK, 970_000)),
        (-10, 1_000_000, add(Side.BID, 1_030_000)),
        # 970,000.97 and 1,030,001.03: away from the price.
        (1, 1_000_001, add(Side.ASK, 970_000)),
        (-1, 1_000_001, add(Side.BID, 1_030_002)),
    ],
)
def test_a_position_gets_a_stop_on_the_side_that_closes_it(
    lots: int, entry: int, wanted: AddTrigger
) -> None:
    assert Desk().wants(Held(lots, Decimal(entry), Decimal(1_000_000))) == wanted


def test_nothing_is_sent_before_it_is_known_what_rests() -> None:
    assert Stop(MARKET, TERMS).wants(LONG, 0) is None
    assert Stop(MARKET, TERMS).asks


def test_what_rests_is_adopted() -> None:
    desk = Desk(stop(Side.ASK, 973_000))
    assert desk.wants(LONG) is None
    assert desk.stop.idle(LONG)


@pytest.mark.parametrize(
    "other",
    [
        RestingTrigger(MARKET, Side.ASK, TriggerKind.TAKE_PROFIT, 970_000),
        RestingTrigger(MARKET + 1, Side.ASK, TriggerKind.STOP_LOSS, 970_000),
    ],
)
def test_take_profits_and_other_markets_are_nobodys_business(other: RestingTrigger) -> None:
    desk = Desk(other)
    assert desk.wants(LONG) == add(Side.ASK, 970_000)
    assert desk.wants(FLAT) is None


def test_a_stop_that_could_leave_a_part_of_the_position_does_not_count() -> None:
    desk = Desk(stop(Side.ASK, 970_000, limit_ticks=960_000))
    assert desk.wants(LONG) == add(Side.ASK, 970_000)


def test_it_is_moved_only_when_the_entry_has_moved_far() -> None:
    desk = Desk(stop(Side.ASK, 970_000))
    # Wanted at 975,820: off by 5,820 of 6,036 allowed.
    assert desk.wants(LONG._replace(entry_ticks=Decimal(1_006_000))) is None
    # Wanted at 976,790: off by 6,790 of 6,042.
    far = LONG._replace(entry_ticks=Decimal(1_007_000))
    assert desk.do(far) == add(Side.ASK, 976_790)
    # Whether the old one was replaced the venue has to say.
    assert desk.stop.asks
    desk.look(stop(Side.ASK, 970_000), stop(Side.ASK, 976_790))
    assert desk.do(far) == remove(Side.ASK, 970_000)
    assert desk.stop.idle(far)


def test_the_price_alone_moves_nothing() -> None:
    desk = Desk(stop(Side.ASK, 970_000))
    for index in (1_200_000, 990_000, 971_000, 969_000, 500_000):
        assert desk.wants(LONG._replace(index_ticks=Decimal(index))) is None


def test_a_position_that_flips_is_protected_first_and_tidied_up_then() -> None:
    desk = Desk(stop(Side.ASK, 970_000))
    short = LONG._replace(lots=-3)
    assert desk.do(short) == add(Side.BID, 1_030_000)
    assert desk.do(short) == remove(Side.ASK, 970_000)
    assert desk.stop.idle(short)


def test_a_flat_position_has_none() -> None:
    desk = Desk(stop(Side.ASK, 970_000), stop(Side.BID, 1_030_000))
    assert [desk.do(FLAT), desk.do(FLAT)] == [
        remove(Side.ASK, 970_000),
        remove(Side.BID, 1_030_000),
    ]
    assert desk.stop.idle(FLAT)


@pytest.mark.parametrize(
    ("index", "wanted"),
    [
        # A fifth of the distance is 6,000 ticks: from 976,000 down the stop would fire almost now.
        (976_001, 970_000),
        (976_000, 946_720),
        (960_000, 931_200),
    ],
)
def test_no_stop_is_set_that_would_fire_at_once(index: int, wanted: int) -> None:
    assert Desk().wants(LONG._replace(index_ticks=Decimal(index))) == add(Side.ASK, wanted)


def test_a_stop_below_a_fallen_price_stays_until_its_place_is_free_again() -> None:
    desk = Desk(stop(Side.ASK, 931_200))
    for index in (960_000, 940_000, 976_000):
        assert desk.wants(LONG._replace(index_ticks=Decimal(index))) is None
    assert desk.wants(LONG._replace(index_ticks=Decimal(976_001))) == add(Side.ASK, 970_000)


def test_without_an_index_price_nothing_is_set() -> None:
    assert Desk().wants(LONG._replace(index_ticks=None)) is None
    assert Desk(stop(Side.ASK, 970_000)).wants(FLAT._replace(index_ticks=None)) == remove(
        Side.ASK, 970_000
    )


def test_one_action_is_on_its_way_at_a_time() -> None:
    desk = Desk()
    desk.send(LONG)
    desk.later(30)
    for held in (LONG, LONG._replace(lots=-10), FLAT):
        assert desk.wants(held) is None
    assert desk.stop.waits


def test_a_lost_answer_is_looked_up() -> None:
    desk = Desk()
    desk.do(LONG, LOST)
    assert desk.stop.asks
    assert desk.wants(LONG) is None
    desk.look(stop(Side.ASK, 970_000))
    assert desk.stop.idle(LONG)


def test_what_was_not_found_goes_out_again_as_the_same_bytes() -> None:
    desk = Desk()
    desk.do(LONG, LOST)
    assert desk.stop.again(LONG, desk.now_ns) is None
    desk.look()
    assert desk.wants(LONG) is None
    # Not when it is no longer wanted.
    assert desk.stop.again(FLAT, desk.now_ns) is None
    assert desk.stop.again(LONG._replace(lots=-1), desk.now_ns) is None
    again = desk.stop.again(LONG, desk.now_ns)
    assert again is desk.signed
    desk.stop.sent(again, None, desk.now_ns)
    desk.answer(refused(pb.DUPLICATE))
    # The first copy was taken after all.
    assert desk.wants(LONG) is None
    desk.later(1)
    desk.look(stop(Side.ASK, 970_000))
    assert desk.stop.idle(LONG)


def test_after_three_copies_only_their_end_helps() -> None:
    desk = Desk()
    desk.do(LONG, LOST)
    for _ in range(2):
        desk.look()
        assert desk.stop.again(LONG, desk.now_ns) is desk.signed
        desk.stop.sent(desk.signed, None, desk.now_ns)
        desk.answer(LOST)
        desk.later(2)
    desk.look()
    assert desk.stop.again(LONG, desk.now_ns) is None
    assert desk.wants(LONG) is None
    desk.look(dead=True)
    assert desk.wants(LONG) is None
    desk.later(2)
    assert desk.wants(LONG) == add(Side.ASK, 970_000)


def test_a_copy_refused_proves_nothing_of_the_one_before_it() -> None:
    desk = Desk()
    desk.do(LONG, LOST)
    desk.look()
    desk.stop.sent(desk.signed, None, desk.now_ns)
    desk.answer(refused(pb.TRIGGER_INVALID_PRICE))
    desk.later(5)
    desk.look()
    assert desk.stop.plan.refused is None
    assert (desk.wants(LONG), desk.stop.again(LONG, desk.now_ns)) == (None, None)
    desk.look(stop(Side.ASK, 970_000))
    assert desk.stop.idle(LONG)


def test_a_list_asked_for_before_an_answer_says_nothing() -> None:
    desk = Desk()
    asked_ns = desk.now_ns
    desk.later(0.1)
    desk.send(LONG)
    assert desk.stop.found((), asked_ns, dead=True) == ()
    desk.answer(DONE)
    desk.stop.found((), asked_ns, dead=False)
    # Nor one asked for at the same moment: nobody knows which came first.
    desk.look()
    desk.later(5)
    assert desk.stop.idle(LONG)


def test_what_never_left_is_tried_again_later() -> None:
    desk = Desk()
    desk.send(LONG)
    desk.answer(NotSent("no connection"))
    desk.later(1.9)
    desk.look()
    assert desk.wants(LONG) is None
    desk.later(0.1)
    assert desk.wants(LONG) == add(Side.ASK, 970_000)


def test_refusals_of_the_moment_are_waited_out_ever_longer() -> None:
    desk = Desk()
    for pause_s in (2, 4, 8, 16, 32, 60, 60):
        desk.send(LONG)
        desk.answer(refused(pb.MARKET_FROZEN))
        desk.later(pause_s - 0.1)
        desk.look()
        assert desk.wants(LONG) is None
        desk.later(0.1)
    assert desk.wants(LONG) == add(Side.ASK, 970_000)
    assert desk.stop.plan.refused is None


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (refused(pb.DECODE_FAILURE), "DECODE_FAILURE"),
        (refused(pb.TRIGGER_INVALID_PRICE), "TRIGGER_INVALID_PRICE"),
        (refused(pb.ACTION_NOT_ALLOWED), "ACTION_NOT_ALLOWED"),
        # DECODE_FAILURE as the oldest generation numbers it.
        (Unknown("UNKNOWN_2", number=2), "UNKNOWN_2"),
    ],
)
def test_a_venue_that_wants_no_triggers_is_left_alone(outcome: Answered, name: str) -> None:
    desk = Desk()
    desk.do(LONG, outcome)
    desk.look(dead=True)
    desk.later(100)
    desk.look()
    assert desk.wants(LONG) is None
    shown = desk.stop.shown(LONG, None)
    assert (shown.ticks, shown.trouble) == (None, f"refused: {name}")


def test_what_rests_is_kept_and_taken_off_after_a_refusal() -> None:
    desk = Desk(stop(Side.ASK, 970_000))
    far = LONG._replace(entry_ticks=Decimal(1_100_000), index_ticks=Decimal(1_100_000))
    desk.do(far, refused(pb.TRIGGER_MAX_SIZE_PLACEMENT_EXCEEDED))
    desk.later(100)
    desk.look(stop(Side.ASK, 970_000))
    assert desk.wants(far) is None
    assert desk.stop.shown(far, None).ticks == 970_000
    assert desk.wants(FLAT) is None
    desk.look(stop(Side.ASK, 970_000))
    assert desk.do(FLAT, refused(pb.DECODE_FAILURE)) == remove(Side.ASK, 970_000)
    desk.later(100)
    desk.look(stop(Side.ASK, 970_000))
    assert desk.wants(FLAT) is None


def test_a_trigger_that_is_not_there_is_removed() -> None:
    desk = Desk(stop(Side.ASK, 970_000))
    desk.do(FLAT, refused(pb.TRIGGER_NOT_FOUND))
    desk.look()
    assert desk.stop.idle(FLAT)
    assert desk.stop.plan.refused is None


def test_where_nothing_is_replaced_the_old_one_goes_first() -> None:
    desk = Desk(stop(Side.ASK, 970_000))
    far = LONG._replace(entry_ticks=Decimal(1_100_000), index_ticks=Decimal(1_100_000))
    assert desk.do(far, refused(pb.TRIGGER_ALREADY_EXISTS)) == add(Side.ASK, 1_067_000)
    desk.look(stop(Side.ASK, 970_000))
    assert desk.do(far) == remove(Side.ASK, 970_000)
    assert desk.do(far, refused(pb.TRIGGER_ALREADY_EXISTS)) == add(Side.ASK, 1_067_000)
    assert desk.stop.plan.refused == "TRIGGER_ALREADY_EXISTS"


def test_one_that_is_gone_by_itself_is_told_and_set_again() -> None:
    desk = Desk(stop(Side.ASK, 970_000))
    assert desk.look() == (stop(Side.ASK, 970_000),)
    assert desk.do(LONG) == add(Side.ASK, 970_000)


def test_when_a_position_changes_sides_the_venue_may_have_tidied_up_itself() -> None:
    desk = Desk(stop(Side.ASK, 970_000))
    assert desk.wants(LONG) is None
    for held in (LONG._replace(lots=-1), FLAT):
        desk.later(1)
        assert desk.wants(held) is None
        assert desk.stop.asks
        desk.look(stop(Side.ASK, 970_000))
    assert desk.do(FLAT) == remove(Side.ASK, 970_000)
    assert desk.wants(LONG) == add(Side.ASK, 970_000)
    gone = Desk(stop(Side.ASK, 970_000))
    assert gone.wants(LONG) is None
    assert gone.wants(FLAT) is None
    gone.look()
    assert gone.stop.idle(FLAT)
