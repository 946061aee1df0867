"""Jumps of the engine's clock, and whether a bot can know of one: by what `/timestamp` told it.

A bot that was told nothing for 3 s may place no more (reliability V03); until then it goes by what
it read last, and a jump since then shows in what it stamps.
"""

from collections import defaultdict, deque
from collections.abc import Iterable

from tests.simulation.exchange import Venue
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import End
from tests.simulation.process import Process

# The clock is read every second; the answer has a way to go.
UNHEARD_S = 1.2
# So old a reading may be when something is signed by it.
UNREAD_S = 3.0
# So long an answer may be on its way, or what was signed before it wait for a connection.
WAY_S = 0.2
_LAST = 8
_ASKED, _ANSWERED = b"GET /timestamp ", b"HTTP/1.1 200 "


def unheard(now_s: float, jumped_s: float, answered_s: Iterable[float]) -> bool:
    """Whether nobody can know yet who was told the time at these moments."""
    if now_s - jumped_s < UNHEARD_S:
        return True
    signed_s = now_s - WAY_S
    read_s = max((each for each in answered_s if each <= signed_s), default=None)
    return read_s is not None and read_s < jumped_s and signed_s - read_s <= UNREAD_S


class Jumps:
    """When the engine's clock last jumped, and when it last told each program the time."""

    def __init__(self, loop: VirtualLoop, venue: Venue) -> None:
        self._loop = loop
        self._venue = venue
        self._ahead_ns = 0
        self._at_s = -UNHEARD_S
        # Who has asked, by the address of the connection.
        self._asked: dict[object, Process] = {}
        self._answered_s: defaultdict[Process, deque[float]] = defaultdict(
            lambda: deque(maxlen=_LAST)
        )
        loop.network.taps.append(self._written)

    def look(self) -> None:
        """Notice a jump; to be called often."""
        ahead_ns = self._venue.operation.ahead_ns
        if ahead_ns != self._ahead_ns:
            self._ahead_ns = ahead_ns
            self._at_s = self._loop.now_s

    def unheard(self, process: Process) -> bool:
        """Whether a program cannot know of a jump yet."""
        self.look()
        return unheard(self._loop.now_s, self._at_s, self._answered_s[process])

    def _written(self, process: Process | None, end: End, data: bytes) -> None:
        if process is not None and data.startswith(_ASKED):
            self._asked[end.get_extra_info("sockname")] = process
            return
        asker = self._asked.pop(end.get_extra_info("peername"), None) if self._asked else None
        if asker is not None and data.startswith(_ANSWERED):
            self._answered_s[asker].append(self._loop.now_s)
