"""Which fills of a run and of its replay are the same, and why the others are not.

Lots match lots: of the same market and side, near in time and in price. What is left over has one
cause each, judged by what the other run had resting or under way at that moment.
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from mmbot.domain.events import Fill
from mmbot.research.lives import OrderLife, Trace

SECOND_NS = 1_000_000_000


class Cause(StrEnum):
    """Why only one of the two runs has a fill; said of the run that has not."""

    OUTSIDE = "outside its time"
    PAUSED = "it was paused"
    QUEUE = "it rested there and was passed over"
    FLIGHT = "its order was under way"
    REFUSED = "its order was refused or its outcome unknown"
    PRICE = "it quoted another price"
    ABSENT = "it did not quote that side"


class Terms(Struct, frozen=True):
    """How near two fills must be to be the same: ns, and a ratio of the price."""

    within_ns: int = SECOND_NS
    price_ratio: float = 1e-4


class Pair(Struct, frozen=True, gc=False):
    """Lots that both runs traded."""

    live: Fill
    replayed: Fill
    lots: int


class Rest(Struct, frozen=True, gc=False):
    """Lots that only one run traded; `live` says which."""

    fill: Fill
    lots: int
    live: bool
    cause: Cause


def match(live: Trace, replayed: Trace, terms: Terms) -> tuple[list[Pair], list[Rest]]:
    """Match the fills of two runs; each lot of both is in exactly one pair or rest."""
    pairs: list[Pair] = []
    left = [fill.lots for fill in replayed.fills]
    unmatched: list[tuple[Fill, int]] = []
    first = 0
    for fill in live.fills:
        wanted = fill.lots
        while (
            first < len(left)
            and replayed.fills[first].ts_recv_ns < fill.ts_recv_ns - terms.within_ns
        ):
            first += 1
        for place in range(first, len(left)):
            other = replayed.fills[place]
            if wanted == 0 or other.ts_recv_ns > fill.ts_recv_ns + terms.within_ns:
                break
            if left[place] and _same(fill, other, terms):
                lots = min(wanted, left[place])
                pairs.append(Pair(fill, other, lots))
                left[place] -= lots
                wanted -= lots
        if wanted:
            unmatched.append((fill, wanted))
    rests = [Rest(fill, lots, True, cause(fill, replayed, terms)) for fill, lots in unmatched]
    rests += [
        Rest(fill, lots, False, cause(fill, live, terms))
        for fill, lots in zip(replayed.fills, left, strict=True)
        if lots
    ]
    return pairs, rests


def cause(fill: Fill, other: Trace, terms: Terms) -> Cause:
    """Return why `other` has no such fill."""
    now_ns = fill.ts_recv_ns
    if not other.first_ns <= now_ns <= other.last_ns:
        return Cause.OUTSIDE
    if other.paused(fill.market, now_ns) is not None:
        return Cause.PAUSED
    near = [
        life
        for life in other.near(now_ns, terms.within_ns)
        if life.market == fill.market and life.side is fill.side
    ]
    good = [life for life in near if (life.ticks - fill.ticks) * fill.side >= 0]
    if _any_resting(good, now_ns):
        return Cause.QUEUE
    if any(life.refused for life in good):
        return Cause.REFUSED
    if any(life.sent_ns <= now_ns < life.open_ns for life in good):
        return Cause.FLIGHT
    return Cause.PRICE if _any_resting(near, now_ns) else Cause.ABSENT


def _any_resting(lives: Iterable[OrderLife], now_ns: int) -> bool:
    return any(life.open_ns <= now_ns < life.end_ns for life in lives)


def _same(one: Fill, other: Fill, terms: Terms) -> bool:
    return (
        one.market == other.market
        and one.side is other.side
        and abs(one.ticks - other.ticks) <= terms.price_ratio * one.ticks
    )
