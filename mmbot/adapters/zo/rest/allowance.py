"""Every request to the venue, whoever makes it, within what it allows in a minute (I18).

Reads that can wait come at an even pace of their own, and none takes the minute's last requests
from actions; actions that can wait do so while the sum of all is ahead of its pace.
"""

from collections.abc import Sequence
from typing import Protocol

from mmbot.adapters.web.clock import NS_PER_S
from mmbot.cext.rolling import Tokens
from mmbot.domain.bucket import Bucket

PER_MIN = 600.0
# For who asks now and then, and need not share with anybody.
UNPACED_PER_MIN = 1e6
_MINUTE_NS = 60 * NS_PER_S
# Bytes leave a moment after they were counted, some later than others.
_USABLE = 0.94
# Of the minute's requests, so many no place may take, and so many no read either.
_FROM_PLACES, _FROM_READS = 0.1, 0.04
# Reads that can wait, of all; and how many of them may come at once.
_PATIENT, _READ_BURST = 0.15, 0.06
_BURST_S = 6


class Counts(Protocol):
    """Something that sends; `sent` counts its requests."""

    sent: int


class Allowance:
    """What is left of the venue's patience. `watch` everything that sends."""

    __slots__ = ("_counted", "_even", "_kept", "_minute", "_per_min", "_reads", "_senders")

    def __init__(self, per_min: float = PER_MIN) -> None:
        self._per_min = per_min
        self._minute, self._even = _unspent(per_min)
        burst = max(1, round(per_min * _READ_BURST))
        self._reads = Bucket(max(1, round(_MINUTE_NS / (per_min * _PATIENT))), burst)
        self._kept = int(per_min * _FROM_PLACES), int(per_min * _FROM_READS)
        self._counted = 0
        self._senders: list[Counts] = []

    def watch(self, sender: Counts) -> None:
        """Count what this sends, too."""
        self._senders.append(sender)
        self._counted += sender.sent

    def sent(self) -> int:
        """How much was sent in all."""
        count = 0
        for sender in self._senders:
            count += sender.sent
        return count

    def go_on(self, earlier: Sequence[tuple[int, int]], now_ns: int) -> None:
        """Count what others sent within this minute, too: (ns, requests), oldest first.

        However much that was, cancels can leave, as far as the venue allows anything.
        """
        self._count(now_ns)
        own = self._minute.capacity - self._minute.free(now_ns)
        spent = [*earlier, (now_ns, own)]
        in_all = sum([count for _, count in spent])
        self._minute, self._even = _unspent(self._per_min)
        for_cancels = max(0, min(self._kept[1], int(self._per_min) - in_all))
        uncounted = max(0, in_all + for_cancels - self._minute.capacity)
        for at_ns, count in spent:
            self._even.spend(at_ns, count)
            # What came first would be over first.
            left_out = min(count, uncounted)
            uncounted -= left_out
            self._minute.spend(at_ns, count - left_out)

    def left(self, now_ns: int) -> int:
        """How many more may leave at all."""
        self._count(now_ns)
        return self._minute.free(now_ns)

    def ahead(self, now_ns: int) -> bool:
        """Whether so much has left that whatever can wait should."""
        return self.left(now_ns) <= self._kept[0] or self._even.free(now_ns) < 1

    def read_wait_ns(self, now_ns: int, *, patient: bool) -> int:
        """How long a read has to wait now, 0 for not at all."""
        if self.left(now_ns) <= self._kept[1]:
            return NS_PER_S
        return self._reads.wait_ns(now_ns, 1) if patient else 0

    def read(self, now_ns: int) -> None:
        """A read that could have waited leaves now."""
        self._reads.spend(now_ns, 1)

    def _count(self, now_ns: int) -> None:
        in_all = self.sent()
        more = in_all - self._counted
        if more:
            self._counted = in_all
            self._even.spend(now_ns, more)
            self._minute.spend(now_ns, min(more, self._minute.free(now_ns)))


def _unspent(per_min: float) -> tuple[Tokens, Bucket]:
    usable = max(1, int(per_min * _USABLE))
    period_ns = max(1, _MINUTE_NS // usable)
    burst = max(1, round(_BURST_S * NS_PER_S / period_ns))
    return Tokens(usable, _MINUTE_NS), Bucket(period_ns, burst)
