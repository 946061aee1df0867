"""PnlSteps: tells that the profit of a run has passed another multiple of a step, up or down."""

from collections.abc import Iterator

from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView

PNL_STEP = "pnl_step"
MICRO = 1_000_000


class PnlSteps:
    """Looks at one status after another; a run begins at 0."""

    def __init__(self) -> None:
        self._passed_uusd = 0

    def look(self, view: StatusView, step_uusd: int) -> Iterator[Notice]:
        """Yield what is to be told; back and forth around one multiple is told once."""
        pnl_uusd = sum(each.pnl_uusd for each in view.markets)
        moved_uusd = pnl_uusd - self._passed_uusd
        steps = abs(moved_uusd) // step_uusd
        if steps:
            self._passed_uusd += steps * step_uusd * (1 if moved_uusd > 0 else -1)
            text = f"PnL of this run {pnl_uusd / MICRO:+,.2f} USD"
            yield Notice(view.ts_ns, Severity.INFO, PNL_STEP, None, text)
