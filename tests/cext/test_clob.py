"""The kernel of a market with owners against its slow twin, and rules worked by hand."""

import random
import struct
from collections import defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mmbot.cext import clob as kernel
from mmbot.cext.clob import Clob
from tests.oracle import clob as oracle
from tests.oracle.clob import CLEAR, DEPTH, FOK, IOC, LIMIT, POST_ONLY, SNAPSHOT, TAKE, TRADE

BID, ASK = 1, -1
ROW = struct.Struct("<qqqqII")
SIDES = st.sampled_from((BID, ASK))
# Around the border of a page of 512 prices, so that levels live in two pages.
PRICES = st.integers(507, 517)
KINDS = st.sampled_from((DEPTH, DEPTH, DEPTH, SNAPSHOT, TAKE, TAKE, TRADE, TRADE, CLEAR))
ROWS = st.lists(st.tuples(KINDS, SIDES, PRICES, st.integers(0, 12)), min_size=1, max_size=4)
OWNERS = st.integers(0, 3)
MODES = st.sampled_from((LIMIT, LIMIT, POST_ONLY, POST_ONLY, IOC, FOK))
IDS = st.integers(1, 60)
MODELS = st.sampled_from([("risk", ()), ("power", (2.0,)), ("power", (0.7,)), ("power", (1.0,))])


def packed(rows: list[tuple[int, int, int, int]], start_ns: int) -> bytes:
    """Rows as the kernel reads them, a nanosecond apart."""
    found = b""
    for number, (kind, side, ticks, lots) in enumerate(rows, start_ns):
        found += ROW.pack(number, number, ticks, lots, kind | (1 << 29 if side > 0 else 1 << 28), 0)
    return found


class Twins(RuleBasedStateMachine):
    """Whatever happens, both answer and show the same, and no lot appears or vanishes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: bytes | None = None
        self.next_id = 0
        self.now_ns = 0

    @initialize(model=MODELS, self_trade=st.integers(0, 2))
    def build(self, model: tuple[str, tuple[float, ...]], self_trade: int) -> None:
        queue, numbers = model
        self.fast = Clob(queue=queue, numbers=numbers)
        self.slow = oracle.Clob(queue=queue, numbers=numbers)
        self.fast.keep_prints = True
        self.fast.self_trade = self.slow.self_trade = self_trade

    @initialize(sizes=st.lists(st.integers(1, 20), min_size=6, max_size=6))
    def furnish(self, sizes: list[int]) -> None:
        self.sizes = sizes

    def feed(self, rows: list[tuple[int, int, int, int]]) -> None:
        expected = []
        for number, row in enumerate(rows, self.now_ns):
            expected += self.slow.row(number, *row)
        assert self.fast.rows(packed(rows, self.now_ns)) == expected
        self.now_ns += len(rows)

    @rule()
    def both_sides(self) -> None:
        """A book of six levels, none crossing another."""
        levels = [(DEPTH, BID, 511 - n, self.sizes[n]) for n in range(3)]
        levels += [(DEPTH, ASK, 513 + n, self.sizes[n + 3]) for n in range(3)]
        self.feed(levels)

    @rule(rows=ROWS)
    def market(self, rows: list[tuple[int, int, int, int]]) -> None:
        self.feed(rows)

    @rule(owner=OWNERS, side=SIDES, depth=st.integers(-1, 4), lots=st.integers(1, 9))
    def quote(self, owner: int, side: int, depth: int, lots: int) -> None:
        """An order that mostly rests."""
        self.send(owner, side, 512 - side * depth, lots, LIMIT)

    @rule(owner=OWNERS, side=SIDES, ticks=PRICES, lots=st.integers(1, 40), mode=MODES)
    def send(self, owner: int, side: int, ticks: int, lots: int, mode: int) -> None:
        self.next_id += 1
        arguments = (self.next_id, owner, side, ticks, lots, mode)
        before = self.sums()
        fills, rests = self.fast.place(*arguments)
        assert (fills, rests) == self.slow.place(*arguments)
        self.accounted(side, before, fills, max(rests, 0))

    @rule(owner=OWNERS, side=SIDES, lots=st.integers(1, 40), mode=st.sampled_from((IOC, FOK)))
    def send_at_any_price(self, owner: int, side: int, lots: int, mode: int) -> None:
        self.send(owner, side, 0, lots, mode)

    @rule(
        owner=OWNERS,
        side=SIDES,
        ticks=PRICES,
        size=st.tuples(st.integers(1, 40), st.integers(1, 9000)),
        mode=MODES,
    )
    def send_quoted(
        self, owner: int, side: int, ticks: int, size: tuple[int, int], mode: int
    ) -> None:
        self.next_id += 1
        arguments = (self.next_id, owner, side, ticks, size, mode)
        before = self.sums()
        fills, rests = self.fast.place_quoted(*arguments)
        assert (fills, rests) == self.slow.place_quoted(*arguments)
        spent = sum(fill[2] * fill[3] for fill in fills) + ticks * max(rests, 0)
        assert spent <= size[1] or side < 0
        assert sum(fill[2] * fill[3] for fill in fills) <= size[1]
        self.accounted(side, before, fills, max(rests, 0))

    def sums(self) -> tuple[int, int]:
        return self.fast.side_sum(BID)[0], self.fast.side_sum(ASK)[0]

    def accounted(
        self, side: int, before: tuple[int, int], fills: list[oracle.Fill], rests: int
    ) -> None:
        """What was taken left the other side; what rests joined this one."""
        gone = sum(fill[3] for fill in fills)
        dropped = self.fast.self_trade_cancels
        assert dropped == self.slow.self_trade_cancels
        gone += sum(lots for _, lots in dropped)
        bids, asks = self.sums()
        here, there = (bids, asks) if side > 0 else (asks, bids)
        was_here, was_there = before if side > 0 else before[::-1]
        assert (here, there) == (was_here + rests, was_there - gone)

    @rule(number=IDS)
    def cancel(self, number: int) -> None:
        order_id = max(1, self.next_id - number)
        assert self.fast.cancel(order_id) == self.slow.cancel(order_id)

    @rule(number=IDS, lots=st.integers(1, 9))
    def shrink(self, number: int, lots: int) -> None:
        order_id = max(1, self.next_id - number)
        assert self.fast.shrink(order_id, lots) == self.slow.shrink(order_id, lots)

    @precondition(lambda self: self.open is None)
    @rule()
    def begin(self) -> None:
        self.open = self.fast.dump()
        self.fast.begin()
        self.slow.begin()

    @precondition(lambda self: self.open is not None)
    @rule()
    def commit(self) -> None:
        self.open = None
        self.fast.commit()
        self.slow.commit()

    @precondition(lambda self: self.open is not None)
    @rule()
    def rollback(self) -> None:
        self.fast.rollback()
        self.slow.rollback()
        assert self.fast.dump() == self.open
        self.open = None

    @precondition(lambda self: self.open is None)
    @rule()
    def publish(self) -> None:
        assert self.fast.take_changes() == self.slow.take_changes()
        assert self.fast.take_prints() == self.slow.take_prints()

    @precondition(lambda self: self.open is None)
    @rule(model=MODELS)
    def restart(self, model: tuple[str, tuple[float, ...]]) -> None:
        del model
        saved = self.fast.dump()
        prints = self.slow.take_prints()
        assert self.fast.take_prints() == prints
        self.fast.load(saved)
        assert self.fast.dump() == saved

    @invariant()
    def the_same(self) -> None:
        for side in (BID, ASK):
            assert self.fast.levels(side, 99) == self.slow.levels(side, 99)
            assert self.fast.levels(side, 2) == self.slow.levels(side, 2)
            assert self.fast.side_sum(side) == self.slow.side_sum(side)
            assert self.fast.orders(side) == self.slow.orders(side)
            for ticks in range(507, 518):
                assert self.fast.lots_at(side, ticks) == self.slow.lots_at(side, ticks)
                assert self.fast.would_take(side, ticks) == self.slow.would_take(side, ticks)
            for order_id in self.slow.orders(side):
                found, expected = self.fast.order(order_id), self.slow.order(order_id)
                assert found is not None
                assert expected is not None
                assert found[:4] == expected[:4]
                assert found[4] == pytest.approx(expected[4], abs=1e-9)

    @invariant()
    def never_crossed(self) -> None:
        bid, ask = self.fast.best()
        assert (bid, ask) == self.slow.best()
        assert bid is None or ask is None or bid < ask


TestTwins = Twins.TestCase
TestTwins.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, derandomize=True
)
