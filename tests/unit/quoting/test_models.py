"""The members of each stage: hand-worked numbers, limits, and what must hold whatever comes in."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.domain.quotes import Room
from mmbot.quoting.fair import FairPrice, FairPriceParams
from mmbot.quoting.microprice import BINS, MicroTable, States, Transition, train
from mmbot.quoting.shares import RoundTrips, Shares
from mmbot.quoting.signals import Signals
from mmbot.quoting.sizing import SizingParams
from mmbot.quoting.skew import InventoryManager, InventoryParams, Portfolio
from mmbot.quoting.spread import SpreadCalculator, SpreadParams
from tests.unit.quoting.scene import BTC, PLENTY, SECOND, USD, book, limits, maker, state

MID = 1000005.0
SKEWS = ["seed", "linear", "as", "glft", "portfolio"]
SPREADS = ["seed", "fixed", "vol", "as", "glft", "markout"]


def signals(**changes: Any) -> Signals:
    """Signals of a market with a sigma of 2, A 0.4 and k 0.5."""
    made = Signals(2.0, (0.4, 0.5), (0.3, 0.8))
    made.floor_bps = 6.0
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def width_bps(model: str, known: Signals, **changes: Any) -> float:
    params = {"model": model, "min_bps": 1.0, "max_bps": 500.0, "risk_aversion": 0.1} | changes
    return SpreadCalculator(SpreadParams.model_validate(params)).width(0.25, known) * 1e4


@pytest.mark.parametrize(
    ("model", "bps"),
    [
        ("seed", 1.0 + 0.25 * 499.0),
        ("fixed", 1.0),
        ("vol", 10.0),
        ("as", 2 * 4.823215567939546),
        ("glft", 2 * (1.8232155679395459 + 0.864 + 1.0)),
        ("markout", 12.0),
    ],
)
def test_widths_by_hand(model: str, bps: float) -> None:
    assert width_bps(model, signals()) == pytest.approx(bps)


def test_markout_is_never_nearer_than_the_market_moves() -> None:
    assert width_bps("markout", signals(sigma=10.0)) == pytest.approx(60.0)


def test_a_model_whose_arrivals_do_not_fit_gives_way_to_volatility() -> None:
    for model in ("as", "glft"):
        assert width_bps(model, signals(fits=False)) == pytest.approx(10.0)


def test_what_widens() -> None:
    assert width_bps("vol", signals(stale_reference=True)) == pytest.approx(15.0)
    toxic = signals(toxic="bids")
    assert width_bps("vol", toxic, toxic_widening=1.5) == pytest.approx(15.0)
    assert width_bps("vol", toxic) == pytest.approx(10.0)
    # It has its own way of learning from own fills.
    assert width_bps("markout", toxic, toxic_widening=1.5) == pytest.approx(12.0)


@given(
    st.sampled_from(SPREADS),
    st.floats(0.2, 50),
    st.tuples(st.floats(1e-4, 50), st.floats(0.02, 20)),
    st.tuples(st.floats(-1, 1), st.floats(0.01, 1e4)),
    st.tuples(st.floats(-100, 100), st.floats(0, 1000)),
)
def test_a_spread_keeps_to_its_bounds(
    model: str,
    sigma: float,
    arrivals: tuple[float, float],
    seen: tuple[float, float],
    given_figures: tuple[float, float],
) -> None:
    (imbalance, floor), (fee, gamma) = seen, given_figures
    params = SpreadParams.model_validate(
        {"model": model, "min_bps": 2.0, "max_bps": 40.0, "maker_fee_bps": fee}
        | {"risk_aversion": gamma}
    )
    known = signals(sigma=sigma, arrivals=arrivals, floor_bps=floor)
    assert 2e-4 <= SpreadCalculator(params).width(imbalance, known) <= 40e-4


def test_a_figure_that_is_none_gives_the_widest_spread() -> None:
    for model in ("vol", "as", "glft", "markout"):
        known = signals(sigma=math.nan, floor_bps=math.nan)
        assert width_bps(model, known) == pytest.approx(500.0)


def manager(model: str, **changes: Any) -> InventoryManager:
    params = InventoryParams.model_validate({"model": model} | changes)
    return InventoryManager(params, limits(), BTC, SpreadParams(risk_aversion=0.1))


@pytest.mark.parametrize(
    ("model", "shift_bps"),
    [("seed", -10.0), ("linear", -9.0), ("as", -8.0), ("glft", -3.456), ("portfolio", -9.0)],
)
def test_shifts_by_hand(model: str, shift_bps: float) -> None:
    # Half the limit, two units, 12 bps wide: 3 half widths of 6 at the limit; 0.1 * 4 * 10 a unit.
    shift = manager(model).shift(0.5, 2.0, 12e-4, signals())
    assert shift * 1e4 == pytest.approx(shift_bps)
    assert manager(model, direction="literal").shift(0.5, 2.0, 12e-4, signals()) == -shift


@settings(max_examples=100)
@given(
    st.sampled_from(SKEWS),
    st.lists(st.floats(-1, 1), min_size=2, max_size=2),
    st.floats(1e-4, 0.05),
    st.floats(0.2, 50),
    st.tuples(st.floats(1e-4, 50), st.floats(0.02, 20)),
)
def test_no_skew_leads_to_more_inventory(
    model: str,
    ratios: list[float],
    spread: float,
    sigma: float,
    arrivals: tuple[float, float],
) -> None:
    stage, known = manager(model), signals(sigma=sigma, arrivals=arrivals)
    less, more = (stage.shift(ratio, 4 * ratio, spread, known) for ratio in sorted(ratios))
    assert more <= less
    assert all(stage.shift(ratio, 4 * ratio, spread, known) * ratio <= 0 for ratio in ratios)


def test_a_position_limit_by_what_may_be_lost() -> None:
    # A quarter of 50 dollars, 2.33 * 2 bps * sqrt(600 s) = 114.1 bps: 1,095 dollars.
    stage = InventoryManager(
        InventoryParams(daily_loss_share=0.25), limits(loss_uusd=50 * USD), BTC
    )
    assert stage.limit_uusd(10_000 * USD, 2.0) == pytest.approx(1095.08 * USD, rel=1e-3)
    assert stage.limit_uusd(10_000 * USD, 0.2) == 3_000 * USD
    assert stage.limit_uusd(10_000 * USD) == 3_000 * USD


def test_one_market_pulls_at_nothing_but_itself() -> None:
    portfolio = Portfolio(1)
    for second in range(300):
        portfolio.note(0, second * SECOND, 100.0 + second % 7, 2.5)
    assert portfolio.pull(0) == 2.5


def test_a_market_that_moves_alike_is_held_as_well() -> None:
    # Both move by the same share at the same times: four fifths of the other's position count.
    portfolio = Portfolio(2)
    for second in range(300):
        moved = 1.0 + 0.01 * (second // 10 % 3)
        portfolio.note(0, second * SECOND, 100.0 * moved, 0.0)
        portfolio.note(1, second * SECOND, 7.0 * moved, 3.0)
    assert portfolio.pull(0) == pytest.approx(0.8 * 3.0)
    # And one that moves the other way is a hedge.
    opposite = Portfolio(2)
    for second in range(300):
        moved = 0.001 * (second // 10 % 3)
        opposite.note(0, second * SECOND, 100.0 * (1 + moved), 2.0)
        opposite.note(1, second * SECOND, 7.0 / (1 + moved), 2.0)
    assert opposite.pull(0) == pytest.approx(0.4, abs=0.01)


def test_skew_by_the_portfolio_sells_what_moves_alike() -> None:
    portfolio = Portfolio(2)
    strategy = maker(inventory={"model": "portfolio"})
    strategy = type(strategy)(strategy.params, limits(), BTC, portfolio)
    for second in range(300):
        moved = 1.0 + 0.01 * (second // 10 % 3)
        portfolio.note(0, second * SECOND, MID * moved, 0.0)
        portfolio.note(1, second * SECOND, 7.0 * moved, 2.0)
    strategy.decide(state(now_ns=300 * SECOND, book_ts_ns=300 * SECOND))
    assert strategy.last.position_ratio == 0.0
    assert strategy.last.skew is not None
    assert strategy.last.skew < 0


def fair(source: str, **changes: Any) -> FairPrice:
    return FairPrice(FairPriceParams.model_validate({"source": source} | changes), limits())


def test_weighted_is_the_mid_by_sizes() -> None:
    assert fair("weighted").price(state(), MID, signals()) == pytest.approx(1000006.6666667)


def test_imbalance_by_hand() -> None:
    # 100,000 lots against 50,000: a third; 0.3 bps of it.
    seen, known, source = state(), signals(), fair("imbalance")
    source.learn(seen, MID, known)
    assert known.imbalance == pytest.approx(1 / 3)
    assert source.price(seen, MID, known) == pytest.approx(MID * (1 + 0.1e-4))


def test_blend_by_hand() -> None:
    source = fair("blend", reference={"min_samples_count": 1}, slopes={"learn": "none"})
    seen, known = state(reference_ticks=1000100.0, reference_ts_ns=100 * SECOND), signals()
    source.learn(seen, MID, known)
    seen.reference_ticks = 1000200.0
    source.learn(seen, MID, known)
    # 100 ticks above what it usually is, less than a bp; four fifths of it, and 0.1 for the sizes.
    assert known.deviation_bps == pytest.approx(100 / MID * 1e4)
    wanted = MID * (1 + 1e-4 * (0.1 + 0.8 * 100 / MID * 1e4))
    assert source.price(seen, MID, known) == pytest.approx(wanted, abs=1e-3)
    # Silent for two seconds: the book alone, and it is told.
    seen.now_ns += 2 * SECOND
    source.learn(seen, MID, known)
    assert (known.deviation_bps, known.stale_reference) == (0.0, True)


def test_blend_does_not_quote_by_another_coins_price_nor_learn_from_it() -> None:
    source = fair("blend", reference={"min_samples_count": 1})
    seen, known = state(reference_ticks=MID, reference_ts_ns=100 * SECOND), signals()
    source.learn(seen, MID, known)
    assert source.price(seen, MID, known) == pytest.approx(MID, rel=1e-4)
    for second in range(101, 120):
        seen.now_ns = seen.reference_ts_ns = second * SECOND
        seen.reference_ticks = MID * 1000
        source.learn(seen, MID, known)
        assert source.price(seen, MID, known) == "fair price too far from mid"
    # It is right again, and at once worth what it was.
    seen.now_ns = seen.reference_ts_ns = 120 * SECOND
    seen.reference_ticks = MID
    source.learn(seen, MID, known)
    assert known.deviation_bps == 0.0
    assert source.price(seen, MID, known) == pytest.approx(MID, rel=1e-4)


def test_a_price_too_far_from_mid_is_none() -> None:
    source = fair("blend", reference={"min_samples_count": 1})
    seen, known = state(reference_ticks=MID, reference_ts_ns=100 * SECOND), signals()
    source.learn(seen, MID, known)
    seen.reference_ticks = MID * 1.01
    source.learn(seen, MID, known)
    assert source.price(seen, MID, known) == "fair price too far from mid"


def test_a_micro_price_by_its_table() -> None:
    # 0.3 to 0.4 of imbalance is bin 6 of ten, and the spread of 10 ticks the last class.
    table = [0.0] * 10 + [0.1 * number for number in range(10)]
    source = fair("micro", micro_adjustments_ticks=table)
    assert source.price(state(), MID, signals()) == pytest.approx(MID + 0.6)
    with pytest.raises(ValidationError, match="10 for each spread"):
        fair("micro", micro_adjustments_ticks=[0.0] * 11)


def test_a_micro_price_trained_by_hand() -> None:
    # One class of spread. A heavy bid (bin 9) moves the mid up a tick half the time and else stays;
    # what it moves to is balanced and never moves. So 0.5 / (1 - 0.5) = 1 tick, mirrored below.
    states = States(1)
    heavy, even = states.of(1.0, 1), states.of(0.1, 1)
    seen = [
        Transition(heavy, heavy, 0.0),
        Transition(heavy, even, 1.0),
        Transition(even, states.of(-0.1, 1), 0.5),
    ]
    table = train(seen, states)
    assert table is not None
    assert len(table) == BINS
    assert table == pytest.approx([-each for each in reversed(table)])
    # From a balanced book half a tick follows, then half a tick back, and so on without end.
    assert table[heavy] > table[even]
    assert MicroTable(table).adjustment(1.0, 5) == table[9]


def test_states_that_are_never_left_train_nothing() -> None:
    states = States(1)
    assert train([Transition(4, 4, 0.0)], states) is None


def test_shares_by_hand() -> None:
    params = SizingParams(
        volatility_reference_bps=1.0,
        inventory_eta=1.0,
        edge_reference_bps=2.0,
        losing_trips_count=2,
    )
    shares = Shares(params)
    # Half for a sigma of 2, half for an edge of 1; a long position takes exp(-0.5) off its bids.
    bid, ask = shares.now(0.5, signals(edge_bps=1.0))
    assert (bid, ask) == pytest.approx((0.25 * math.exp(-0.5), 0.25))
    assert shares.now(-0.5, signals(edge_bps=-9.0))[0] == pytest.approx(0.5 * 0.25)
    for _ in range(2):
        shares.trips.fill(Side.BID, 100, 5)
        shares.trips.fill(Side.ASK, 99, 5)
    assert shares.now(0.0, signals())[0] == pytest.approx(0.25)
    assert Shares(SizingParams()).now(1.0, signals()) == (1.0, 1.0)


def test_round_trips_end_where_the_position_does() -> None:
    trips = RoundTrips()
    trips.fill(Side.BID, 100, 5)
    trips.fill(Side.ASK, 99, 3)
    assert trips.lost == 0
    # The other two, and three short at 98; bought back at 97 these earn.
    trips.fill(Side.ASK, 98, 5)
    assert trips.lost == 1
    trips.fill(Side.BID, 97, 3)
    assert trips.lost == 0


def ladder(levels: dict[str, Any], room: Room = PLENTY) -> tuple[list[int], list[int]]:
    spread = {"model": "fixed", "min_bps": 10, "max_bps": 20}
    strategy = maker(levels={"count": 3} | levels, spread=spread)
    quotes = strategy.decide(state(room=room))
    return [each.ticks for each in quotes.bids], [each.ticks for each in quotes.asks]


def test_geometric_levels_by_hand() -> None:
    # 5, 10 and 20 bps of 1,000,005.
    bids, asks = ladder({"model": "geometric", "growth": 2.0})
    assert bids == [999504, 999004, 998004]
    assert asks == [1000506, 1001006, 1002006]


def test_a_grid_stands_still_while_the_price_moves() -> None:
    # A grid of 4 bps is 400 ticks; 5 bps from 1,000,005 is 999,504 and 1,000,506.
    bids, asks = ladder({"model": "grid", "grid_bps": 4.0})
    assert bids == [999200, 998800, 998400]
    assert asks == [1000800, 1001200, 1001600]
    strategy = maker(levels={"count": 3, "model": "grid"}, spread={"model": "fixed", "min_bps": 10})
    strategy.decide(state())
    moved = [[(ticks + 50, lots) for ticks, lots in side] for side in (BIDS, ASKS)]
    quotes = strategy.decide(state(book=book(*moved)))
    assert [each.ticks for each in quotes.bids] == bids
    assert [each.ticks for each in quotes.asks] == asks


BIDS = [(1000000 - 10 * n, 100000) for n in range(5)]
ASKS = [(1000010 + 10 * n, 50000) for n in range(5)]


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(
        st.sampled_from(SPREADS),
        st.sampled_from(SKEWS),
        st.sampled_from(["seed", "geometric", "grid"]),
        st.sampled_from(["mid", "weighted", "micro", "imbalance", "blend"]),
    ),
    st.integers(2, 2_000_000),
    st.integers(1, 400),
    st.integers(-400, 400),
    st.integers(0, 3),
)
def test_own_quotes_never_cross_whatever_the_models(
    models: tuple[str, str, str, str], bid: int, width: int, position: int, tick: int
) -> None:
    spread, skew, levels, source = models
    ask = bid + min(width, max(1, bid // 20))
    seen = state(
        Market("T", BTC.tick * 10**tick, BTC.lot),
        book=book([(bid, 5), (bid - 1, 5)], [(ask, 7), (ask + 1, 2)]),
        position_lots=position,
    )
    strategy = maker(
        seen.market,
        spread={"model": spread, "min_bps": 1, "max_bps": 90},
        inventory={"model": skew},
        levels={"model": levels, "count": 3},
        fair_price={"source": source},
        sizing={"fixed_base": 1, "min_order_usd": 0, "max_order_usd": 10**9},
        limits=limits(max_book_spread_ratio=0.9),
    )
    for step in range(3):
        seen.now_ns = seen.book_ts_ns = (100 + step) * SECOND
        strategy.observe(seen)
        quotes = strategy.decide(seen)
    bids, asks = ([each.ticks for each in side] for side in (quotes.bids, quotes.asks))
    assert all(price < ask for price in bids)
    assert all(price > bid for price in asks)
    assert not bids or not asks or max(bids) < min(asks)
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert min([*bids, 1]) > 0
