"""Breaker: may we trade at all? The only state machine that may stop trading.

RUNNING -> EMERGENCY: account figures failed; clears itself after GOOD_SNAPSHOTS good ones in a row.
any -> HALTED: a loss limit or an operator; only CLEAR_HALT ends it, and starts new baselines.
An operator's pause lies on top of either and ends by RESUME.
"""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from mmbot.domain.events import AccountSnapshot, Command, Operator
from mmbot.domain.market import MICRO
from mmbot.risk.limits import LossParams

GOOD_SNAPSHOTS = 3
DAY_NS = 86_400_000_000_000
_PPM_PER_PCT = 10_000


class BreakerState(StrEnum):
    """What the account as a whole may do."""

    RUNNING = "running"
    EMERGENCY = "emergency"
    HALTED = "halted"


class BreakerMemory(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What must outlive the process. Money is micro-USD; `day` counts from 1970, UTC.

    halted: the reason of the latch; paused: the reason of a pause of everything.
    """

    halted: str | None = None
    paused: str | None = None
    day: int | None = None
    day_start_uusd: int | None = None
    peak_uusd: int | None = None
    last_uusd: int | None = None


class Breaker:
    """Loss limits, emergencies and operators, as one answer: stop_reason."""

    __slots__ = (
        "_daily_uusd",
        "_day",
        "_day_start_uusd",
        "_drawdown_ppm",
        "_emergency",
        "_good",
        "_halted",
        "_last_uusd",
        "_paused",
        "_paused_markets",
        "_peak_uusd",
    )

    def __init__(self, params: LossParams, memory: BreakerMemory | None = None) -> None:
        if memory is None:
            memory = BreakerMemory()
        self._daily_uusd = int(params.daily_limit_usd * MICRO)
        self._drawdown_ppm = int(params.drawdown_from_peak_pct * _PPM_PER_PCT)
        self._halted = memory.halted
        self._paused = memory.paused
        self._day = memory.day
        self._day_start_uusd = memory.day_start_uusd
        self._peak_uusd = memory.peak_uusd
        self._last_uusd = memory.last_uusd
        self._emergency: str | None = None
        self._good = 0
        self._paused_markets: dict[int, str] = {}

    @property
    def state(self) -> BreakerState:
        """RUNNING, EMERGENCY or HALTED; pauses are not part of it."""
        if self._halted is not None:
            return BreakerState.HALTED
        return BreakerState.RUNNING if self._emergency is None else BreakerState.EMERGENCY

    @property
    def memory(self) -> BreakerMemory:
        """What to keep for the next start."""
        return BreakerMemory(
            self._halted,
            self._paused,
            self._day,
            self._day_start_uusd,
            self._peak_uusd,
            self._last_uusd,
        )

    def stop_reason(self, market: int) -> str | None:
        """Why this market must have no orders, or None."""
        if self._halted is not None:
            return self._halted
        if self._emergency is not None:
            return self._emergency
        if self._paused is not None:
            return self._paused
        return self._paused_markets.get(market) if self._paused_markets else None

    def fail(self, reason: str) -> None:
        """Stop until the account's figures are good again."""
        self._emergency = reason
        self._good = 0

    def observe(self, snapshot: AccountSnapshot, verdict: str | None) -> None:
        """Judge a snapshot: its verdict by the risk limits, then its loss by ours."""
        if verdict is not None:
            self.fail(verdict)
        elif self._emergency is not None:
            self._good += 1
            if self._good >= GOOD_SNAPSHOTS:
                self._emergency = None
        equity = snapshot.mf_uusd
        if isinstance(equity, int):
            self._measure(equity, snapshot.ts_recv_ns // DAY_NS)

    def _measure(self, equity: int, day: int) -> None:
        if day != self._day:
            self._day = day
            # The last figure of the day before is the nearest to 00:00 UTC.
            self._day_start_uusd = equity if self._last_uusd is None else self._last_uusd
        start, peak = self._day_start_uusd, self._peak_uusd
        self._last_uusd = equity
        if start is None:
            start = self._day_start_uusd = equity
        if peak is None or equity > peak:
            peak = self._peak_uusd = equity
        if self._halted is not None:
            return
        if start - equity >= self._daily_uusd:
            self._halted = (
                f"daily loss {_usd(start - equity)} reached the limit {_usd(self._daily_uusd)}"
            )
        elif peak > 0 and (peak - equity) * MICRO >= peak * self._drawdown_ppm:
            self._halted = f"drawdown {_usd(peak - equity)} from the peak {_usd(peak)}"

    def command(self, event: Operator) -> None:
        """Obey an operator. A halt is always of everything, whatever market it names."""
        if event.command is Command.HALT:
            if self._halted is None:
                self._halted = f"operator: {event.reason}"
        elif event.command is Command.CLEAR_HALT:
            if self._halted is not None:
                self._halted = None
                self._day_start_uusd = self._peak_uusd = self._last_uusd = None
        elif event.command is Command.PAUSE:
            reason = f"paused: {event.reason}"
            if event.market is None:
                self._paused = reason
            else:
                self._paused_markets[event.market] = reason
        elif event.market is None:
            self._paused = None
            self._paused_markets.clear()
        else:
            self._paused_markets.pop(event.market, None)


def _usd(uusd: int) -> str:
    return f"{Decimal(uusd) / MICRO:.2f} USD"
