"""What is written down, as values. `market` is the index into the engine's list of markets.

Times are ns, prices ticks, marks half ticks, money atoms of the market or micro-USD.
"""

from enum import StrEnum

from msgspec import Struct

from mmbot.domain.order import OrderState, Side


class Kind(StrEnum):
    """What an event of the journal is about."""

    INTENT = "intent"
    RECEIPT = "receipt"
    STATE = "state"
    FILL = "fill"
    NOTICE = "notice"
    COMMAND = "command"
    RUN = "run"
    EXPLAINED = "explained"


class RunStart(Struct, frozen=True):
    """How a run begins. `account` tells one set of books from another: venue and account number.

    Trades, cursor and equity of different accounts never mix. The hashes are hexadecimal.
    """

    ts_ns: int
    mode: str
    account: str
    instance_id: int
    epoch: int
    version: str
    config_sha256: str
    protocol_sha256: str


class Run(Struct, frozen=True):
    """A run that was begun; it ended in an orderly way when it has an exit code."""

    run: int
    start: RunStart
    end_ns: int | None
    exit_code: int | None
    clean: bool


class Latch(Struct, frozen=True):
    """A halt that holds until an operator clears it."""

    reason: str
    ts_ns: int


class FillRow(Struct, frozen=True):
    """One trade of the venue's list, as `GET /trades` tells it; fee > 0 is a cost.

    A trade with itself is two rows, told apart by `maker`. `mark_half_ticks` is the venue's mid
    when it happened, None when nobody knows.
    """

    ts_ns: int
    market: int
    trade_id: int
    action_id: int
    order_id: int
    side: Side
    ticks: int
    lots: int
    maker: bool
    fee_atoms: int
    mark_half_ticks: int | None = None
    hedge: bool = False


class FundingRow(Struct, frozen=True):
    """One funding payment; positive is received. A market has one at a time, so twice is once."""

    ts_ns: int
    market: int
    atoms: int
    mark_half_ticks: int | None = None


class AdjustmentRow(Struct, frozen=True):
    """What changed a position or its money and is no trade in the venue's list.

    So is a position that was there before the first run: its lots, and as cash what they are worth
    at the mark, negated.
    """

    ts_ns: int
    market: int
    lots: int
    cash_atoms: int
    fees_atoms: int
    reason: str


class OrderRow(Struct, frozen=True):
    """An order as it stands at `ts_ns`; the newest row of an order is the one that counts."""

    ts_ns: int
    market: int
    order_id: int
    side: Side
    ticks: int
    lots: int
    leaves_lots: int
    state: OrderState
    reason: str | None = None
    hedge: bool = False


class EquityPoint(Struct, frozen=True):
    """The account at a moment, micro-USD: the venue's equity (None: not known) and our profit.

    `marks` are the mids of the markets in half ticks, 0 for one without.
    """

    ts_ns: int
    equity_uusd: int | None
    pnl_uusd: int
    day_pnl_uusd: int | None = None
    drawdown_uusd: int | None = None
    marks: tuple[int, ...] = ()


class Note(Struct, frozen=True):
    """One event of the journal."""

    ts_ns: int
    kind: str
    market: int | None
    order_id: int | None
    text: str
