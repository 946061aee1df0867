"""Alerts: notices that want a person, folded into one line each until they are over or seen to.

A warning is over when its ending is told, or when it has not come again for a while. A critical one
stays until somebody acknowledges it, or its ending is told.
"""

from hashlib import blake2s

from msgspec import Struct
from msgspec.structs import replace

from mmbot.domain.events import Command
from mmbot.domain.notices import Notice, Severity

FORGOTTEN_NS = 300_000_000_000
MOST = 100
_OVER = "_over"
# What an operator has done is no news to operators.
_DONE_BY_US = frozenset(Command)


class Alert(Struct, frozen=True):
    """Something open. `id` is short, to be typed; `count`: how often it was told.

    `acked_by` is who has seen to it, None while nobody has.
    """

    id: str
    severity: Severity
    code: str
    market: str | None
    text: str
    first_ns: int
    last_ns: int
    count: int = 1
    acked_by: str | None = None


class Alerts:
    """What is open now. Pure: time comes with the notices and the questions."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str | None], Alert] = {}

    def take(self, notice: Notice, market: str | None) -> Alert | None:
        """Take in a notice; returns the alert it opened, counted on or ended, None for no alert."""
        code = notice.code
        if code.endswith(_OVER):
            return self._open.pop((code.removesuffix(_OVER), market), None)
        if notice.severity < Severity.WARNING or code in _DONE_BY_US:
            return None
        key = (code, market)
        held = self._open.get(key)
        if held is None or notice.ts_ns - held.last_ns > FORGOTTEN_NS:
            alert = Alert(
                _name(key, notice.ts_ns),
                notice.severity,
                code,
                market,
                notice.text,
                notice.ts_ns,
                notice.ts_ns,
            )
        else:
            alert = replace(held, text=notice.text, last_ns=notice.ts_ns, count=held.count + 1)
        self._open[key] = alert
        if len(self._open) > MOST:
            del self._open[min(self._open, key=self._rank)]
        return alert

    def open(self, now_ns: int) -> tuple[Alert, ...]:
        """Return what is open, the worst and newest first."""
        for key, alert in list(self._open.items()):
            if alert.severity < Severity.CRITICAL and now_ns - alert.last_ns > FORGOTTEN_NS:
                del self._open[key]
        return tuple(sorted(self._open.values(), key=_importance))

    def acknowledge(self, name: str | None, who: str) -> int:
        """Mark one alert, or all of them (None), as seen to; returns how many were not before."""
        count = 0
        for key, alert in list(self._open.items()):
            if name in (None, alert.id) and alert.acked_by is None:
                self._open[key] = replace(alert, acked_by=who)
                count += 1
        return count

    def _rank(self, key: tuple[str, str | None]) -> tuple[int, int]:
        alert = self._open[key]
        return alert.severity, alert.last_ns


def _importance(alert: Alert) -> tuple[bool, int, int]:
    return alert.acked_by is not None, -alert.severity, -alert.last_ns


def _name(key: tuple[str, str | None], ts_ns: int) -> str:
    return blake2s(f"{key}{ts_ns}".encode(), digest_size=2).hexdigest()
