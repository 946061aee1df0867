"""Breaker: may we trade at all? The only state machine that may stop trading.

RUNNING -> REDUCE_ONLY: an operator, or a drawdown; positions may only become smaller.
RUNNING -> EMERGENCY: account figures failed; clears itself after GOOD_SNAPSHOTS good ones in a row.
any -> HALTED: a loss limit, an operator or another cause; only CLEAR_HALT ends it, and starts new
baselines. An operator's pause lies on top of all of these and ends by RESUME.
"""

from enum import StrEnum

from msgspec import Struct

from mmbot.domain.events import AccountSnapshot, Command, Operator
from mmbot.risk.losses import Baselines, Losses, LossParams

GOOD_SNAPSHOTS = 3
DAY_NS = 86_400_000_000_000


class BreakerState(StrEnum):
    """What the account as a whole may do."""

    RUNNING = "running"
    REDUCE_ONLY = "reduce-only"
    EMERGENCY = "emergency"
    HALTED = "halted"


class BreakerMemory(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What must outlive the process. Money is micro-USD; `day` counts from 1970, UTC.

    halted: the reason of the latch; paused, reducing: the operator's reasons for everything;
    paused_markets, reducing_markets: by market index. transfers_uusd: in less out, of the day.
    """

    halted: str | None = None
    paused: str | None = None
    day: int | None = None
    day_start_uusd: int | None = None
    peak_uusd: int | None = None
    last_uusd: int | None = None
    transfers_uusd: int = 0
    reducing: str | None = None
    paused_markets: dict[int, str] = {}
    reducing_markets: dict[int, str] = {}


class Breaker:
    """Loss limits, emergencies and operators, as two answers: stop_reason and reduce_reason."""

    __slots__ = ("_emergency", "_good", "_halted", "_paused", "_reducing", "losses")

    def __init__(self, params: LossParams, memory: BreakerMemory | None = None) -> None:
        if memory is None:
            memory = BreakerMemory()
        self.losses = Losses(
            params,
            Baselines(
                memory.day,
                memory.day_start_uusd,
                memory.peak_uusd,
                memory.last_uusd,
                memory.transfers_uusd,
            ),
        )
        self._halted = memory.halted
        # By market; None is all of them.
        self._paused: dict[int | None, str] = dict(memory.paused_markets.items())
        self._reducing: dict[int | None, str] = dict(memory.reducing_markets.items())
        if memory.paused is not None:
            self._paused[None] = memory.paused
        if memory.reducing is not None:
            self._reducing[None] = memory.reducing
        self._emergency: str | None = None
        self._good = 0

    @property
    def state(self) -> BreakerState:
        """HALTED, EMERGENCY, REDUCE_ONLY for all markets, or RUNNING; pauses are not part of it."""
        if self._halted is not None:
            return BreakerState.HALTED
        if self._emergency is not None:
            return BreakerState.EMERGENCY
        if None in self._reducing or self.losses.warning is not None:
            return BreakerState.REDUCE_ONLY
        return BreakerState.RUNNING

    @property
    def memory(self) -> BreakerMemory:
        """What to keep for the next start."""
        base = self.losses.baselines
        return BreakerMemory(
            halted=self._halted,
            paused=self._paused.get(None),
            day=base.day,
            day_start_uusd=base.day_start_uusd,
            peak_uusd=base.peak_uusd,
            last_uusd=base.last_uusd,
            transfers_uusd=base.transfers_uusd,
            reducing=self._reducing.get(None),
            paused_markets={m: text for m, text in self._paused.items() if m is not None},
            reducing_markets={m: text for m, text in self._reducing.items() if m is not None},
        )

    def account_reason(self) -> str | None:
        """Why nothing at all may be quoted, or None."""
        if self._halted is not None:
            return self._halted
        return self._paused.get(None) if self._emergency is None else self._emergency

    def stop_reason(self, market: int) -> str | None:
        """Why this market must have no orders, or None."""
        reason = self.account_reason()
        if reason is None and self._paused:
            return self._paused.get(market)
        return reason

    def reduce_reason(self, market: int) -> str | None:
        """Why this market's position may only become smaller, or None."""
        if not self._reducing:
            return self.losses.warning
        return self._reducing.get(None) or self._reducing.get(market) or self.losses.warning

    def fail(self, reason: str) -> None:
        """Stop until the account's figures are good again."""
        self._emergency = reason
        self._good = 0

    def halt(self, reason: str) -> None:
        """Stop until an operator clears it; the first reason stays."""
        if self._halted is None:
            self._halted = reason

    def pause(self, reason: str, market: int | None) -> None:
        """Stop until an operator resumes."""
        self._paused[market] = reason

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
            reason = self.losses.observe(equity, snapshot.ts_recv_ns // DAY_NS)
            if reason is not None:
                self.halt(reason)

    def command(self, event: Operator) -> None:
        """Obey an operator. A halt is always of everything, whatever market it names."""
        command, market = event.command, event.market
        if command is Command.HALT:
            self.halt(f"operator: {event.reason}")
        elif command is Command.CLEAR_HALT:
            if self._halted is not None:
                self._halted = None
                self.losses.forget()
        elif command is Command.REBASE:
            self.losses.forget()
        elif command is Command.PAUSE:
            self.pause(f"paused: {event.reason}", market)
        elif command is Command.FLATTEN:
            self.pause(f"flattened: {event.reason}", market)
        elif command is Command.REDUCE:
            self._reducing[market] = f"reduce only: {event.reason}"
        elif command is Command.RESUME:
            self._resume(market)
        # STOP ends the run, and the next one begins without it.

    def _resume(self, market: int | None) -> None:
        for reasons in (self._paused, self._reducing):
            if market is None:
                reasons.clear()
            else:
                reasons.pop(market, None)
