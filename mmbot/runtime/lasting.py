"""Lasting: a trouble that is told when it begins, while it lasts, and when it is over."""

from collections.abc import Iterator

from mmbot.domain.notices import Notice, Severity

# Told again while it lasts, so that it stays open.
AGAIN_NS = 240_000_000_000


class Lasting:
    """One trouble by its code; time comes with the looks."""

    def __init__(self, severity: Severity, code: str) -> None:
        self._severity = severity
        self._code = code
        self._told_ns: int | None = None

    def look(self, now_ns: int, trouble: str | None) -> Iterator[Notice]:
        """Yield what is to be told, given what is wrong now, None for nothing."""
        told_ns = self._told_ns
        if trouble is not None:
            if told_ns is None or now_ns - told_ns >= AGAIN_NS:
                self._told_ns = now_ns
                yield Notice(now_ns, self._severity, self._code, None, trouble)
        elif told_ns is not None:
            self._told_ns = None
            yield Notice(now_ns, Severity.INFO, f"{self._code}_over", None, "is over")
