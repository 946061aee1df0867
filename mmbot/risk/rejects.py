"""Rejects: how long to hold back after the venue refused orders of a market.

Every refusal means that the next identical order would be refused too, so each kind waits for
what could change that: a newer book, or time. Times are nanoseconds.
"""

from collections import deque
from enum import IntEnum
from typing import Final

from mmbot.domain.order import POST_ONLY, Side

SECOND_NS: Final = 1_000_000_000
TOO_MANY: Final = "TOO_MANY_OPEN_ORDERS"
REDUCE_IS_POST_ONLY: Final = "ORDER_REDUCE_IS_POST_ONLY"
# The account or the position does not carry the order; protocol 5.9, group 7, and 249.
RISK_NAMES: Final = frozenset(
    {
        "RISK",
        "FUNDING_OVERFLOW",
        "DUST_ACCOUNT",
        "POSITION_SIZE_LIMIT",
        "ORDER_SIZE_EXCEEDS_POSITION_SIZE",
    }
)
RISK_PREFIXES: Final = ("RISK_", "BALANCE", "BANKRUPTCY_")
# 124, 200 to 208 and 249: our picture of the position is old.
POSITION_NAMES: Final = frozenset(
    {
        "CAN_REDUCE_POSITION_ONLY_IF_ALL_ORDERS_ARE_CANCELED",
        "ORDER_SIZE_EXCEEDS_POSITION_SIZE",
        "POSITION",
    }
)
POST_ONLY_BURST = 5
POST_ONLY_WINDOW_NS = 2 * SECOND_NS
STORM = 8
STORM_WINDOW_NS = 10 * SECOND_NS
STORM_PAUSE_NS = 5 * SECOND_NS
FEWER_LEVELS_NS = 60 * SECOND_NS
LEAST_BACKOFF_NS = SECOND_NS
MOST_BACKOFF_NS = 60 * SECOND_NS


class Permission(IntEnum):
    """What may be sent to a market that has been refused something."""

    ALL = 0
    CANCELS = 1
    NOTHING_YET = 2


def is_risk(name: str) -> bool:
    """Was it refused because the account does not carry it?"""
    return name in RISK_NAMES or name.startswith(RISK_PREFIXES)


def is_position(name: str) -> bool:
    """Was it refused because our picture of the position is old?"""
    return name in POSITION_NAMES or name.startswith("POSITION_")


class RejectWatch:
    """What refusals of one market's orders forbid. `quiet` while nothing is forbidden."""

    __slots__ = (
        "_backoff_ns",
        "_disabled_ns",
        "_fewer_ns",
        "_levels",
        "_paused_ns",
        "_post_only",
        "_recent",
        "quiet",
    )

    def __init__(self) -> None:
        self.quiet = True
        self._post_only: deque[int] = deque(maxlen=POST_ONLY_BURST)
        self._recent: deque[int] = deque(maxlen=STORM + 1)
        self._paused_ns = 0
        self._fewer_ns = 0
        self._levels = 0
        self._backoff_ns = {Side.BID: 0, Side.ASK: 0}
        self._disabled_ns = {Side.BID: 0, Side.ASK: 0}

    def take(self, side: Side, name: str, levels: int, now_ns: int) -> None:
        """Count a definite refusal; `levels`: how many orders a side the market has now."""
        self.quiet = False
        self._recent.append(now_ns)
        if len(self._recent) > STORM and now_ns - self._recent[0] <= STORM_WINDOW_NS:
            self._paused_ns = now_ns + STORM_PAUSE_NS
            self._recent.clear()
        if name == POST_ONLY:
            self._post_only.append(now_ns)
        elif name == TOO_MANY:
            self._levels = max(1, levels - 1)
            self._fewer_ns = now_ns + FEWER_LEVELS_NS
        elif is_risk(name):
            # A refusal long after the last one is a new matter.
            calm = now_ns >= self._disabled_ns[side] + MOST_BACKOFF_NS
            backoff_ns = 0 if calm else 2 * self._backoff_ns[side]
            backoff_ns = min(max(backoff_ns, LEAST_BACKOFF_NS), MOST_BACKOFF_NS)
            self._backoff_ns[side] = backoff_ns
            self._disabled_ns[side] = now_ns + backoff_ns

    def paused(self, now_ns: int) -> bool:
        """Were so many refused that the market must rest?"""
        return now_ns < self._paused_ns

    def disabled(self, side: Side, now_ns: int) -> bool:
        """May this side not add to the position?"""
        return now_ns < self._disabled_ns[side]

    def most_levels(self, now_ns: int) -> int | None:
        """Most orders a side while the venue found too many, or None."""
        return self._levels if now_ns < self._fewer_ns else None

    def permission(self, book_ns: int | None, now_ns: int) -> Permission:
        """What may be sent on a book of that time."""
        rejected = self._post_only
        if not rejected:
            return Permission.ALL
        if len(rejected) == POST_ONLY_BURST:
            last_ns = rejected[-1]
            if last_ns - rejected[0] <= POST_ONLY_WINDOW_NS and (
                now_ns < last_ns + POST_ONLY_WINDOW_NS
            ):
                return Permission.CANCELS
        if book_ns is None or book_ns <= rejected[-1]:
            return Permission.NOTHING_YET
        return Permission.ALL

    def settle(self, now_ns: int) -> None:
        """Become quiet again when nothing is forbidden any more, nor soon could be."""
        latest = max(
            self._paused_ns,
            self._fewer_ns,
            *self._disabled_ns.values(),
            self._post_only[-1] + POST_ONLY_WINDOW_NS if self._post_only else 0,
        )
        self.quiet = now_ns >= latest + STORM_WINDOW_NS


class CancelWatch:
    """Orders of the account that the venue took off without being asked."""

    __slots__ = ("_recent", "waiting")

    MOST = 3
    WINDOW_NS = 60 * SECOND_NS

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=self.MOST)
        self.waiting = False

    def take(self, now_ns: int) -> bool:
        """Count one: nothing is placed before the account is judged good again.

        Tells whether it is the third in a minute, which takes an operator.
        """
        self.waiting = True
        self._recent.append(now_ns)
        third = len(self._recent) == self.MOST and now_ns - self._recent[0] <= self.WINDOW_NS
        if third:
            self._recent.clear()
        return third

    def judged_good(self) -> None:
        """The account's figures were looked at since, and found good."""
        self.waiting = False
