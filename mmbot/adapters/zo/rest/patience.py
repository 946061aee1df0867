"""Reads that leave the venue alone for as long as it asked to be, whoever wants to read.

After HTTP 429 nothing is sent before its Retry-After is over (reliability V08): the first read
after that finds out whether it is. And nothing is sent ahead of its time: see Allowance.
"""

from collections import Counter
from collections.abc import Callable

from mmbot.adapters.zo.rest.allowance import Allowance
from mmbot.adapters.zo.rest.gateway import retry_after_s
from mmbot.adapters.zo.rest.transport import Reply, Transport
from mmbot.domain.figures import Labels
from mmbot.errors import RateLimited, VenueError

TOO_MANY = 429
# For a venue that does not say how long.
WAIT_S = 1.0
# Asked for again and again while a fault lasts, and nothing else waits for them.
_PATIENT = ("/orderbook", "/history/liquidation")
_NS_PER_S = 1_000_000_000


class PatientReads:
    """A pool of connections for reads, shared by all who read; times in nanoseconds.

    `when_back`: whom to call when the venue answers after it could not be reached.
    """

    def __init__(self, reads: Transport, now_ns: Callable[[], int], allowance: Allowance) -> None:
        self._reads = reads
        self._now_ns = now_ns
        self._allowance = allowance
        self._until_ns: int | None = None
        self._away = False
        self.when_back: list[Callable[[], None]] = []
        # Answers by the first part of the path, and how they were.
        self.answered = Counter[Labels]()

    async def get(self, target: str) -> Reply:
        """See Transport. Raises RateLimited for a 429, and without asking while it holds."""
        endpoint = target.partition("?")[0]
        now_ns = self._now_ns()
        if self._until_ns is not None and now_ns < self._until_ns:
            raise RateLimited(
                f"{endpoint}: the venue asked for less", (self._until_ns - now_ns) / _NS_PER_S
            )
        patient = endpoint.endswith(_PATIENT)
        wait_ns = self._allowance.read_wait_ns(now_ns, patient=patient)
        if wait_ns:
            raise RateLimited(f"{endpoint}: too much was read", wait_ns / _NS_PER_S)
        if patient:
            self._allowance.read(now_ns)
        first = endpoint.split("/")[1]
        try:
            reply = await self._reads.get(target)
        except VenueError:
            self.answered[first, "unreachable"] += 1
            self._away = True
            raise
        if self._away:
            self._away = False
            for tell in self.when_back:
                tell()
        self.answered[first, _outcome(reply.status)] += 1
        if reply.status == TOO_MANY:
            wished_s = retry_after_s(reply.retry_after)
            wait_s = WAIT_S if wished_s is None else wished_s
            until_ns = self._now_ns() + round(wait_s * _NS_PER_S)
            self._until_ns = max(self._until_ns or until_ns, until_ns)
            raise RateLimited(f"{endpoint}: HTTP {TOO_MANY}", wished_s)
        return reply


def _outcome(status: int) -> str:
    if status == TOO_MANY:
        return "limited"
    # What is not there is an answer, too.
    return "ok" if status in (200, 404) else "failed"
