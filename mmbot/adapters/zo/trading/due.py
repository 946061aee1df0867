"""When the account's figures are due again: regularly, and at once when they have been late.

Who limits risk by them trusts them again only after several good ones in a row, which should not
take as many of the regular pauses.
"""

from mmbot.adapters.web.clock import NS_PER_MS

# After figures that came so much later than regular ones, so many follow quickly.
_LATE = 1.5
_FOLLOWING = 3


class Due:
    """`regular_ms` and `soon_ms`: pauses between looks at the account."""

    def __init__(self, regular_ms: int, soon_ms: int) -> None:
        self._regular_ns = regular_ms * NS_PER_MS
        self._soon_ns = soon_ms * NS_PER_MS
        self._viewed_ns: int | None = None
        self._told_ns: int | None = None
        self._following = 0

    def viewed(self, now_ns: int, *, told: bool) -> None:
        """The account was looked at, and its figures were told or wait to be explained."""
        self._viewed_ns = now_ns
        if not told:
            return
        if self._told_ns is not None and now_ns - self._told_ns > _LATE * self._regular_ns:
            self._following = _FOLLOWING
        elif self._following:
            self._following -= 1
        self._told_ns = now_ns

    def now(self, now_ns: int, *, soon: bool) -> bool:
        """Whether to look again; `soon`: somebody waits for it."""
        if self._viewed_ns is None:
            return True
        pause_ns = self._soon_ns if soon or self._following else self._regular_ns
        return now_ns - self._viewed_ns >= pause_ns
