"""What the loop itself sees that forbids quoting: it stood still, books are new, a disk is behind.

Everything here is told as a Hindrance and ends by itself.
"""

from collections import deque
from collections.abc import Callable, Sequence

from mmbot.domain.events import BookGap, BookUpdate, Event, Hindrance
from mmbot.domain.figures import LAG_NS, Histogram
from mmbot.ports import Emit

NS_PER_MS = 1_000_000
TICK_S = 0.05
CALM_NS = 500 * NS_PER_MS
LOOP_LAG = "loop_lag"
WARMING = "warming"
JOURNAL = "journal"
_TICK_NS = round(TICK_S * 1e9)
_LAGS = 600


class Hindering:
    """One cause at one place; told when it changes, not every time it is looked at."""

    __slots__ = ("_emit", "_market", "_name", "reason")

    def __init__(self, name: str, market: int | None, emit: Emit) -> None:
        self.reason: str | None = None
        self._name = name
        self._market = market
        self._emit = emit

    def set(self, reason: str | None, now_ns: int) -> None:
        """Say that it holds for this reason, or (None) that it is over."""
        if (reason is None) != (self.reason is None):
            self._emit(Hindrance(now_ns, now_ns, self._name, self._market, reason))
        self.reason = reason


class Pulse:
    """Whether the loop turns (reliability C04, N13, M03): `beat` often, `look` before any event.

    After a standstill nothing is believed: quotes go off, `revalidate` has every book read anew,
    and quoting goes on when the loop has turned in time for half a second.
    """

    def __init__(
        self, emit: Emit, revalidate: Callable[[str, int], None], stall_ms: int, now_ns: int
    ) -> None:
        self._hindering = Hindering(LOOP_LAG, None, emit)
        self._revalidate = revalidate
        self._stall_ns = stall_ms * NS_PER_MS
        self._seen_ns = self._beat_ns = now_ns
        self._late_ns = 0
        self.lags = Histogram(LAG_NS)
        self._lags: deque[int] = deque(maxlen=_LAGS)

    def begin(self, now_ns: int) -> None:
        """Time before now does not count."""
        self._seen_ns = self._beat_ns = now_ns

    def look(self, now_ns: int) -> bool:
        """Something is to be done now; True when for too long nothing was, and this was told."""
        gap_ns = now_ns - self._seen_ns
        self._seen_ns = now_ns
        if gap_ns <= self._stall_ns:
            return False
        self.stalled(f"nothing was done for {gap_ns / 1e9:.1f} s", now_ns)
        return True

    def stalled(self, reason: str, now_ns: int) -> None:
        """What is known may be old."""
        self._late_ns = now_ns
        self._hindering.set(reason, now_ns)
        self._revalidate(reason, now_ns)

    def beat(self, now_ns: int) -> None:
        """Note that the loop turns; to be called every TICK_S."""
        lag_ns = max(0, now_ns - self._beat_ns - _TICK_NS)
        self._beat_ns = now_ns
        self._lags.append(lag_ns)
        self.lags.add(lag_ns)
        self.look(now_ns)
        if lag_ns > CALM_NS:
            self._late_ns = now_ns
        if now_ns - self._late_ns >= CALM_NS:
            self._hindering.set(None, now_ns)

    def lag_p99_ms(self) -> float | None:
        """How late the loop was, 99 times of 100 less; None before it has been looked at."""
        if not self._lags:
            return None
        lags = sorted(self._lags)
        return lags[len(lags) * 99 // 100] / NS_PER_MS


class Warmth:
    """Keeps markets from being quoted until their book has held for a while without a break."""

    def __init__(self, symbols: Sequence[str], emit: Emit, warmup_ms: int) -> None:
        self._symbols = tuple(symbols)
        self._hindering = [Hindering(WARMING, index, emit) for index in range(len(symbols))]
        self._warmup_ns = warmup_ms * NS_PER_MS
        self._since_ns: list[int | None] = [None] * len(symbols)
        self._cold = set(range(len(symbols)))

    def begin(self, now_ns: int) -> None:
        """All markets are cold."""
        for hindering in self._hindering:
            hindering.set("warming up", now_ns)

    def take(self, event: Event) -> None:
        """See what becomes of the books."""
        if self._cold:
            if type(event) is BookUpdate and self._since_ns[event.market] is None:
                self._since_ns[event.market] = event.ts_recv_ns
            elif type(event) is BookGap:
                self._since_ns[event.market] = None

    def beat(self, now_ns: int) -> None:
        """Let time pass."""
        for index in sorted(self._cold):
            since_ns = self._since_ns[index]
            if since_ns is not None and now_ns - since_ns >= self._warmup_ns:
                self._cold.discard(index)
                self._hindering[index].set(None, now_ns)
