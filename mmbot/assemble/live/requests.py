"""A minute of the venue's is longer than a run: what was sent is kept, and the next run counts it.

Without that, every run of a bot that dies again and again would have a whole minute's requests.
"""

import asyncio
from collections import deque

import msgspec

from mmbot.adapters.web.clock import NS_PER_S, Clock
from mmbot.adapters.zo.rest.allowance import Allowance
from mmbot.ledger.ledger import Ledger

REQUESTS = "requests"
EVERY_S = 1.0
_MINUTE_NS = 60 * NS_PER_S
# What a run may have sent between keeping the last time and its death.
UNKEPT_COUNT = 20
_KEPT = list[tuple[int, int]]


class Requests:
    """Goes on with what the runs before sent, and keeps it with what this one sends."""

    def __init__(self, ledger: Ledger, allowance: Allowance, clock: Clock) -> None:
        self._ledger = ledger
        self._allowance = allowance
        self._clock = clock
        self._noted = 0
        now_ns = clock()
        self._sent = deque(_earlier(ledger.kept(REQUESTS), now_ns))
        allowance.go_on(self._sent, now_ns)
        self.note()

    async def run(self) -> None:
        """Keep it until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.note()

    def note(self) -> None:
        """Keep what was sent up to now."""
        now_ns, in_all = self._clock(), self._allowance.sent()
        self._sent.append((now_ns, in_all - self._noted))
        self._noted = in_all
        while now_ns - self._sent[0][0] >= _MINUTE_NS:
            self._sent.popleft()
        self._ledger.keep_soon(REQUESTS, msgspec.json.encode(list(self._sent)))


def _earlier(kept: bytes | None, now_ns: int) -> list[tuple[int, int]]:
    """Return what was sent within the last minute, as far as that is not over."""
    if kept is None:
        return []
    # A host's clock may have been set back since.
    told = [(min(at, now_ns), sent) for at, sent in msgspec.json.decode(kept, type=_KEPT)]
    recent = [(at, sent) for at, sent in told if now_ns - at < _MINUTE_NS]
    if recent:
        recent.append((now_ns, UNKEPT_COUNT))
    return recent
