"""When a bot counts as dead or wedged, by what it says about itself. Pure; times are seconds.

A lost connection without a goodbye is death at once, silence is death after a while, and a halted
bot must not have orders for longer than that. One whose key the venue refuses cannot cancel.
"""

import json
from typing import Any, NamedTuple

GOODBYE = "goodbye"
HALTED = "halted"
KEYLESS = "keyless"
MOST_LANDING_S = 60


class Beat(NamedTuple):
    """One line of a bot: see runtime.heartbeat."""

    mode: str
    orders: int
    pid: int
    epoch: int
    landing_s: int


class Alarm(NamedTuple):
    """Cancel: orders of runs up to `epoch` (None: of all); `number` tells alarms apart."""

    number: int
    reason: str
    epoch: int | None
    landing_s: int


def read_beat(line: bytes) -> Beat | None:
    """Read one line, None when it is not a beat."""
    try:
        found: Any = json.loads(line)
        beat = Beat(*(found[name] for name in Beat._fields))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    whole = all(type(each) is int and each >= 0 for each in beat[1:])
    return beat if whole and isinstance(beat.mode, str) else None


class Watch:
    """What is known of the bot; `alarm` says whether its orders must go."""

    def __init__(self, silent_s: float, landing_s: int, now: float) -> None:
        """Begin without knowing of a bot: it has `silent_s` to appear."""
        self._silent_s = silent_s
        self._landing_s = landing_s
        self._beat: Beat | None = None
        self._heard = now
        self._lost = False
        self._halted: float | None = None
        self._number = 0
        self._ringing: str | None = None

    @property
    def last(self) -> Beat | None:
        """What the bot has said last."""
        return self._beat

    def hear(self, beat: Beat, now: float) -> None:
        """Take a word of the bot."""
        self._beat = beat
        self._heard = now
        self._lost = False
        if beat.mode not in (HALTED, KEYLESS) or not beat.orders:
            self._halted = None
        elif self._halted is None:
            # A halted bot takes its orders off itself; the other one cannot, and gets no time.
            self._halted = now if beat.mode == HALTED else float("-inf")

    def lose(self) -> None:
        """The connection is gone."""
        self._lost = True

    def answered(self, now: float) -> None:
        """An alarm of a bot that should have no orders was answered: it has its time again."""
        if self._halted is not None:
            self._halted = now

    def alarm(self, now: float) -> Alarm | None:
        """Return why orders must go, None while all is well; the same alarm while it lasts."""
        reason = self._reason(now)
        if reason is not None and self._ringing is None:
            self._number += 1
            self._ringing = reason
        elif reason is None:
            self._ringing = None
        if self._ringing is None:
            return None
        epoch = None if self._beat is None else self._beat.epoch
        landing_s = self._landing_s if self._beat is None else self._beat.landing_s
        return Alarm(self._number, self._ringing, epoch, min(landing_s, MOST_LANDING_S))

    def _reason(self, now: float) -> str | None:
        beat = self._beat
        if beat is None:
            silent = now - self._heard > self._silent_s
            return "no bot has appeared" if silent else None
        if beat.mode == GOODBYE:
            return f"the bot has left {beat.orders} orders" if beat.orders else None
        if self._lost:
            return "the bot is gone without a goodbye"
        if now - self._heard > self._silent_s:
            return f"the bot is silent for {self._silent_s:g} s"
        if self._halted is not None and now - self._halted > self._silent_s:
            why = "is halted" if beat.mode == HALTED else "has no session any more"
            return f"the bot {why}, and {beat.orders} orders rest"
        return None
