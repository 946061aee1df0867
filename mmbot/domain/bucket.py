"""A bucket of tokens that come back evenly: spending is spread over time, but for a first burst."""


class Bucket:
    """One token comes back every `period_ns`, up to `burst`; times in ns, never decreasing.

    What must go goes, tokens or not: the debt is paid back before anybody else is served.
    """

    __slots__ = ("_burst", "_full_ns", "_period_ns")

    def __init__(self, period_ns: int, burst: int) -> None:
        self._period_ns = period_ns
        self._burst = burst
        # When it is full if nothing is spent until then.
        self._full_ns = 0

    def free(self, now_ns: int) -> int:
        """Tokens there are; below zero the debt."""
        missing = -(-max(0, self._full_ns - now_ns) // self._period_ns)
        return self._burst - missing

    def spend(self, now_ns: int, count: int) -> None:
        """Take tokens, or borrow them."""
        self._full_ns = max(self._full_ns, now_ns) + count * self._period_ns

    def wait_ns(self, now_ns: int, count: int) -> int:
        """How long until there are so many, if nobody takes any."""
        return max(0, self._full_ns - now_ns - (self._burst - count) * self._period_ns)
