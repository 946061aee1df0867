"""The bar exchange against bars worked by hand, and what must hold for any bars."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.sim.account import SimAccount
from mmbot.adapters.sim.bar_fills import (
    Draws,
    Resting,
    bar_fills,
    bar_length_warning,
    book_after,
)
from mmbot.adapters.sim.bars import BarExchange, BarRules
from mmbot.adapters.sim.exchange import Terms
from mmbot.adapters.sim.params import BarParams
from mmbot.cext.orderbook import OrderBook
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
from mmbot.errors import DataError
from mmbot.ports import SimVenue
from mmbot.tape.bars import Bar

USD = 1_000_000
SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
FAR = 2**62
# One tick of one lot is 0.0001 USD.
BTC = Market("BTCUSD", Decimal("0.1"), Decimal("0.001"), imf=Fraction(1, 50))
PARAMS = BarParams(p_touch_pct=30, participation_pct=10, spread_bps=2, levels_count=5)
CERTAIN = PARAMS.model_copy(update={"p_touch_pct": 100.0})
BAR = Bar(0, 600_000, 600_100, 599_900, 600_050, 10_000, 500, 500)
DRAWS = Draws(1, 0)


def bid(order_id: int, ticks: int, lots: int = 10) -> Resting:
    return Resting(order_id, Side.BID, ticks, lots)


def ask(order_id: int, ticks: int, lots: int = 10) -> Resting:
    return Resting(order_id, Side.ASK, ticks, lots)


def filled(
    bar: Bar, orders: Sequence[Resting], params: BarParams = PARAMS, draws: Draws = DRAWS
) -> list[tuple[int, int, bool]]:
    fills = bar_fills(bar, orders, params, draws)
    return [(fill.order.order_id, fill.lots, fill.through) for fill in fills]


def test_a_bar_fills_what_it_went_through_and_nothing_it_did_not_reach() -> None:
    orders = [bid(1, 599_901), bid(2, 599_899), ask(3, 600_099), ask(4, 600_101)]
    # Close above open: asks are the wrong side, they go first.
    assert filled(BAR, orders) == [(3, 10, True), (1, 10, True)]


def test_a_touch_fills_as_often_as_it_is_said_to() -> None:
    hits = sum(
        len(filled(replace(BAR, ts_ns=i), [bid(1, 599_900), ask(2, 600_100)])) for i in range(2_000)
    )
    # 4,000 draws at 0.30: 1,200 with a standard deviation of 29.
    assert 1_100 < hits < 1_300
    never = PARAMS.model_copy(update={"p_touch_pct": 0.0})
    assert filled(BAR, [bid(1, 599_900), ask(2, 600_100)], never) == []
    assert filled(BAR, [bid(1, 599_900)], CERTAIN) == [(1, 10, False)]


def test_draws_are_uniform_and_differ_by_everything_they_are_keyed_with() -> None:
    asked = [
        Draws(seed, market).uniform(bar_ns, side, ticks)
        for seed in (1, 2)
        for market in (0, 1)
        for bar_ns in range(25)
        for side in Side
        for ticks in range(10)
    ]
    assert len(set(asked)) == len(asked) == 2_000
    assert all(0 <= u < 1 for u in asked)
    assert sum(asked) / len(asked) == pytest.approx(0.5, abs=0.03)


def test_the_side_the_close_moves_against_takes_the_volume_first() -> None:
    orders = [ask(1, 600_050, 800), bid(2, 599_950, 800)]
    # A tenth of 10,000 lots may fill. The rising bar fills the ask whole, the bid gets the rest.
    assert filled(BAR, orders) == [(1, 800, True), (2, 200, True)]
    falling = replace(BAR, close=599_950)
    assert filled(falling, orders) == [(2, 800, True), (1, 200, True)]


def test_within_a_side_the_best_price_goes_first_then_the_oldest() -> None:
    orders = [bid(1, 599_950, 400), bid(2, 599_960, 400), bid(3, 599_960, 400)]
    assert filled(BAR, orders) == [(2, 400, True), (3, 400, True), (1, 200, True)]


def test_the_book_is_drawn_around_the_close() -> None:
    # 2 bps of 600,000 is 120 ticks: 60 a side, and between levels; 502 lots over 5 levels.
    bar = replace(BAR, close=600_000, bid_depth_lots=502, ask_depth_lots=3)
    bids, asks = book_after(bar, PARAMS)
    assert bids == [
        (599_940, 101),
        (599_880, 101),
        (599_820, 100),
        (599_760, 100),
        (599_700, 100),
    ]
    assert asks == [(600_060, 1), (600_120, 1), (600_180, 1)]


def test_a_drawn_book_is_never_crossed_nor_below_zero() -> None:
    tight = PARAMS.model_copy(update={"spread_bps": 0.001})
    bids, asks = book_after(replace(BAR, close=3), tight)
    assert [level.ticks for level in bids] == [2, 1]
    assert [level.ticks for level in asks] == [4, 5, 6, 7, 8]
    # A spread too small for the arithmetic still leaves a tick between the sides.
    nothing = PARAMS.model_copy(update={"spread_bps": 1e-300})
    bids, asks = book_after(replace(BAR, close=600_000), nothing)
    assert (bids[0].ticks, asks[0].ticks) == (599_999, 600_000)


def test_long_bars_are_warned_about_with_the_measured_number() -> None:
    assert bar_length_warning(SECOND) is None
    warning = bar_length_warning(15 * SECOND)
    assert warning is not None
    assert "bars of 15 s" in warning
    assert "-1.06" in warning


class Venue:
    """A bar exchange with 10,000 USD, one second bars unless the bars say otherwise."""

    def __init__(
        self, bars: Sequence[Bar], params: BarParams = PARAMS, terms: Terms | None = None
    ) -> None:
        self.book = OrderBook()
        self.account = SimAccount([BTC], 10_000 * USD)
        rules = BarRules(params, seed=1, horizons_ns=(SECOND, 5 * SECOND))
        terms = Terms(maker_fee_ppb=100_000, taker_fee_ppb=350_000) if terms is None else terms
        self.exchange = BarExchange(bars, self.book, self.account, terms, rules)

    def send(self, *actions: Action) -> list[Event]:
        """Submit and collect the answers; no time passes."""
        before_ns = self.exchange.now_ns
        self.exchange.submit(Batch(before_ns, actions))
        events = list(self.exchange.advance(FAR))
        assert self.exchange.now_ns == before_ns
        return events

    def bar(self) -> list[Event]:
        return list(self.exchange.advance(self.exchange.now_ns))


def series(*closes: int, length_ns: int = SECOND, width: int = 50) -> list[Bar]:
    opens = (closes[0], *closes[:-1])
    return [
        Bar(
            i * length_ns,
            opening,
            max(opening, close) + width,
            min(opening, close) - width,
            close,
            10_000,
            500,
            500,
        )
        for i, (opening, close) in enumerate(zip(opens, closes, strict=True))
    ]


def place(order_id: int, side: Side, ticks: int, lots: int, mode: FillMode) -> Place:
    return Place(0, order_id, side, ticks, lots, mode)


def test_the_first_answer_is_the_account_then_bars_bring_book_and_account() -> None:
    venue = Venue(series(600_000, 600_060))
    held: SimVenue = venue.exchange
    assert held.now_ns == 0
    (first,) = venue.bar()
    assert isinstance(first, AccountSnapshot)
    assert first.mf_uusd == 10_000 * USD
    assert venue.exchange.marks() == [0]
    update, snapshot = venue.bar()
    assert update == BookUpdate(SECOND, SECOND, 0)
    assert isinstance(snapshot, AccountSnapshot)
    assert venue.book.touch() == (599_940, 100, 600_060, 100)
    assert venue.exchange.marks() == [1_200_000]
    assert not venue.exchange.finished
    venue.bar()
    # The last bar is as long as the one before.
    assert venue.exchange.now_ns == 2 * SECOND
    assert venue.exchange.finished
    assert venue.bar() == []


def test_a_quote_rests_fills_in_the_next_bar_and_is_booked_to_the_cent() -> None:
    venue = Venue(series(600_000, 600_000, 599_000, 599_500))
    venue.bar()
    venue.bar()
    (opened,) = venue.send(place(7, Side.BID, 599_800, 100, FillMode.POST_ONLY))
    assert opened == OrderUpdate(SECOND, SECOND, 0, 7, OrderState.OPEN, 100, None)
    assert venue.account.resting_lots(0, Side.BID) == 100
    assert [type(event) for event in venue.bar()] == [BookUpdate, AccountSnapshot]
    fill, update, snapshot = venue.bar()
    # 0.1 BTC at 59,980: fee 1 bp of 5,998 USD = 0.5998; an atom is a billionth of 0.0001 USD.
    fee = 5_998 * 10**9
    assert fill == Fill(2 * SECOND, 2 * SECOND, 0, 7, 0, Side.BID, 599_800, 100, 0, True, fee)
    assert isinstance(update, BookUpdate)
    assert update.ts_recv_ns == 3 * SECOND
    # Marked at 59,900: 10,000 - 8 - 0.5998; margin 5,990 / 50.
    assert isinstance(snapshot, AccountSnapshot)
    assert snapshot.mf_uusd == 9_991_400_200
    assert snapshot.pn_uusd == 5_990 * USD
    assert snapshot.imf_uusd == 119_800_000
    assert venue.account.resting_lots(0, Side.BID) == 0
    (execution,) = venue.exchange.take_executions()
    assert (execution.number, execution.cause, execution.mark_half_ticks) == (
        0,
        "trade_through",
        1_200_000,
    )
    assert not venue.exchange.take_executions()
    venue.bar()
    # Filled at 2 s: 1 s later is the close at 3 s; 5 s later never comes, the last close stands in.
    assert venue.exchange.take_marks() == [(0, 0, 1_198_000, True), (0, 1, 1_199_000, False)]


def test_a_cancelled_quote_never_fills_and_a_filled_one_cannot_be_cancelled() -> None:
    venue = Venue(series(600_000, 599_000, 599_000))
    venue.bar()
    venue.bar()
    venue.send(place(1, Side.BID, 599_800, 100, FillMode.POST_ONLY))
    (gone,) = venue.send(Cancel(0, 1))
    assert gone == OrderUpdate(SECOND, SECOND, 0, 1, OrderState.CANCELLED, 0, None)
    assert venue.account.resting_lots(0, Side.BID) == 0
    venue.send(place(2, Side.BID, 599_800, 100, FillMode.POST_ONLY))
    fills = [event for event in venue.bar() if isinstance(event, Fill)]
    assert [fill.order_id for fill in fills] == [2]
    (refused,) = venue.send(Cancel(0, 2))
    assert isinstance(refused, OrderUpdate)
    assert refused.state is OrderState.OPEN
    assert refused.reason == "cancel refused: not resting"


def test_a_partial_fill_leaves_the_rest_on_the_book() -> None:
    venue = Venue(series(600_000, 599_000, 598_000, 597_000))
    venue.bar()
    venue.bar()
    venue.send(place(1, Side.BID, 599_900, 1_500, FillMode.POST_ONLY))
    first = next(event for event in venue.bar() if isinstance(event, Fill))
    assert (first.lots, first.leaves_lots) == (1_000, 500)
    assert venue.account.resting_lots(0, Side.BID) == 500
    second = next(event for event in venue.bar() if isinstance(event, Fill))
    assert (second.lots, second.leaves_lots, second.trade_id) == (500, 0, 1)
    assert venue.account.positions[0].lots == 1_500
    assert not any(isinstance(event, Fill) for event in venue.bar())


def test_crossing_orders_take_the_drawn_book_or_are_refused() -> None:
    venue = Venue(series(600_000, 600_000))
    venue.bar()
    venue.bar()
    # Asks: 100 lots each at 600,060, 600,120, 600,180 ...
    (refused,) = venue.send(place(1, Side.BID, 600_060, 10, FillMode.POST_ONLY))
    assert isinstance(refused, OrderUpdate)
    assert refused.state is OrderState.EXPIRED
    assert venue.exchange.refusals() == (0, 1)
    (none,) = venue.send(place(2, Side.BID, 600_060, 101, FillMode.FOK))
    assert isinstance(none, OrderUpdate)
    assert none.state is OrderState.EXPIRED
    one, two, rest = venue.send(place(3, Side.BID, 600_120, 250, FillMode.IOC))
    assert isinstance(one, Fill)
    assert isinstance(two, Fill)
    assert isinstance(rest, OrderUpdate)
    assert [(fill.ticks, fill.lots, fill.leaves_lots) for fill in (one, two)] == [
        (600_060, 100, 150),
        (600_120, 100, 50),
    ]
    assert not one.maker
    # 3.5 bps of 6,000.60 ... of 0.1 BTC at 60,006.
    assert BTC.money(one.fee_atoms) == Decimal("6000.6") * Decimal("0.00035")
    assert rest.state is OrderState.EXPIRED
    # What was taken is gone until the next bar; a limit order takes one level and rests.
    taken, opened = venue.send(place(4, Side.BID, 600_180, 130, FillMode.LIMIT))
    assert isinstance(taken, Fill)
    assert (taken.ticks, taken.lots) == (600_180, 100)
    assert isinstance(opened, OrderUpdate)
    assert (opened.state, opened.leaves_lots) == (OrderState.OPEN, 30)
    (all_or_none,) = venue.send(place(5, Side.ASK, 599_940, 100, FillMode.FOK))
    assert isinstance(all_or_none, Fill)
    assert all_or_none.leaves_lots == 0
    assert venue.account.positions[0].lots == 200


def test_longs_pay_funding_when_the_hour_turns() -> None:
    terms = Terms(maker_fee_ppb=0, taker_fee_ppb=0, funding_ppb_per_hour=100_000)
    venue = Venue(series(600_000, 600_000, 600_000, length_ns=HOUR // 2), terms=terms)
    venue.bar()
    venue.bar()
    venue.send(place(1, Side.BID, 600_060, 100, FillMode.IOC))
    paid = [event for event in venue.bar() if isinstance(event, FundingPayment)]
    # 0.1 BTC at 60,000: 1 bp of 6,000 USD.
    assert [BTC.money(payment.atoms) for payment in paid] == [Decimal("-0.6")]
    assert venue.exchange.take_funding() == [(paid[0], 1_200_000)]
    assert not any(isinstance(event, FundingPayment) for event in venue.bar())
    assert venue.account.positions[0].funding_atoms == paid[0].atoms


def test_bars_must_exist_and_go_forward() -> None:
    with pytest.raises(DataError, match="at least one bar"):
        Venue([])
    with pytest.raises(DataError, match="later time"):
        Venue([BAR, BAR])


def test_the_warning_goes_by_the_shortest_bar() -> None:
    bars = [replace(BAR, ts_ns=ns * SECOND) for ns in (0, 60, 65, 70)]
    venue = Venue(bars)
    assert "60 s" in str(venue.exchange.warning)
    for _ in range(5):
        venue.bar()
    assert "bars of 5 s" in str(venue.exchange.warning)
    assert Venue(series(600_000, 600_000)).exchange.warning is None


@st.composite
def some_bars(draw: st.DrawFn) -> Bar:
    low = draw(st.integers(100, 200))
    high = low + draw(st.integers(0, 60))
    inside = st.integers(low, high)
    lots = st.integers(0, 2_000)
    return Bar(
        draw(st.integers(0, 10**18)),
        draw(inside),
        high,
        low,
        draw(inside),
        draw(lots),
        draw(lots),
        draw(lots),
    )


@st.composite
def some_orders(draw: st.DrawFn) -> list[Resting]:
    rows = st.tuples(st.sampled_from(Side), st.integers(90, 270), st.integers(1, 300))
    return [Resting(i, *row) for i, row in enumerate(draw(st.lists(rows, max_size=8)))]


@settings(max_examples=200, deadline=None)
@given(bar=some_bars(), orders=some_orders(), seed=st.integers(0, 2**32))
def test_fills_stay_in_the_bar_and_within_its_volume(
    bar: Bar, orders: list[Resting], seed: int
) -> None:
    found = bar_fills(bar, orders, PARAMS, Draws(seed, 0))
    assert 10 * sum(fill.lots for fill in found) <= bar.volume_lots
    assert len({fill.order.order_id for fill in found}) == len(found)
    for fill in found:
        assert 1 <= fill.lots <= fill.order.leaves
        if fill.order.side is Side.BID:
            assert fill.order.ticks >= bar.low + fill.through
        else:
            assert fill.order.ticks <= bar.high - fill.through


@settings(max_examples=200, deadline=None)
@given(bar=some_bars(), orders=some_orders(), more=some_orders(), seed=st.integers(0, 2**32))
def test_unrelated_orders_change_no_fill_while_volume_lasts(
    bar: Bar, orders: list[Resting], more: list[Resting], seed: int
) -> None:
    ample = replace(bar, volume_lots=10**6)
    others = [replace(order, order_id=100 + order.order_id) for order in more]
    alone = {(f.order.order_id, f.lots) for f in bar_fills(ample, orders, PARAMS, Draws(seed, 0))}
    found = bar_fills(ample, [*others, *orders], PARAMS, Draws(seed, 0))
    assert {(f.order.order_id, f.lots) for f in found if f.order.order_id < 100} == alone


class Ledger:
    """What the events alone say: open lots per order, position, cash and fees."""

    def __init__(self) -> None:
        self.sides: dict[int, Side] = {}
        self.open: dict[int, int] = {}
        self.position = 0
        self.cash = 0
        self.fees = 0

    def sent(self, order: Place) -> None:
        self.sides[order.order_id] = order.side
        self.open[order.order_id] = order.lots

    def take(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Fill):
                self.fill(event)
            elif isinstance(event, OrderUpdate):
                self.update(event)

    def fill(self, fill: Fill) -> None:
        assert fill.side is self.sides[fill.order_id]
        self.open[fill.order_id] -= fill.lots
        assert fill.lots >= 1
        assert self.open[fill.order_id] == fill.leaves_lots >= 0
        self.position += fill.side * fill.lots
        self.cash -= fill.side * fill.lots * BTC.unit_value(2 * fill.ticks)
        self.fees += fill.fee_atoms

    def update(self, update: OrderUpdate) -> None:
        if update.state is OrderState.OPEN:
            assert update.leaves_lots == self.open[update.order_id]
        else:
            self.open[update.order_id] = 0

    def resting(self, side: Side) -> int:
        return sum(lots for order_id, lots in self.open.items() if self.sides[order_id] is side)


orders_to_send = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(-150, 150),
        st.integers(1, 2_000),
        st.sampled_from(FillMode),
    ),
    max_size=3,
)


@settings(max_examples=60, deadline=None)
@given(
    moves=st.lists(st.integers(-80, 80), min_size=12, max_size=12),
    quotes=st.lists(orders_to_send, min_size=2, max_size=12),
    cancels=st.integers(0, 2**12 - 1),
)
def test_every_lot_is_accounted_for(
    moves: list[int], quotes: list[list[tuple[Side, int, int, FillMode]]], cancels: int
) -> None:
    closes = [600_000]
    for move in moves:
        closes.append(closes[-1] + move)
    venue = Venue(series(*closes), CERTAIN)
    ledger = Ledger()
    venue.bar()
    for i, wanted in enumerate(quotes):
        ledger.take(venue.bar())
        actions: list[Action] = []
        if cancels >> i & 1:
            actions += [Cancel(0, order_id) for order_id, lots in ledger.open.items() if lots]
        for side, offset, lots, mode in wanted:
            order = place(len(ledger.sides), side, closes[i] + offset, lots, mode)
            ledger.sent(order)
            actions.append(order)
        if actions:
            ledger.take(venue.send(*actions))
    booked = venue.account.positions[0]
    assert (booked.lots, booked.cash_atoms) == (ledger.position, ledger.cash)
    assert booked.fees_atoms == ledger.fees
    for side in Side:
        assert venue.account.resting_lots(0, side) == ledger.resting(side)
