"""Everything that can happen to the engine. It enters by one door, in order of arrival.

`market` is an index into the engine's list of markets. Times are integer nanoseconds:
`ts_venue_ns` is the venue's stamp, `ts_recv_ns` the receipt, which is the engine's now.
"""

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from mmbot.domain.order import OrderState, Side


class Event(Struct, frozen=True, gc=False):
    """Base of all events."""

    ts_venue_ns: int
    ts_recv_ns: int


class BookUpdate(Event, frozen=True, gc=False):
    """The market's OrderBook has changed; the levels are already applied, natively."""

    market: int


class BookGap(Event, frozen=True, gc=False):
    """The delta chain of a book broke: do not quote it until the next BookUpdate."""

    market: int
    reason: str


class PublicTrades(Event, frozen=True, gc=False):
    """What takers did on the venue since the last one of these: how far they went, and how much.

    `bought_ticks` is the highest price they bought at, `sold_ticks` the lowest they sold at, 0
    where there was none. It is no reason to decide.
    """

    market: int
    bought_ticks: int
    sold_ticks: int
    bought_lots: int
    sold_lots: int


class ReferencePrice(Event, frozen=True, gc=False):
    """A mid price of the outside venue for one of our markets, in our ticks (float)."""

    market: int
    mid_ticks: float


class OrderUpdate(Event, frozen=True, gc=False):
    """The venue's word on an order: accepted (OPEN), done, or UNKNOWN when no word came.

    A refused cancel arrives as OPEN with a reason. `leaves_lots` is what still rests.
    """

    market: int
    order_id: int
    state: OrderState
    leaves_lots: int
    reason: str | None


# The order id of a Fill whose order is not known yet; see Fill.
UNIDENTIFIED = 0


class Fill(Event, frozen=True, gc=False):
    """One execution of an own order. fee_atoms > 0 is a cost, < 0 a rebate.

    A fill whose order is not known yet has the order id UNIDENTIFIED and moves the position at
    once. When the order becomes known the same fill, with the same trade id, comes again with it:
    then it changes what that order has left, and the position no more.
    """

    market: int
    order_id: int
    trade_id: int
    side: Side
    ticks: int
    lots: int
    leaves_lots: int
    maker: bool
    fee_atoms: int


class Execution(NamedTuple):
    """A fill with what only a pretend exchange knows of it.

    `number` counts the fills of a run in the exchange's order, `cause` says why it happened and
    `mark_half_ticks` is the exchange's own mid at that moment.
    """

    number: int
    fill: Fill
    cause: str
    mark_half_ticks: int


class FundingPayment(Event, frozen=True, gc=False):
    """Funding in atoms of the market's settlement currency; positive is received."""

    market: int
    atoms: int


class AccountSnapshot(Event, frozen=True, gc=False):
    """The venue's view of the account, in micro-USD; None is a figure that is missing.

    mf: equity; omf: equity less open-order losses; imf: initial margin required;
    pn: gross position notional (spec section 1).
    """

    mf_uusd: int | None
    omf_uusd: int | None
    imf_uusd: int | None
    pn_uusd: int | None
    bankruptcy: bool


class Hindrance(Event, frozen=True, gc=False):
    """Something that forbids quoting has begun, or has ended (`reason` None).

    `name` is one stable word per cause; `market` None: the whole account. What is hindered has
    its quotes taken off.
    """

    name: str
    market: int | None
    reason: str | None


class IndexPrice(Event, frozen=True, gc=False):
    """The venue's index price of a market in our ticks (float), None while it has none."""

    market: int
    ticks: float | None


class VenueOrder(NamedTuple):
    """An order that rests at the venue; `order_id` is ours, None for one that never had one."""

    market: int
    order_id: int | None
    venue_id: int
    side: Side
    ticks: int
    lots: int


class VenueSnapshot(Event, frozen=True, gc=False):
    """Everything the account has at the venue, told when all that led to it has been told.

    `lots` are signed positions by market. What is sent and not answered may be missing from it.
    """

    orders: tuple[VenueOrder, ...]
    lots: tuple[int, ...]


class Restatement(Event, frozen=True, gc=False):
    """The venue's own list of trades says otherwise than the fills told: corrections, in atoms.

    Added to a market's cash and fees; `lots` are added to its position, 0 but after a gap that the
    list does not explain.
    """

    market: int
    lots: int
    cash_atoms: int
    fees_atoms: int
    reason: str


class Transfer(Event, frozen=True, gc=False):
    """Money came into the account (> 0) or left it, micro-USD; neither profit nor loss."""

    uusd: int


class Timer(Event, frozen=True, gc=False):
    """The wake-up the engine asked for has come."""


class Command(StrEnum):
    """What an operator can ask for. REBASE: losses count from now on."""

    PAUSE = "pause"
    RESUME = "resume"
    REDUCE = "reduce"
    FLATTEN = "flatten"
    HALT = "halt"
    CLEAR_HALT = "clear-halt"
    REBASE = "reset_pnl"
    STOP = "stop"


class Operator(Event, frozen=True, gc=False):
    """An operator's order; `market` None means all of them.

    slippage_ppb: of FLATTEN, how far beyond the best price; None: as far as the settings allow.
    """

    command: Command
    market: int | None
    reason: str
    slippage_ppb: int | None = None
