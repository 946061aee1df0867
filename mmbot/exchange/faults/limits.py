"""Rate limits and bans as faults: token buckets in engine time."""

from collections.abc import Sequence

from mmbot.exchange.faults.schedule import Faults

_NS = 1_000_000_000
MINUTE_S = 60


class Bucket:
    """So many tokens in so many seconds; a full bucket holds those of one period."""

    def __init__(self, count: int, period_s: int, now_ns: int) -> None:
        self.count = count
        self._period_s = period_s
        self._tokens = float(count)
        self._at_ns = now_ns

    def wait_s(self, wanted: int, now_ns: int) -> float:
        """Return how long it takes until there are as many tokens; 0 when they are there."""
        rate = self.count / self._period_s
        gained = (now_ns - self._at_ns) / _NS * rate
        self._tokens = min(float(self.count), self._tokens + gained)
        self._at_ns = now_ns
        missing = wanted - self._tokens
        if missing <= 0:
            return 0.0
        return missing / rate if rate else float(MINUTE_S)

    def take(self, wanted: int) -> None:
        """Take tokens."""
        self._tokens -= wanted


class RateLimit:
    """Judges requests by rl.limit and rl.ban; one account of them for everybody."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._buckets: dict[str, Bucket] = {}

    def action(self, legs: Sequence[int], now_ns: int) -> int | None:
        """Return the Retry-After of an action with so many places and cancels; None: go on."""
        values = self._faults.holds("rl.limit")
        if values is None:
            return self._ban()
        places, cancels = legs
        if values["count_by"] == "action":
            places, cancels = min(places, 1), min(cancels, 1) if not places else 0
        wanted = {"places_s": places, "cancels_s": cancels}
        return self._judge(
            {name: (values[name], 1, count) for name, count in wanted.items()}, now_ns
        )

    def rest(self, now_ns: int) -> int | None:
        """Return the Retry-After of a GET; None: go on."""
        values = self._faults.holds("rl.limit")
        if values is None:
            return self._ban()
        return self._judge({"rest_min": (values["rest_min"], MINUTE_S, 1)}, now_ns)

    def _ban(self) -> int | None:
        return None if self._faults.holds("rl.ban") is None else MINUTE_S

    def _judge(self, wanted: dict[str, tuple[int, int, int]], now_ns: int) -> int | None:
        banned_s = self._ban()
        if banned_s is not None:
            return banned_s
        waits = [
            self._bucket(name, count, period_s, now_ns).wait_s(tokens, now_ns)
            for name, (count, period_s, tokens) in wanted.items()
            if tokens
        ]
        longest_s = max(waits, default=0.0)
        if longest_s:
            return max(1, -int(-longest_s // 1))
        for name, (_, _, tokens) in wanted.items():
            if tokens:
                self._buckets[name].take(tokens)
        return None

    def _bucket(self, name: str, count: int, period_s: int, now_ns: int) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None or bucket.count != count:
            bucket = self._buckets[name] = Bucket(count, period_s, now_ns)
        return bucket
