"""Outlook: what people should know before it keeps the bot from quoting; time is the view's.

Its session or an override ends, its streams are down, or too many of its orders fail. Besides, how
far its profit has moved.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView
from mmbot.runtime.lasting import Lasting
from mmbot.runtime.override_ends import OverrideEnds
from mmbot.runtime.pnl_steps import PnlSteps
from mmbot.runtime.silence import Silence

SESSION_ENDS, FAILURES = "session_ends", "order_failures"
LOOK_EVERY_S = 5.0
# Told again while it lasts.
SESSION_AGAIN_S = 3_600
URGENT_S = 3_600
NS_PER_S = 1_000_000_000


class OutlookParams(NamedTuple):
    """From when on to tell.

    session_s: before its end. error_ratio, window_s, least_count: share of how many, over what.
    down_s: how long a stream may be. pnl_step_uusd: how far the profit moves.
    """

    session_s: float
    error_ratio: float
    window_s: float
    least_count: int
    down_s: float
    pnl_step_uusd: int


class _Sample(NamedTuple):
    ts_ns: int
    sent: int
    refused: int


async def look_ahead(
    status: Callable[[], StatusView],
    heard_ns: Callable[[], Mapping[str, int]],
    params: Callable[[], OutlookParams],
    tell: Callable[[Sequence[Notice]], None],
) -> None:
    """Look again and again, until cancelled."""
    outlook = Outlook()
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        told = outlook.look(status(), heard_ns(), params())
        if told:
            tell(told)


class Outlook:
    """Looks at one status after another."""

    def __init__(self) -> None:
        self._session_told_ns: int | None = None
        self._session_severity = Severity.INFO
        self._samples: deque[_Sample] = deque()
        self._failing = Lasting(Severity.WARNING, FAILURES)
        self._silence = Silence()
        self._override_ends = OverrideEnds()
        self._pnl_steps = PnlSteps()

    def look(
        self, view: StatusView, heard_ns: Mapping[str, int], params: OutlookParams
    ) -> list[Notice]:
        """Return what is to be told; `heard_ns`: when streams spoke last."""
        return [
            *self._session(view, params),
            *self._silence.look(view, heard_ns, params.down_s),
            *self._failing.look(view.ts_ns, self._failures(view, params)),
            *self._override_ends.look(view),
            *self._pnl_steps.look(view, params.pnl_step_uusd),
        ]

    def _session(self, view: StatusView, params: OutlookParams) -> Iterator[Notice]:
        if view.session_ends_ns is None:
            return
        left_s = (view.session_ends_ns - view.ts_ns) // NS_PER_S
        # Whoever has lost it is told so by the venue.
        if not 0 < left_s < params.session_s:
            return
        severity = Severity.CRITICAL if left_s < URGENT_S else Severity.WARNING
        told_ns = self._session_told_ns
        due = told_ns is None or view.ts_ns - told_ns >= SESSION_AGAIN_S * NS_PER_S
        if due or severity > self._session_severity:
            self._session_told_ns, self._session_severity = view.ts_ns, severity
            hours, minutes = divmod(left_s // 60, 60)
            text = f"in {hours} h {minutes:02d} min: `mmbot session refresh`, then a restart"
            yield Notice(view.ts_ns, severity, SESSION_ENDS, None, text)

    def _failures(self, view: StatusView, params: OutlookParams) -> str | None:
        samples = self._samples
        samples.append(_Sample(view.ts_ns, view.placed, view.rejected))
        while view.ts_ns - samples[0].ts_ns > params.window_s * NS_PER_S:
            samples.popleft()
        sent = samples[-1].sent - samples[0].sent
        refused = samples[-1].refused - samples[0].refused
        if sent < params.least_count or refused <= params.error_ratio * sent:
            return None
        return f"{refused} of {sent} orders refused within {params.window_s:g} s"
