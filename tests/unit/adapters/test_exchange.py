"""The event exchange: what the kernel leaves to it, on rows small enough to work out by hand."""

from collections.abc import Sequence
from decimal import Decimal
from struct import pack

from mmbot.adapters.sim.account import SimAccount
from mmbot.adapters.sim.exchange import HOUR_NS, RecordedRows, ReplayExchange, Terms
from mmbot.adapters.sim.latency import constant
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import Replay
from mmbot.domain.actions import Action, Batch, Cancel, Place
from mmbot.domain.events import (
    AccountSnapshot,
    BookUpdate,
    Event,
    Fill,
    FundingPayment,
    OrderUpdate,
)
from mmbot.domain.market import Market
from mmbot.domain.order import FillMode, OrderState, Side

BOTH = 0xC0000000
BUY, SELL = 0x20000000, 0x10000000
DEPTH, TRADE = 1, 2
MS = 1_000_000
# Times start 10 s before a full hour.
START = 100 * HOUR_NS - 10_000 * MS
MARKET = Market("X", Decimal("0.5"), Decimal("0.01"))


def row(ms: int, kind: int, side: int, ticks: int, lots: int) -> bytes:
    ts = START + ms * MS
    return pack("<qqqqII", ts, ts, ticks, lots, BOTH | kind | side, 0)


BOOK = [row(0, DEPTH, BUY, 1000, 30), row(0, DEPTH, SELL, 1010, 40)]


def venue(rows: Sequence[bytes], *, funding_ppb: int = 0) -> ReplayExchange:
    book = OrderBook()
    replay = Replay([book], queue="risk", partial=True)
    constant(2 * MS, 3 * MS).apply(replay)
    account = SimAccount((MARKET,), 1_000_000_000)
    terms = Terms(maker_fee_ppb=-50_000, taker_fee_ppb=700_000, funding_ppb_per_hour=funding_ppb)
    return ReplayExchange(replay, [RecordedRows(iter(rows))], account, terms)


def send(exchange: ReplayExchange, *actions: Action) -> None:
    exchange.submit(Batch(exchange.now_ns, actions))


def until(exchange: ReplayExchange, ms: int) -> list[Event]:
    """Everything that happens up to START + ms."""
    events: list[Event] = []
    while exchange.now_ns < START + ms * MS and not exchange.finished:
        events += exchange.advance(START + ms * MS)
    return events


def place(order_id: int, side: Side, ticks: int, lots: int, mode: FillMode) -> Place:
    return Place(0, order_id, side, ticks, lots, mode)


def test_an_empty_chunk_is_not_the_end() -> None:
    source = RecordedRows(iter([b"", BOOK[0], b"", BOOK[1]]))
    assert [source.rows() for _ in range(3)] == [BOOK[0], BOOK[1], b""]


def test_a_resting_order_fills_with_a_rebate_after_the_latencies() -> None:
    # 5 lots at 1001 stand alone at the best; a sell trade of 3 lots fills 3 of them at 100 ms.
    exchange = venue([*BOOK, row(100, TRADE, SELL, 1001, 3), row(500, DEPTH, BUY, 999, 1)])
    until(exchange, 10)
    send(exchange, place(7, Side.BID, 1001, 5, FillMode.POST_ONLY))
    events = until(exchange, 400)
    accepted = next(event for event in events if isinstance(event, OrderUpdate))
    assert (accepted.ts_venue_ns, accepted.ts_recv_ns) == (START + 12 * MS, START + 15 * MS)
    assert (accepted.state, accepted.leaves_lots) == (OrderState.OPEN, 5)
    fill = next(event for event in events if isinstance(event, Fill))
    assert (fill.ts_venue_ns, fill.ts_recv_ns) == (START + 100 * MS, START + 103 * MS)
    assert (fill.ticks, fill.lots, fill.leaves_lots, fill.maker) == (1001, 3, 2, True)
    # 1001 * 0.5 USD * 0.03 = 15.015 USD; 0.5 bps of it is a rebate of 0.00075075 USD.
    assert MARKET.money(fill.fee_atoms) == Decimal("-0.00075075")
    assert exchange.account.positions[0].lots == 3
    assert exchange.account.resting_lots(0, Side.BID) == 2
    (execution,) = exchange.take_executions()
    assert execution.fill == fill
    # The own order is not part of the book: the exchange's mid is that of 1000 and 1010.
    assert (execution.number, execution.mark_half_ticks) == (0, 2010)
    assert not exchange.take_executions()


def test_a_cancel_frees_what_rested() -> None:
    exchange = venue([*BOOK, row(500, DEPTH, BUY, 999, 1)])
    until(exchange, 10)
    send(exchange, place(7, Side.ASK, 1009, 5, FillMode.POST_ONLY))
    until(exchange, 100)
    send(exchange, Cancel(0, 7))
    events = until(exchange, 200)
    cancelled = next(event for event in events if isinstance(event, OrderUpdate))
    assert (cancelled.state, cancelled.ts_recv_ns) == (OrderState.CANCELLED, START + 105 * MS)
    assert exchange.account.resting_lots(0, Side.ASK) == 0
    send(exchange, Cancel(0, 7))
    refused = next(event for event in until(exchange, 300) if isinstance(event, OrderUpdate))
    assert refused.state is OrderState.OPEN
    assert refused.reason is not None


def test_post_only_that_would_cross_is_refused_and_counted() -> None:
    exchange = venue([*BOOK, row(500, DEPTH, BUY, 999, 1)])
    until(exchange, 10)
    send(exchange, place(7, Side.BID, 1010, 5, FillMode.POST_ONLY))
    update = next(event for event in until(exchange, 100) if isinstance(event, OrderUpdate))
    assert update.state is OrderState.EXPIRED
    assert exchange.refusals() == (0, 1)
    assert exchange.account.positions[0].lots == 0


def test_a_taker_pays_the_taker_fee() -> None:
    exchange = venue([*BOOK, row(500, DEPTH, BUY, 999, 1)])
    until(exchange, 10)
    send(exchange, place(7, Side.BID, 1012, 4, FillMode.IOC))
    fill = next(event for event in until(exchange, 100) if isinstance(event, Fill))
    assert (fill.ticks, fill.lots, fill.maker) == (1010, 4, False)
    # 1010 * 0.5 USD * 0.04 = 20.2 USD; 7 bps of it.
    assert MARKET.money(fill.fee_atoms) == Decimal("0.01414")


def test_longs_pay_funding_on_the_hour() -> None:
    # A long of 4 lots at a mark of 1005 ticks = 502.5 USD is worth 20.1 USD; 2 bps of it is paid.
    exchange = venue(
        [*BOOK, row(500, DEPTH, BUY, 999, 1), row(12_000, DEPTH, BUY, 998, 1)], funding_ppb=200_000
    )
    until(exchange, 10)
    send(exchange, place(7, Side.BID, 1012, 4, FillMode.IOC))
    events = until(exchange, 11_000)
    (payment,) = [event for event in events if isinstance(event, FundingPayment)]
    assert payment.ts_recv_ns == 100 * HOUR_NS
    assert MARKET.money(payment.atoms) == Decimal("-0.00402")
    assert exchange.take_funding() == [(payment, 2010)]
    assert exchange.account.positions[0].funding_atoms == payment.atoms


def test_the_account_follows_the_mark() -> None:
    exchange = venue(
        [*BOOK, row(200, DEPTH, BUY, 1004, 1), row(500, DEPTH, BUY, 999, 1)],
    )
    until(exchange, 10)
    send(exchange, place(7, Side.BID, 1010, 4, FillMode.LIMIT))
    events = until(exchange, 300)
    last = [event for event in events if isinstance(event, AccountSnapshot)][-1]
    # Bought 0.04 at 505, marked at 503.5: -0.06 USD, and 0.01414 USD of fees.
    assert last.mf_uusd == 1_000_000_000 - 60_000 - 14_140
    assert last.pn_uusd == 20_140_000
    assert any(isinstance(event, BookUpdate) for event in events)


def test_a_book_is_told_of_when_it_changed_and_not_before_its_first_row() -> None:
    other = Market("Y", Decimal("0.5"), Decimal("0.01"), index=1)
    late = [row(300, DEPTH, BUY, 500, 3), row(300, DEPTH, SELL, 504, 4)]
    sources = [RecordedRows(iter([*BOOK, row(500, DEPTH, BUY, 999, 1)])), RecordedRows(iter(late))]
    account = SimAccount((MARKET, other), 1_000_000_000)
    exchange = ReplayExchange(Replay([OrderBook(), OrderBook()]), sources, account, Terms(0, 0))
    told: list[tuple[int, list[tuple[int, int]], list[int]]] = []
    for ms in (100, 200, 300):
        events = until(exchange, ms)
        books = [(e.market, e.ts_recv_ns - START) for e in events if isinstance(e, BookUpdate)]
        told.append((ms, books, list(exchange.marks())))
    assert told == [
        (100, [(0, 0)], [2010, 0]),
        (200, [], [2010, 0]),
        (300, [(1, 300 * MS)], [2010, 1004]),
    ]


def test_chunks_do_not_matter() -> None:
    rows = [*BOOK, row(100, TRADE, SELL, 1001, 3), row(500, DEPTH, BUY, 999, 1)]
    outcomes = []
    for chunks in (rows, [b"".join(rows)], [b"".join(rows[:3]), rows[3]]):
        exchange = venue(chunks)
        until(exchange, 10)
        send(exchange, place(7, Side.BID, 1001, 5, FillMode.POST_ONLY))
        outcomes.append(until(exchange, 600))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert any(isinstance(event, Fill) for event in outcomes[0])
