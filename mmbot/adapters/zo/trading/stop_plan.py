"""Which stop trigger should rest for a position, and what brings the venue there. Pure.

It waits at a distance from the average entry, because that moves with the position alone: a stop
that followed the price would retreat before a slow fall for as long as the bot lives. Where the
index is past that price already, or almost, it waits at the distance from the index instead, so
that setting one never closes a position at once.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from mmbot.adapters.zo.rest.answers import RestingTrigger
from mmbot.adapters.zo.trading.params import ProtectionTerms
from mmbot.adapters.zo.wire.actions import AddTrigger, RemoveTrigger, TriggerKind
from mmbot.domain.order import Side

_MOST_TICKS = 1 << 63

TriggerAction = AddTrigger | RemoveTrigger
Triggers = tuple[RestingTrigger, ...]


class Held(NamedTuple):
    """A position in signed lots; entry and index in ticks, the index None while not known."""

    lots: int
    entry_ticks: Decimal
    index_ticks: Decimal | None

    @property
    def closing(self) -> Side:
        """The side of what closes it."""
        return Side.ASK if self.lots > 0 else Side.BID


class StopPlan:
    """Plans for one market. `refused`: why none is set any more; unwanted ones still go.

    `removes_first`: the venue replaces nothing, so the old one goes before the new one comes.
    """

    def __init__(self, market_id: int, terms: ProtectionTerms) -> None:
        self.market_id = market_id
        self.refused: str | None = None
        self.removes_first = False
        self._terms = terms
        self._stuck = False

    def give_up(self, action: TriggerAction, reason: str) -> None:
        """Actions of this kind will always be refused."""
        self.refused = self.refused or reason
        self._stuck |= isinstance(action, RemoveTrigger)

    def action(self, held: Held, resting: Triggers) -> TriggerAction | None:
        """Return what is to be done, given what rests; None when all is as it should be."""
        if not held.lots:
            return self._off(resting)
        kept = self._kept(held, resting)
        if kept is not None:
            return self._off(tuple(each for each in resting if each != kept))
        side = held.closing
        same = tuple(each for each in resting if each.side is side)
        if self.refused is not None:
            return self._off(tuple(each for each in resting if each.side is not side))
        ticks = self._wanted(held)
        if ticks is None:
            return None
        if same and self.removes_first:
            return self._off(same)
        return AddTrigger(self.market_id, side, TriggerKind.STOP_LOSS, ticks)

    def _kept(self, held: Held, resting: Triggers) -> RestingTrigger | None:
        closing, at = self.closing(held, resting), self._at(held.lots, held.entry_ticks)
        if not closing:
            return None
        best = min(closing, key=lambda each: abs(each.ticks - at))
        near = abs(best.ticks - at) <= self._slack(held)
        stays = near or self.refused is not None or not self._clear(held, at)
        return best if stays else None

    def closing(self, held: Held, resting: Triggers) -> list[RestingTrigger]:
        """Those that close the whole position at any price."""
        side = held.closing
        return [
            each
            for each in resting
            if each.side is side and not (each.limit_ticks or each.limit_lots)
        ]

    def _wanted(self, held: Held) -> int | None:
        if held.index_ticks is None:
            return None
        at = self._at(held.lots, held.entry_ticks)
        if not self._clear(held, at):
            at = self._at(held.lots, held.index_ticks)
        return at if 0 < at < _MOST_TICKS else None

    def _at(self, lots: int, base_ticks: Decimal) -> int:
        away = base_ticks * self._terms.distance
        if lots > 0:
            return int((base_ticks - away).to_integral_value(ROUND_FLOOR))
        return int((base_ticks + away).to_integral_value(ROUND_CEILING))

    def _clear(self, held: Held, at: int) -> bool:
        """Whether the index is far enough from a price for a stop to wait there."""
        if held.index_ticks is None:
            return False
        room = held.index_ticks - at if held.lots > 0 else at - held.index_ticks
        return room > self._slack(held)

    def _slack(self, held: Held) -> Decimal:
        return held.entry_ticks * self._terms.distance * self._terms.drift

    def _off(self, unwanted: Triggers) -> RemoveTrigger | None:
        if not unwanted or self._stuck:
            return None
        one = unwanted[0]
        return RemoveTrigger(
            one.market_id,
            one.side,
            one.kind,
            one.ticks,
            limit_ticks=one.limit_ticks,
            limit_lots=one.limit_lots,
        )

    def same(self, held: Held, resting: Triggers, action: TriggerAction) -> bool:
        """Whether an action is still as good as what would be done now."""
        planned = self.action(held, resting)
        if not isinstance(planned, AddTrigger) or not isinstance(action, AddTrigger):
            return planned == action
        near = abs(planned.trigger_ticks - action.trigger_ticks) <= self._slack(held)
        return planned.side is action.side and near


def set_by(action: AddTrigger) -> RestingTrigger:
    """Return the trigger that rests once an action has been executed."""
    return RestingTrigger(action.market_id, action.side, action.kind, action.trigger_ticks)


def is_of(action: TriggerAction, each: RestingTrigger) -> bool:
    """Whether a trigger is the one that an action is about."""
    return (each.side, each.ticks) == (action.side, action.trigger_ticks)


def in_effect(action: TriggerAction, resting: Triggers) -> bool:
    """Whether what rests is as an action makes it."""
    return any(is_of(action, each) for each in resting) is isinstance(action, AddTrigger)
