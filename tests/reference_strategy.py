"""The reference strategy of the cross-check, written from its description, over the replay kernel.

One market, at most one quote a side; prices in ticks, sizes in lots, times in nanoseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mmbot.cext import replay as kernel
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import Replay
from mmbot.domain.order import FillMode, Side

if TYPE_CHECKING:
    from mmbot.cext.replay import _Response as Response

NEVER = 2**63 - 1
CAUSES = {
    kernel.QUEUE: "queue",
    kernel.TRADE_THROUGH: "trade_through",
    kernel.BOOK_CROSS: "book_cross",
    kernel.TAKER: "taker",
}
ENDS = {kernel.CANCELLED: "canceled", kernel.EXPIRED: "expired"}
SAMPLE_STEPS = 100
DEEP_TICKS = 99  # 100 prices, the best included


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run's parameters, named as in the reference description."""

    q: int
    max_lots: int
    mode: int
    h2: int
    k: int
    taker_every: int
    step_ns: int

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "Run":
        """Read the keys of a RUN.json."""
        return cls(
            q=raw["Q"],
            max_lots=raw["MAX"],
            mode=raw["mode"],
            h2=raw["H2"],
            k=raw["K"],
            taker_every=raw["taker_every"],
            step_ns=round(raw["step_ms"] * 1_000_000),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """How a fill becomes money."""

    tick: float
    lot: float
    inverse: bool
    size: float
    maker_fee: float
    taker_fee: float


@dataclass(slots=True)
class Account:
    """Position, balance and fee the way the peer books them."""

    contract: Contract
    lots: int = 0
    balance: float = 0.0
    fee: float = 0.0
    trades: int = 0

    def book(self, side: int, ticks: int, lots: int, maker: bool) -> None:
        """Book one fill."""
        c = self.contract
        price, size = ticks * c.tick, lots * c.lot
        amount = c.size * size / price if c.inverse else c.size * size * price
        self.lots += side * lots
        self.balance -= side * amount
        self.fee += (c.maker_fee if maker else c.taker_fee) * amount
        self.trades += 1

    def equity(self, mid: float) -> float:
        """Value the position at `mid`."""
        c = self.contract
        position = self.lots * c.lot
        if c.inverse:
            return -self.balance - c.size * position / mid - self.fee
        return self.balance + c.size * position * mid - self.fee


class Fill(NamedTuple):
    """One execution, stamped by the exchange."""

    exch_ns: int
    order_id: int
    side: Side
    ticks: int
    lots: int
    maker: bool
    cause: str
    leaves: int


@dataclass(slots=True)
class Record:
    """An order's life as the reference files list it."""

    side: Side
    ticks: int
    lots: int
    post_only: bool
    submit_ns: int
    cancel_ns: int = 0
    end: str = "open_or_unanswered"
    end_exch_ns: int = 0
    filled: int = 0
    acked: bool = False


@dataclass(slots=True)
class Outcome:
    """Everything a run leaves behind."""

    account: Account
    steps: int = 0
    fills: list[Fill] = field(default_factory=list)
    orders: dict[int, Record] = field(default_factory=dict)
    samples: list[tuple[int, int, int, int, float, float, int]] = field(default_factory=list)
    books: list[tuple[int, int, int, int, int, int, int]] = field(default_factory=list)


class ReferenceStrategy:
    """Quote both sides every step by the reference rules."""

    def __init__(self, run: Run, contract: Contract, replay: Replay, book: OrderBook) -> None:
        self._run = run
        self._replay = replay
        self._book = book
        self._open: dict[int, Record] = {}
        self.outcome = Outcome(Account(contract))

    def play(self, feed: Iterator[bytes]) -> Outcome:
        """Step until nothing is left to come, then let the rest arrive."""
        self._advance(-NEVER, feed)
        start = self._replay.start_ns
        while self._advance(start + (self.outcome.steps + 1) * self._run.step_ns, feed):
            self.outcome.steps += 1
            self._step(self.outcome.steps)
        return self.outcome

    def _advance(self, until_ns: int, feed: Iterator[bytes]) -> bool:
        while True:
            status = self._replay.advance(until_ns)
            if status == kernel.NEED_ROWS:
                chunk = next(feed, b"")
                self._replay.feed(0, chunk, not chunk)
                continue
            for response in self._replay.take_responses():
                self._hear(response)
            if status != kernel.RESPONSE:
                return status == kernel.REACHED

    def _hear(self, response: "Response") -> None:
        kind, _, order_id, exch_ns, _, leaves, execution = response
        record = self.outcome.orders[order_id]
        if kind == kernel.ACCEPTED:
            record.acked = True
        elif execution is not None:
            ticks, lots, maker, cause, _, _ = execution
            fill = Fill(
                exch_ns, order_id, record.side, ticks, lots, bool(maker), CAUSES[cause], leaves
            )
            self.outcome.fills.append(fill)
            self.outcome.account.book(record.side, ticks, lots, bool(maker))
            record.filled += lots
            if leaves == 0:
                self._close(order_id, "filled", exch_ns)
        elif kind in ENDS:
            self._close(order_id, ENDS[kind], exch_ns)

    def _close(self, order_id: int, end: str, exch_ns: int) -> None:
        record = self._open.pop(order_id)
        record.end = end
        record.end_exch_ns = exch_ns

    def _step(self, step: int) -> None:
        bid, bid_lots, ask, ask_lots = self._book.touch()
        account = self.outcome.account
        if bid_lots == 0 or ask_lots == 0:
            return
        now = self._replay.now_ns
        if step % SAMPLE_STEPS == 0:
            money = (account.balance, account.fee)
            self.outcome.samples.append((now, bid, ask, account.lots, *money, account.trades))
        deep = (self._book.lots_within(1, DEEP_TICKS), self._book.lots_within(-1, DEEP_TICKS))
        self.outcome.books.append((now, bid, bid_lots, ask, ask_lots, *deep))
        self._quote(bid, ask)
        every = self._run.taker_every
        if every > 0 and step % every == 0 and account.lots != 0:
            side = Side.ASK if account.lots > 0 else Side.BID
            self._submit(side, bid if account.lots > 0 else ask, abs(account.lots), post_only=False)

    def _quote(self, bid: int, ask: int) -> None:
        run, lots = self._run, self.outcome.account.lots
        centre = bid + ask - (run.k * lots) // run.q
        width = ask - bid if run.mode == 0 else run.h2
        targets = {}
        if lots + run.q <= run.max_lots:
            targets[Side.BID] = min((centre - width) // 2, bid)
        if lots - run.q >= -run.max_lots:
            targets[Side.ASK] = max(-((-centre - width) // 2), ask)
        had = set()
        for order_id, record in self._open.items():
            if record.cancel_ns == 0 and targets.get(record.side) == record.ticks:
                had.add(record.side)
            elif record.acked and record.cancel_ns == 0:
                record.cancel_ns = self._replay.now_ns
                self._replay.cancel(0, order_id)
        for side, ticks in targets.items():
            if side not in had:
                self._submit(side, ticks, run.q, post_only=True)

    def _submit(self, side: Side, ticks: int, lots: int, *, post_only: bool) -> None:
        order_id = len(self.outcome.orders) + 1
        record = Record(side, ticks, lots, post_only, self._replay.now_ns)
        self.outcome.orders[order_id] = self._open[order_id] = record
        mode = FillMode.POST_ONLY if post_only else FillMode.LIMIT
        self._replay.submit(0, order_id, side, ticks, lots, mode)
