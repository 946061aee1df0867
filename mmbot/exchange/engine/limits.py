"""Limits: what an order of the wire asks for, checked before it may touch the book.

price 0 is no price limit, size 0 no size limit; at least one of price, size and quote size must be
set (243). What may rest needs a price (244), comes to at least one lot (241) and to at most
2^48 - 1 (245). A quote size with `hi` != 0 would be more than 2^64 / 10^12 USD: nobody sends that,
so it is the legacy QuoteSize {size, price} of generation S1, which has the same bytes.
"""

from typing import NamedTuple

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import FillMode, Side
from mmbot.exchange.engine.refusals import RefusalError, refuse_unless
from mmbot.exchange.engine.venue import Venue

MOST_POSTED_LOTS = 2**48 - 1
CLIENT_ORDER_ID_END = 2**63
# Above every price that can be shown; far inside what the book can count.
MOST_TICKS = 2**53
NO_LIMIT = 2**62
RESTING = (FillMode.LIMIT, FillMode.POST_ONLY)
_BPS = 10_000


class Asked(NamedTuple):
    """An order as asked: ticks 0 any price; lots, ticklots None without that limit."""

    market_id: int
    side: Side
    mode: FillMode
    reduce_only: bool
    ticks: int
    lots: int | None
    ticklots: int | None
    client_order_id: int | None
    tracking_id: int | None = None

    @property
    def rests(self) -> bool:
        """Whether a remainder joins the book."""
        return self.mode in RESTING


def side_of(number: int) -> Side:
    """Return the side of the wire's number."""
    refuse_unless(number in (pb.ASK, pb.BID), pb.DECODE_FAILURE_DOMAIN)
    return Side.BID if number == pb.BID else Side.ASK


def mode_of(number: int) -> FillMode:
    """Return the fill mode of the wire's number."""
    refuse_unless(0 <= number <= pb.FILL_OR_KILL, pb.DECODE_FAILURE_DOMAIN)
    return FillMode(number)


def ticklots_of(limit: pb.PlaceOrder | pb.OrderLimit) -> int | None:
    """Return the notional limit in ticks times lots, None without one."""
    if not limit.HasField("quote_size"):
        return None
    quote = limit.quote_size
    return (quote.lo * quote.hi if quote.hi else quote.lo) or None


def asked_order(order: pb.PlaceOrder) -> Asked:
    """Read a single place."""
    return Asked(
        order.market_id,
        side_of(order.side),
        mode_of(order.fill_mode),
        order.is_reduce_only,
        order.price,
        order.size or None,
        ticklots_of(order),
        order.client_order_id if order.HasField("client_order_id") else None,
        order.sender_tracking_id if order.HasField("sender_tracking_id") else None,
    )


def asked_part(part: pb.TradeOrPlace) -> Asked:
    """Read a place inside an atomic."""
    return Asked(
        part.market_id,
        side_of(part.place_type.side),
        mode_of(part.place_type.fill_mode),
        part.place_type.is_reduce_only,
        part.limit.price,
        part.limit.size or None,
        ticklots_of(part.limit),
        part.client_order_id if part.HasField("client_order_id") else None,
    )


def check_market(venue: Venue, asked: Asked) -> None:
    """Refuse an unknown market, and one that takes no such orders now."""
    market_id, rules = asked.market_id, venue.rules
    refuse_unless(market_id < len(venue.clobs), pb.MARKET_NOT_FOUND)
    refuse_unless(market_id not in rules.frozen_markets, pb.MARKET_FROZEN)
    if asked.rests and market_id in rules.immediate_only_markets:
        raise RefusalError(pb.ONLY_IMMEDIATE_ORDERS_ALLOWED)


def check_limits(venue: Venue, asked: Asked) -> None:
    """Refuse an order whose limits make no order; see the top of the module for the numbers."""
    given = asked.ticks or asked.lots or asked.ticklots
    refuse_unless(bool(given), pb.ORDER_EXECUTION_MISSING_LIMITS)
    if asked.client_order_id is not None:
        refuse_unless(asked.client_order_id < CLIENT_ORDER_ID_END, pb.CLIENT_ORDER_ID_TOO_LARGE)
    if asked.ticks:
        _check_price(venue, asked)
    if not asked.rests:
        return
    refuse_unless(asked.ticks != 0, pb.ORDER_EXECUTION_MISSING_PRICE)
    refuse_unless(affordable_lots(asked) > 0, pb.ORDER_EXECUTION_EMPTY)


def affordable_lots(asked: Asked) -> int:
    """Return the most lots the limits allow at the limit price; NO_LIMIT at most."""
    lots = NO_LIMIT if asked.lots is None else min(asked.lots, NO_LIMIT)
    if asked.ticklots is not None and asked.ticks:
        lots = min(lots, asked.ticklots // asked.ticks)
    return lots


def _check_price(venue: Venue, asked: Asked) -> None:
    refuse_unless(asked.ticks < MOST_TICKS, pb.ORDER_EXECUTION_LIMIT_PRICE)
    index, band = venue.state.markets[asked.market_id].index_ticks, venue.rules.price_band_bps
    if index is not None and abs(asked.ticks - index) * _BPS > index * band:
        raise RefusalError(pb.ORDER_EXECUTION_LIMIT_PRICE)
