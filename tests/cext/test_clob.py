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
    max_examples=40, stateful_step_count=50, deadline=None, derandomize=True
)


def trade_something(twins: Twins, dice: random.Random) -> None:
    """A row or an order."""
    side, ticks = dice.choice((BID, ASK)), dice.randint(507, 517)
    owner, lots = dice.randint(0, 3), dice.randint(1, 40)
    name = dice.choice(("both",) + ("market",) * 3 + ("quote",) * 3 + ("send",) * 3 + ("quoted",))
    if name == "both":
        twins.both_sides()
    elif name == "market":
        kinds = (DEPTH, DEPTH, DEPTH, SNAPSHOT, TAKE, TAKE, TRADE, TRADE, CLEAR)
        twins.market([(dice.choice(kinds), side, ticks, dice.randint(0, 12))])
    elif name == "quote":
        twins.quote(owner, side, dice.randint(-1, 4), dice.randint(1, 9))
    elif name == "send":
        twins.send(owner, side, ticks, lots, dice.choice((LIMIT, POST_ONLY, IOC, FOK)))
    else:
        size = (lots, dice.randint(1, 9000))
        twins.send_quoted(owner, side, ticks, size, dice.choice((LIMIT, IOC, FOK)))


def change_something(twins: Twins, dice: random.Random) -> None:
    """A cancel, or the start or end of something."""
    name = dice.choice(("cancel", "cancel", "shrink", "undo", "publish"))
    if name == "cancel":
        twins.cancel(dice.randint(1, 60))
    elif name == "shrink":
        twins.shrink(dice.randint(1, 60), dice.randint(1, 9))
    elif twins.open is not None:
        dice.choice((twins.commit, twins.rollback))()
    elif name == "publish":
        twins.publish()
    else:
        twins.begin()


@pytest.mark.parametrize("seed", range(9))
def test_a_long_day_with_dozens_of_orders(seed: int) -> None:
    dice, twins = random.Random(seed), Twins()
    models: list[tuple[str, tuple[float, ...]]] = [("risk", ()), ("power", (2.0,))]
    twins.build(models[seed % 2], seed % 3)
    twins.furnish([dice.randint(1, 20) for _ in range(6)])
    for _ in range(500):
        dice.choice((trade_something, trade_something, change_something))(twins, dice)
        twins.the_same()
        twins.never_crossed()


def venue() -> Clob:
    """A market with 10 @ 99 and 8 @ 98 bid, 7 @ 101 and 4 @ 102 offered, all displayed."""
    market = Clob()
    shown = [(DEPTH, BID, 99, 10), (DEPTH, BID, 98, 8), (DEPTH, ASK, 101, 7), (DEPTH, ASK, 102, 4)]
    market.rows(packed(shown, 0))
    market.take_changes()
    return market


def test_a_taker_honours_price_then_time_and_trades_at_the_makers_price() -> None:
    # 101: 7 displayed, 3 of owner 5, then 2 more displayed. 100: 4 of owner 6.
    market = venue()
    assert market.place(1, 5, ASK, 101, 3, POST_ONLY) == ([], 3)
    market.rows(packed([(DEPTH, ASK, 101, 9)], 1))
    assert market.place(2, 6, ASK, 100, 4, LIMIT) == ([], 4)
    fills, rests = market.place(3, 7, BID, 101, 15, LIMIT)
    assert fills == [
        (2, 6, 100, 4, 0),
        (0, 0, 101, 7, 2),
        (1, 5, 101, 3, 0),
        (0, 0, 101, 1, 1),
    ]
    assert rests == 0
    assert market.take_changes() == ([], [(101, 1)])
    assert market.best() == (99, 101)


def test_taken_size_stays_away_until_it_is_announced_again() -> None:
    market = venue()
    assert market.place(1, 5, BID, 101, 9, LIMIT) == ([(0, 0, 101, 7, 0)], 2)
    assert market.best() == (101, 102)
    # Offered again at 101, 5 lots: 2 of them meet the bid that rests there.
    assert market.rows(packed([(DEPTH, ASK, 101, 5)], 1)) == [(ASK, 0, 0, (1, 5, 101, 2, 0))]
    assert market.levels(ASK, 9) == [(101, 3), (102, 4)]
    assert market.best() == (99, 101)


def test_displayed_size_that_orders_outweigh_is_not_shown() -> None:
    market = venue()
    market.place(1, 5, BID, 100, 6, POST_ONLY)
    market.place(2, 6, BID, 100, 6, POST_ONLY)
    assert market.rows(packed([(SNAPSHOT, ASK, 99, 8)], 1)) == [
        (ASK, 0, 0, (1, 5, 100, 6, 0)),
        (ASK, 0, 0, (2, 6, 100, 2, 4)),
    ]
    # The displayed bid at 99 it also crossed has gone; so has the offer, traded whole.
    assert market.levels(BID, 9) == [(100, 4), (98, 8)]
    assert market.levels(ASK, 9) == [(101, 7), (102, 4)]


def test_a_recorded_trade_is_shared_out_once() -> None:
    # Offered at 101: 7 displayed, then 3 of owner 5, then 4 of owner 6.
    market = venue()
    market.place(1, 5, ASK, 101, 3, POST_ONLY)
    market.place(2, 6, ASK, 101, 4, POST_ONLY)
    assert market.rows(packed([(TRADE, BID, 101, 5)], 1)) == [(BID, 0, 0, (0, 0, 101, 5, 7))]
    # 2 of the displayed lots are in front now: of 8 the third to fifth go to order 1, then 2.
    assert market.rows(packed([(TRADE, BID, 101, 8)], 2)) == [
        (BID, 0, 0, (1, 5, 101, 3, 0)),
        (BID, 0, 0, (2, 6, 101, 3, 1)),
        (BID, 0, 0, (0, 0, 101, 2, 7)),
    ]
    # At a better price nobody is in front; what is beyond the last lot stays public.
    assert market.rows(packed([(TRADE, BID, 102, 3)], 3)) == [
        (BID, 0, 0, (2, 6, 101, 1, 0)),
        (BID, 0, 0, (0, 0, 102, 2, 4)),
    ]
    assert market.levels(ASK, 9) == [(101, 7), (102, 4)]


def test_fill_modes() -> None:
    market = venue()
    before = market.dump()
    assert market.place(1, 5, BID, 101, 1, POST_ONLY) == ([], -1)
    assert market.place(2, 5, BID, 102, 12, FOK) == ([], 0)
    assert market.place(3, 5, BID, 100, 12, IOC) == ([], 0)
    assert market.dump() == before
    assert market.place(4, 5, BID, 0, 2**63 - 1, IOC)[0] == [(0, 0, 101, 7, 0), (0, 0, 102, 4, 0)]
    assert market.place(5, 5, ASK, 98, 18, FOK)[0] == [(0, 0, 99, 10, 0), (0, 0, 98, 8, 0)]
    assert market.best() == (None, None)


def test_money_limits() -> None:
    # 5 lots at 101 cost 505 of 600, 95 buys none. A bid of 600 at 102: 5 lots at 101.
    market = venue()
    assert market.place_quoted(1, 5, BID, 102, 600, IOC) == ([(0, 0, 101, 5, 2)], 0)
    # 2 at 101 and 2 at 102 cost 406; the 94 left buy nothing at 102, so nothing rests.
    assert market.place_quoted(2, 5, BID, 102, 500, LIMIT) == (
        [(0, 0, 101, 2, 0), (0, 0, 102, 2, 2)],
        0,
    )
    # A sale for 1500: 10 at 99 leave 510, 5 at 98 leave 20.
    assert market.place_quoted(3, 5, ASK, 0, 1500, FOK)[0] == [(0, 0, 99, 10, 0), (0, 0, 98, 5, 3)]
    # The 3 left at 98 are too few for 400, and then there is nobody. Of (9 lots, 490) they leave 6
    # lots and 196: 2 lots rest at 97.
    assert market.place_quoted(4, 5, ASK, 0, 400, FOK)[0] == []
    assert market.place_quoted(5, 5, ASK, 97, (9, 490), LIMIT) == ([(0, 0, 98, 3, 0)], 2)
    assert market.place_quoted(6, 5, BID, 0, 2**200, IOC)[0][0] == (5, 5, 97, 2, 0)


def test_money_that_buys_nothing_at_the_best_price_does_not_rest_behind_it() -> None:
    # A sale for 120 down to 50: one lot at 99 leaves 21; for 155: 56, a lot at 50 but none at 99.
    for ticklots in (120, 155):
        market = venue()
        sold = market.place_quoted(1, 5, ASK, 50, ticklots, LIMIT)
        assert sold == ([(0, 0, 99, 1, 9)], 0)
        assert market.best() == (99, 101)


def test_undo_covers_the_queue() -> None:
    market = Clob(queue="power", numbers=(2.0,))
    market.rows(packed([(DEPTH, BID, 99, 10)], 0))
    market.place(1, 5, BID, 99, 3, POST_ONLY)
    market.rows(packed([(DEPTH, BID, 99, 14), (TRADE, ASK, 99, 2)], 1))
    saved = market.dump()
    for row in ((TRADE, ASK, 99, 3), (DEPTH, BID, 99, 6), (TAKE, ASK, 99, 5), (CLEAR, BID, 99, 0)):
        market.begin()
        market.rows(packed([row], 9))
        market.rollback()
        assert market.dump() == saved


def test_what_an_owner_does_with_himself_is_a_rule() -> None:
    for rule_, expected in (
        (kernel.SELF_TRADE_ALLOW, ([(0, 0, 101, 7, 0), (1, 5, 101, 2, 0)], [], 0)),
        (kernel.SELF_TRADE_CANCEL_RESTING, ([(0, 0, 101, 7, 0), (0, 0, 102, 2, 2)], [(1, 2)], 0)),
        (kernel.SELF_TRADE_CANCEL_TAKER, ([(0, 0, 101, 7, 0)], [], 0)),
    ):
        market = venue()
        market.self_trade = rule_
        market.place(1, 5, ASK, 101, 2, LIMIT)
        fills, rests = market.place(2, 5, BID, 102, 9, LIMIT)
        assert (fills, market.self_trade_cancels, rests) == expected
        whole = market.place(3, 5, BID, 102, 99, FOK)
        assert whole == ([], 0)
    with pytest.raises(ValueError, match="self trade"):
        market.self_trade = 3


def test_a_cancel_is_told_from_a_trade() -> None:
    # 10 in front, 6 behind; 4 trade and are then announced gone: nothing else has left.
    market = Clob(queue="power", numbers=(2.0,))
    market.rows(packed([(DEPTH, BID, 99, 10)], 0))
    market.place(1, 5, BID, 99, 3, POST_ONLY)
    market.rows(packed([(DEPTH, BID, 99, 16), (TRADE, ASK, 99, 4), (DEPTH, BID, 99, 12)], 1))
    found = market.order(1)
    assert found is not None
    assert found[4] == pytest.approx(6)


def test_fronts_survive_a_save() -> None:
    market = Clob(queue="power", numbers=(2.0,))
    market.rows(packed([(DEPTH, BID, 99, 10)], 0))
    market.place(1, 5, BID, 99, 3, POST_ONLY)
    market.rows(packed([(DEPTH, BID, 99, 15), (DEPTH, BID, 99, 8), (TRADE, ASK, 99, 1)], 1))
    front = market.order(1)
    assert front is not None
    # 10 in front, 5 behind, 7 leave: 25 / 125 of them behind, 5.6 in front. The trade takes one.
    assert front[4] == pytest.approx(10 - 5.6 - 1)
    other = Clob(queue="power", numbers=(2.0,))
    other.load(market.dump())
    assert other.order(1) == front
    rows = packed([(DEPTH, BID, 99, 5), (TAKE, ASK, 99, 6)], 5)
    assert other.rows(rows) == market.rows(rows)
    assert other.take_changes() == market.take_changes()
    assert other.dump() == market.dump()


def test_damaged_saves_are_refused_and_change_nothing() -> None:
    market = venue()
    market.place(1, 5, BID, 100, 3, POST_ONLY)
    saved = market.dump()
    dice = random.Random(1)
    for cut in range(len(saved)):
        with pytest.raises(ValueError, match="saved market"):
            market.load(saved[:cut])
    for _ in range(2000):
        broken = bytearray(saved)
        broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
        try:
            market.load(bytes(broken))
        except ValueError:
            assert market.dump() == saved
        else:
            bid, ask = market.best()
            assert bid is not None
            assert ask is not None
            assert bid < ask
            market.load(saved)


def test_nonsense_is_refused_and_changes_nothing() -> None:
    market = venue()
    market.place(1, 5, BID, 100, 3, POST_ONLY)
    saved = market.dump()
    for arguments in (
        (1, 5, BID, 100, 3, LIMIT),
        (0, 5, BID, 100, 3, LIMIT),
        (2, -1, BID, 100, 3, LIMIT),
        (2, 5, 0, 100, 3, LIMIT),
        (2, 5, BID, -1, 3, LIMIT),
        (2, 5, BID, 0, 3, LIMIT),
        (2, 5, BID, 0, 3, POST_ONLY),
        (2, 5, BID, 100, 0, LIMIT),
        (2, 5, BID, 2**63 - 1, 1, LIMIT),
        (2, 5, BID, 100, kernel.LARGEST_LOTS + 1, LIMIT),
        (2, 5, BID, 100, 3, 4),
    ):
        with pytest.raises(ValueError, match=r"order|side|rest"):
            market.place(*arguments)
    with pytest.raises(ValueError, match="money"):
        market.place_quoted(2, 5, BID, 100, 0, LIMIT)
    good = (DEPTH, BID, 97, 5)
    for row in ((DEPTH, BID, 0, 1), (DEPTH, BID, 1, -1), (TRADE, BID, 1, 2**51), (6, BID, 1, 1)):
        with pytest.raises(ValueError, match=r"row|price"):
            market.rows(packed([good, row], 5))
    with pytest.raises(ValueError, match="40 bytes"):
        market.rows(packed([good], 5)[1:])
    with pytest.raises(ValueError, match="probabilistic"):
        Clob(queue="probabilistic", numbers=(1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="at least one"):
        market.shrink(1, 0)
    assert market.dump() == saved


def test_nothing_leaves_while_it_may_be_undone() -> None:
    market = venue()
    market.begin()
    for forbidden in (market.begin, market.take_changes, market.take_prints, market.dump):
        with pytest.raises(RuntimeError, match="undo"):
            forbidden()
    market.rollback()
    for forbidden in (market.commit, market.rollback):
        with pytest.raises(RuntimeError, match="no undo"):
            forbidden()


def test_thousands_of_orders_at_random_places_are_found_again() -> None:
    dice = random.Random(3)
    market = Clob()
    placed: dict[int, tuple[int, int]] = {}
    totals: defaultdict[int, int] = defaultdict(int)
    for order_id in dice.sample(range(1, 10**12), 5000):
        ticks, lots = dice.randint(1, 2000), dice.randint(1, 9)
        placed[order_id] = (ticks, lots)
        totals[ticks] += lots
        assert market.place(order_id, order_id % 7 + 1, BID, ticks, lots, LIMIT) == ([], lots)
    assert market.levels(BID, 9999) == sorted(totals.items(), reverse=True)
    gone = dice.sample(list(placed), 2500)
    for order_id in gone:
        assert market.cancel(order_id) == placed[order_id][1]
        assert market.cancel(order_id) == -1
        del placed[order_id]
    assert market.orders(BID) == sorted(placed, key=lambda i: -placed[i][0])
    lots = sum(size for _, size in placed.values())
    assert market.side_sum(BID)[0] == lots
    assert sum(fill[3] for fill in market.place(1, 9, ASK, 0, 2**63 - 1, IOC)[0]) == lots
    assert market.best() == (None, None)
