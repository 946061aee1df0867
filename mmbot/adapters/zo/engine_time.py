"""What time the engine has, from its own words only: pure, no clock of its own.

Every `/timestamp` reply bounds the offset between engine time and our monotonic clock from both
sides; bounds that agree are intersected, so a quick reply counts for much and a slow one for
little. Bounds that cannot both be true mean that the engine's clock stood still or jumped.
"""

from enum import StrEnum
from typing import NamedTuple, NewType

from mmbot.errors import Unavailable

EngineSeconds = NewType("EngineSeconds", int)
"""Unix seconds of the engine's clock; never the host's, never milliseconds."""

NS_PER_S = 1_000_000_000
WINDOW_S = 60
"""How far an action's timestamp may be from engine time, and its longest life (protocol 5.3)."""

# So long without a newer second the clock may stand still: be it that the same one is shown again,
# or that none is shown, as unread it may have jumped as well (reliability V03).
STALL_NS = 3 * NS_PER_S
JUMP_NS = 2 * NS_PER_S
# Nothing at all is stamped later: cancels need not be as sure of the time as places.
STALE_NS = 30 * NS_PER_S
CONSISTENT_COUNT = 5
# How much the two clocks may drift apart; crystals stay well below.
_DRIFT_PPM = 200


class ClockState(StrEnum):
    """Whether engine time may be relied on for placing orders; only OK says yes."""

    UNREAD = "never read"
    OK = "ok"
    STALE = "not read for too long"
    STALLED = "stands still"
    JUMPED = "jumped"


# Members of an enum are slow to look up.
_OK = ClockState.OK


class _Bounds(NamedTuple):
    # Least and greatest offset, engine minus monotonic time, as of one moment of the latter.
    least: int
    most: int
    at_ns: int

    def at(self, now_ns: int) -> "_Bounds":
        drift = abs(now_ns - self.at_ns) * _DRIFT_PPM // 1_000_000
        return _Bounds(self.least - drift, self.most + drift, now_ns)


class EngineClock:
    """The engine's clock as seen from here; all times in are monotonic nanoseconds."""

    __slots__ = ("_advanced_ns", "_bounds", "_distrust", "_seen_ns", "_seen_s", "_stalled")

    def __init__(self) -> None:
        self._bounds: _Bounds | None = None
        self._seen_s = 0
        self._seen_ns = 0
        self._advanced_ns = 0
        self._stalled = False
        # Samples that still have to agree before the clock is trusted again.
        self._distrust = 0

    def observe(self, engine_s: int, sent_ns: int, received_ns: int) -> None:
        """Take a reply of `/timestamp`: the engine had this second between the two moments."""
        self._watch_progress(engine_s, sent_ns, received_ns)
        bounds = _Bounds(
            engine_s * NS_PER_S - received_ns, (engine_s + 1) * NS_PER_S - sent_ns, received_ns
        )
        if self._narrow(bounds):
            self._distrust = max(0, self._distrust - 1)
        else:
            self._begin_anew(bounds, engine_s)
        self._seen_s = max(self._seen_s, engine_s)
        self._seen_ns = max(self._seen_ns, received_ns)

    def accepted(self, stamp: EngineSeconds, sent_ns: int, received_ns: int) -> None:
        """Take a receipt: the engine took an action with this stamp between the two moments."""
        if self._bounds is None:
            return
        bounds = _Bounds(
            (stamp - WINDOW_S) * NS_PER_S - received_ns,
            (stamp + WINDOW_S + 1) * NS_PER_S - sent_ns,
            received_ns,
        )
        if not self._narrow(bounds):
            self._distrust = CONSISTENT_COUNT

    def state(self, now_ns: int) -> ClockState:
        """Return whether the clock may be relied on now."""
        if self._bounds is None:
            return ClockState.UNREAD
        if self._stalled:
            return ClockState.STALLED
        if self._distrust:
            return ClockState.JUMPED
        return ClockState.STALE if now_ns - self._seen_ns > STALL_NS else _OK

    def range_ns(self, now_ns: int) -> tuple[int, int]:
        """Return the earliest and latest engine time that agree with all readings, nanoseconds.

        Unavailable when the engine's time was never read.
        """
        if self._bounds is None:
            raise Unavailable("the engine's time has not been read")
        if self._stalled:
            return self._seen_s * NS_PER_S, (self._seen_s + 1) * NS_PER_S
        least, most, at_ns = self._bounds
        drift = abs(now_ns - at_ns) * _DRIFT_PPM // 1_000_000
        return least - drift + now_ns, most + drift + now_ns

    def now_s(self, now_ns: int) -> EngineSeconds:
        """Return the engine's second by the earliest time it can have; Unavailable when unread."""
        return EngineSeconds(max(self._seen_s, self.range_ns(now_ns)[0] // NS_PER_S))

    def stamp(self, lifetime_s: int, now_ns: int) -> EngineSeconds:
        """Return the timestamp that lets the venue refuse an action after about `lifetime_s`.

        Never later than a second that the engine has shown, so never in its future: not while its
        clock stands still either. Good for cancels in every state; placing needs `state` OK.
        Raises Unavailable when the engine's time was not read in the last 30 s.
        """
        return self.stamp_and_now_s(lifetime_s, now_ns)[0]

    def stamp_and_now_s(self, lifetime_s: int, now_ns: int) -> tuple[EngineSeconds, EngineSeconds]:
        """Return `stamp` and `now_s`, by one look at the clock."""
        if not 0 < lifetime_s <= WINDOW_S:
            raise ValueError(f"a lifetime of {lifetime_s} s is not within 1 to {WINDOW_S}")
        earliest_ns, _ = self.range_ns(now_ns)
        if now_ns - self._seen_ns > STALE_NS:
            raise Unavailable("the engine's time has not been read for too long")
        earliest_s, seen_s = earliest_ns // NS_PER_S, self._seen_s
        wanted_s = earliest_s - (WINDOW_S - lifetime_s)
        return EngineSeconds(min(wanted_s, seen_s)), EngineSeconds(max(seen_s, earliest_s))

    def expired(self, stamp: EngineSeconds) -> bool:
        """Return whether an action with this stamp can take effect no more, by a second shown."""
        return self._seen_s > stamp + WINDOW_S

    def _watch_progress(self, engine_s: int, sent_ns: int, received_ns: int) -> None:
        if engine_s > self._seen_s or self._bounds is None:
            self._advanced_ns = received_ns
            if self._stalled:
                # How long it stood is not known: what was read before says nothing any more.
                self._stalled = False
                self._bounds = None
                self._distrust = CONSISTENT_COUNT + 1
        elif engine_s == self._seen_s and sent_ns - self._advanced_ns >= STALL_NS:
            self._stalled = True

    def _narrow(self, bounds: _Bounds) -> bool:
        """Intersect with new bounds; False, and nothing changed, when they contradict."""
        if self._bounds is None:
            self._bounds = bounds
            return True
        known = self._bounds.at(max(bounds.at_ns, self._bounds.at_ns))
        least, most = max(known.least, bounds.least), min(known.most, bounds.most)
        if least > most:
            return False
        self._bounds = _Bounds(least, most, known.at_ns)
        return True

    def _begin_anew(self, bounds: _Bounds, engine_s: int) -> None:
        """Trust the newest reading alone; after what may be a jump of 2 s, not even that yet."""
        known = bounds if self._bounds is None else self._bounds.at(bounds.at_ns)
        furthest = max(bounds.most - known.least, known.most - bounds.least)
        if furthest > JUMP_NS or self._distrust:
            self._distrust = CONSISTENT_COUNT
        if engine_s != self._seen_s:
            self._advanced_ns = bounds.at_ns
        self._bounds = bounds
        self._seen_s = engine_s
