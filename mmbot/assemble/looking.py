"""A recorded or synthetic market on a fixed grid, as its local side sees it."""

from collections import deque
from collections.abc import Iterator

from mmbot.adapters.sim.synthetic import (
    FLAG_BUY,
    FLAG_LOCAL,
    KIND_MASK,
    KIND_TRADE,
    ROW,
    SyntheticMarket,
    tape_rows,
    undisturbed,
)
from mmbot.assemble import Recorded
from mmbot.cext import replay as kernel
from mmbot.cext.estimates import OrderFlow
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.research.calibration.looks import BPS, Look, lean
from mmbot.tape import Bar

LOOK_NS = 100_000_000
# Of the half-lives of OrderFlow.
FLOW_OF_A_SECOND = 2
LEANS_WITHIN_BPS = (1.0, 5.0)

Trade = tuple[int, bool, int, int]
"""Local time, whether takers bought, price in ticks, lots."""


class SyntheticRecording:
    """A synthetic market with nobody in it, as if it had been recorded."""

    def __init__(self, synthetic: SyntheticMarket) -> None:
        self._synthetic = synthetic

    @property
    def market(self) -> Market:
        """Grid and contract."""
        return self._synthetic.market

    def chunks(self) -> Iterator[bytes]:
        """Rows, once."""
        setting, index = self._synthetic.setting, self._synthetic.market.index
        for piece in undisturbed(self._synthetic):
            yield tape_rows(piece.rows, piece.prints, setting, index)

    def notes(self) -> list[str]:
        """None."""
        return []


def looks(recorded: Recorded, step_ns: int) -> Iterator[Look]:
    """Look at a market every `step_ns`, from its first row to its last."""
    book = OrderBook()
    replay = kernel.Replay([book])
    chunks = recorded.chunks()
    trades: deque[Trade] = deque()
    flow = OrderFlow()

    def feed() -> None:
        rows = next((chunk for chunk in chunks if chunk), b"")
        trades.extend(_trades(rows))
        replay.feed(0, rows, not rows)

    feed()
    while replay.advance(-1) == kernel.NEED_ROWS:
        feed()
    now_ns = replay.start_ns
    code = kernel.REACHED
    while code != kernel.ENDED:
        now_ns += step_ns
        code = replay.advance(now_ns)
        while code == kernel.NEED_ROWS:
            feed()
            code = replay.advance(now_ns)
        bought = sold = taken = bought_lots = 0
        while trades and trades[0][0] <= now_ns:
            _, buys, ticks, lots = trades.popleft()
            taken += lots
            if buys:
                bought, bought_lots = max(bought, ticks), bought_lots + lots
            else:
                sold = min(sold or ticks, ticks)
        touch = book.touch()
        flow.quotes(now_ns, *touch)
        added = flow.imbalances[FLOW_OF_A_SECOND]
        leans = tuple(_lean(book, each) for each in LEANS_WITHIN_BPS)
        yield Look(now_ns, *touch, bought, sold, taken, added, bought_lots, leans)


def _lean(book: OrderBook, bps: float) -> float:
    """Imbalance of all sizes so near to the best, on a grid of whole ticks."""
    ticks = round(book.touch()[0] * bps / BPS)
    return lean(book.lots_within(Side.BID, ticks), book.lots_within(Side.ASK, ticks))


def _trades(rows: bytes) -> Iterator[Trade]:
    for _, local_ns, ticks, lots, flags, _ in ROW.iter_unpack(rows):
        if flags & KIND_MASK == KIND_TRADE and flags & FLAG_LOCAL:
            yield local_ns, bool(flags & FLAG_BUY), ticks, lots


def bars_of(recorded: Recorded, steps: int) -> Iterator[Bar]:
    """Make bars of so many looks, 100 ms each; the path is that of mids and trades.

    The volume is what was traded, and where the makers left their best prices behind, what they
    show at the end.
    """
    found: list[Look] = []
    for look in looks(recorded, LOOK_NS):
        if not look.mid:
            continue
        found.append(look)
        if len(found) == steps:
            yield _bar(found)
            found = []


def _bar(found: list[Look]) -> Bar:
    prices = [round(look.mid) for look in found]
    reached = [ticks for look in found for ticks in (look.bought_ticks, look.sold_ticks) if ticks]
    first, last = found[0], found[-1]
    # Makers who walk past a price would have traded with whoever stood there, though nobody did.
    walked = min(prices) < first.bid or max(prices) > first.ask
    offered_lots = last.bid_lots + last.ask_lots if walked else 0
    return Bar(
        ts_ns=first.ts_ns - LOOK_NS,
        open=prices[0],
        high=max(prices + reached),
        low=min(prices + reached),
        close=prices[-1],
        volume_lots=sum(look.traded_lots for look in found) + offered_lots,
        bid_depth_lots=last.bid_lots,
        ask_depth_lots=last.ask_lots,
    )
