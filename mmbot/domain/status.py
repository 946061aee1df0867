"""StatusView: how a running bot stands, as one frozen value. Every face is a rendering of it."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from mmbot.domain.alerts import Alert
from mmbot.domain.control import Override
from mmbot.domain.order import Level
from mmbot.domain.quotes import Room


class Mode(StrEnum):
    """What the bot is doing; quotes are sent in QUOTING only. STANDBY: it waits for its lease."""

    STANDBY = "standby"
    BOOT = "boot"
    RECONCILING = "reconciling"
    WARMING = "warming"
    QUOTING = "quoting"
    PAUSED = "paused"
    DRAINING = "draining"
    HALTED = "halted"
    EXIT = "exit"


class StopTrigger(Struct, frozen=True):
    """What protects a position at the venue: a stop that rests there, if any, and what is wrong."""

    ticks: int | None = None
    trouble: str | None = None


class MarketStatus(Struct, frozen=True):
    """One market. Prices are ticks, sizes lots, money micro-USD; marks are half ticks.

    `bids` and `asks` are our orders that rest, best first. `reason`: why it is not quoted.
    `pnl_uusd` counts from the start of this run, fees and funding included, `day_pnl_uusd` from
    00:00 UTC or the start if that was later. tick, lot: what a tick and a lot are, in currency and
    base units. width_bps: best own bid to best own ask. exposure: worth of the position and its
    share of equity. stop_trigger: None where none are kept.
    """

    symbol: str
    reason: str | None
    best_bid: int
    best_ask: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    position_lots: int
    mark_half_ticks: int
    pnl_uusd: int
    room: Room
    fills: int
    volume_uusd: int
    book_age_ms: float | None
    tick: Decimal = Decimal(1)
    lot: Decimal = Decimal(1)
    width_bps: float | None = None
    skew_bps: float | None = None
    exposure_uusd: int = 0
    exposure_ratio: float | None = None
    day_pnl_uusd: int = 0
    stop_trigger: StopTrigger | None = None


class Limits(Struct, frozen=True):
    """What the account is held to, as it is in force now; ratios, and micro-USD."""

    margin_ratio: float
    exposure_ratio: float
    daily_loss_uusd: int
    drawdown_ratio: float
    free_uusd: int
    orders: int


class DayFills(Struct, frozen=True):
    """Our fills of the last 24 hours, by our side."""

    bids: int = 0
    asks: int = 0


class LeaseStatus(Struct, frozen=True):
    """The lease of a bot that has a standby: its run, how old it is, and what is wrong with it."""

    epoch: int
    age_ms: float
    trouble: str | None = None


class StatusView(Struct, frozen=True):
    """The whole bot at `ts_ns`. Counts are since the start of this run; latencies milliseconds.

    `reasons` has every hindrance, pause or halt in force. `ack_p50_ms` is from an action leaving to
    its receipt; `unknown` counts orders whose outcome is not known. Equity is the venue's.
    exposure_ratio: worth of all positions by equity. budget_ratio: share of the request allowance
    that is left. session_ends_ns: when the trading key ends. lease: None without a standby. raced:
    new orders refused because the market was faster, which are not among those `rejected`.
    """

    ts_ns: int
    instance: str
    run_mode: str
    mode: Mode
    reasons: tuple[str, ...]
    started_ns: int
    epoch: int
    equity_uusd: int | None
    free_uusd: int | None
    day_pnl_uusd: int | None
    drawdown_uusd: int | None
    margin_fraction: float | None
    markets: tuple[MarketStatus, ...]
    orders: int
    unknown: int
    placed: int
    cancelled: int
    rejected: int
    fills: int
    ack_p50_ms: float | None
    ack_p99_ms: float | None
    loop_lag_p99_ms: float | None
    reconnects: int
    requote_interval_ms: float
    exposure_ratio: float | None = None
    budget_ratio: float | None = None
    session_ends_ns: int | None = None
    day_fills: DayFills = DayFills()
    limits: Limits | None = None
    overrides: tuple[Override, ...] = ()
    alerts: tuple[Alert, ...] = ()
    raced: int = 0
    version: str = ""
    lease: LeaseStatus | None = None
