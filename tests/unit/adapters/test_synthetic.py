"""The synthetic market: its rows, how it reacts to the bot, and the statistics it must show."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.sim.flow import MarketType, flow_params
from mmbot.adapters.sim.synthetic import (
    FLAG_BUY,
    FLAG_EXCH,
    FLAG_LOCAL,
    FLAG_SELL,
    KIND_DEPTH,
    KIND_MASK,
    KIND_TAKE,
    KIND_TRADE,
    ROW,
    Setting,
    SyntheticMarket,
    tape_rows,
    undisturbed,
)
from mmbot.cext.flow import Flow
from mmbot.domain.market import Market
from tests.oracle.flow_book import FlowBook

BTC = Market("BTCUSD", Decimal("0.1"), Decimal("0.001"))
TICKS_PER_BPS = 60.0
SUBSTEP_NS = 50_000_000
Row = tuple[int, int, int, int, int, int]


def market(kind: MarketType = MarketType.NORMAL, seed: int = 1, steps: int = 60) -> SyntheticMarket:
    return SyntheticMarket(kind, seed, BTC, steps)


def all_rows(synthetic: SyntheticMarket, substeps: int = 1) -> list[Row]:
    rows: list[Row] = []
    while not synthetic.finished:
        rows += ROW.iter_unpack(synthetic.chunk(None, None, (), substeps))
    return rows


def takes(rows: bytes) -> list[Row]:
    return [row for row in ROW.iter_unpack(rows) if row[4] & KIND_MASK == KIND_TAKE]


@pytest.mark.parametrize("kind", MarketType)
def test_book_never_crosses_and_trades_stay_inside_it(kind: MarketType) -> None:
    synthetic = market(kind, seed=3, steps=600)
    book = FlowBook()
    prints: list[tuple[int, int, int, int]] = []
    trades = 0
    while not synthetic.finished:
        rows = synthetic.chunk(book.best(1), book.best(-1), prints, 64)
        prints = []
        for row in ROW.iter_unpack(rows):
            before = (book.range(-1), book.range(1))
            done = book.row(row)
            for _, aggressor, ticks, lots in done:
                low, high = before[0] if aggressor > 0 else before[1]
                assert low <= ticks <= high
                assert lots >= 1
            prints += done
            assert not book.is_crossed
        trades += len(prints)
    assert trades > 0


def test_rows_carry_the_grid_the_clock_and_both_streams() -> None:
    setting = Setting()
    rows = all_rows(market(seed=5, steps=120))
    assert {row[4] & KIND_MASK for row in rows} == {KIND_DEPTH, KIND_TAKE}
    for exch_ns, local_ns, ticks, lots, flags, index in rows:
        assert (exch_ns - setting.start_ns) % SUBSTEP_NS == 0
        assert local_ns == exch_ns + setting.feed_latency_ns
        assert ticks > 0
        assert index == 0
        assert bool(flags & FLAG_BUY) != bool(flags & FLAG_SELL)
        assert flags & FLAG_EXCH
        assert bool(flags & FLAG_LOCAL) == (flags & KIND_MASK == KIND_DEPTH)
        assert lots >= (0 if flags & FLAG_LOCAL else 1)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert rows[-1][0] == setting.start_ns + (120 * 20 - 1) * SUBSTEP_NS


def test_depth_rows_are_changes_only_and_give_the_levels_asked_for() -> None:
    book: dict[tuple[bool, int], int] = {}
    synthetic = market(seed=2, steps=30)
    while not synthetic.finished:
        # Nothing is ever executed here, so a repeated size would be a wasted row.
        for _, _, ticks, lots, flags, _ in ROW.iter_unpack(synthetic.chunk(None, None, (), 1)):
            if flags & KIND_MASK == KIND_DEPTH:
                key = (bool(flags & FLAG_BUY), ticks)
                assert book.get(key, 0) != lots
                book[key] = lots
        for buys in (True, False):
            shown = [lots for (side, _), lots in book.items() if side is buys and lots]
            assert len(shown) == 1 + flow_params(MarketType.NORMAL, 30).levels


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from(MarketType), seed=st.integers(0, 2**64 - 1), substeps=st.integers(1, 64)
)
def test_same_seed_same_bytes_however_they_are_asked_for(
    kind: MarketType, seed: int, substeps: int
) -> None:
    assert all_rows(market(kind, seed, 20)) == all_rows(market(kind, seed, 20), substeps)


def test_seeds_differ_and_a_longer_run_begins_like_a_shorter() -> None:
    short = all_rows(market(seed=7, steps=10))
    assert short != all_rows(market(seed=8, steps=10))
    assert short == all_rows(market(seed=7, steps=20))[: len(short)]


def test_bytes_of_this_version_are_pinned() -> None:
    # Whoever changes the flow on purpose raises FLOW_VERSION and this digest.
    digest = sha256()
    for piece in undisturbed(market(MarketType.TOXIC, seed=42, steps=30)):
        digest.update(piece.rows)
    assert digest.hexdigest()[:16] == "6dad331cfc4ac41f"


def test_prices_start_where_asked_on_any_grid() -> None:
    eth = Market("ETHUSD", Decimal("0.01"), Decimal("0.0001"), index=3)
    setting = Setting(price=Decimal(3_000), start_ns=0, feed_latency_ns=7)
    synthetic = SyntheticMarket(MarketType.NORMAL, 1, eth, 5, setting)
    first = list(ROW.iter_unpack(synthetic.chunk(None, None, (), 1)))
    assert {row[5] for row in first} == {3}
    (ts_ns, bid, bid_lots, ask, ask_lots) = synthetic.touches()[0]
    assert ts_ns == 0
    # 1.5 bps of 300,000 ticks is 45 ticks a side; 5 units of 1,000 USD are 16,667 lots.
    assert 299_900 < bid < 300_000 < ask < 300_100
    assert 2_000 < bid_lots < 120_000
    assert 2_000 < ask_lots < 120_000


def test_executions_push_the_price_by_the_root_of_their_size() -> None:
    quiet, pushed = market(seed=9), market(seed=9)
    for synthetic in (quiet, pushed):
        synthetic.chunk(None, None, (), 1)
    # A buy of 100 units (16.66 lots each) in two prints of one taker: 0.08 x 10 = 0.8 bps = 48
    # ticks for good; the reference shows it a sub-step later.
    ask = quiet.touches()[0][3]
    prints = [(5, 1, ask + 600, 666), (5, 1, ask + 601, 1_000)]
    assert quiet.lots_per_unit == pytest.approx(16.66, abs=0.01)
    quiet.chunk(None, None, (), 1)
    pushed.chunk(None, None, prints, 1)
    assert pushed.reference() - quiet.reference() == pytest.approx(48.0, abs=0.1)
    for synthetic in (quiet, pushed):
        synthetic.chunk(None, None, (), 40)
    assert pushed.reference() - quiet.reference() == pytest.approx(48.0, abs=0.1)
    gap = pushed.touches()[-1][1] - quiet.touches()[-1][1]
    assert gap == pytest.approx(48, abs=4)


def test_makers_show_less_where_they_were_hit_and_announce_it() -> None:
    plain, hit = market(seed=4), market(seed=4)
    for synthetic in (plain, hit):
        synthetic.chunk(None, None, (), 1)
    _, bid, bid_lots, _, _ = hit.touches()[0]
    plain.chunk(None, None, (), 1)
    hit.chunk(None, None, [(0, -1, bid, bid_lots)], 1)
    # The whole touch was sold into: exp(-0.5), less what the queue's own return gives back.
    ratio = hit.touches()[0][2] / plain.touches()[0][2]
    assert ratio == pytest.approx(0.63, abs=0.05)
    assert hit.touches()[0][4] == plain.touches()[0][4]


def test_eaten_deeper_levels_are_announced_again() -> None:
    synthetic = market(seed=4)
    first = list(ROW.iter_unpack(synthetic.chunk(None, None, (), 1)))
    asks = sorted(
        row[2] for row in first if row[4] & KIND_MASK == KIND_DEPTH and row[4] & FLAG_SELL
    )
    eaten = asks[8]
    again = ROW.iter_unpack(synthetic.chunk(None, None, [(0, 1, eaten, 1)], 1))
    assert eaten in [row[2] for row in again if row[4] & FLAG_LOCAL]


def until_informed(own_bid: int | None, own_ask: int | None, steps: int = 30) -> list[Row]:
    silent = replace(flow_params(MarketType.NORMAL, steps), noise_rate=0.0, jump_rate=0.0)
    synthetic = SyntheticMarket(MarketType.NORMAL, 6, BTC, steps, params=silent)
    found: list[Row] = []
    while not synthetic.finished:
        found += takes(synthetic.chunk(own_bid, own_ask, (), 1))
    return found


def test_informed_takers_hit_a_bot_whose_quote_is_wrong() -> None:
    assert until_informed(None, None) == []
    # Bids 20 bps above and asks 20 bps below the market are picked off by both kinds of taker.
    for rows, side in (
        (until_informed(600_000 + 1_200, None), FLAG_SELL),
        (until_informed(None, 600_000 - 1_200), FLAG_BUY),
    ):
        assert len(rows) > 30
        assert all(row[4] & side for row in rows)


def test_informed_takers_leave_a_fair_quote_alone_and_keep_their_edge() -> None:
    # Inside the makers' spread but not beyond the efficient price by 3.5 bps: nobody comes.
    assert until_informed(600_000 + 5, None, steps=2) == []
    # 5 bps too high and the makers far off: only the informed come, and sell down to V + edge.
    params = replace(flow_params(MarketType.NORMAL, 5), noise_rate=0.0, half_spread=20.0, sigma=0.0)
    synthetic = SyntheticMarket(MarketType.NORMAL, 6, BTC, 5, params=replace(params, jump_rate=0.0))
    found: list[Row] = []
    while not synthetic.finished:
        found += takes(synthetic.chunk(600_300, None, (), 1))
        for row in found[-1:]:
            edge_ticks = row[2] - synthetic.reference()
            assert edge_ticks == pytest.approx(3.5 * TICKS_PER_BPS, abs=20)
    # 4 per second for 5 seconds, thinned to 1 - exp(-0.2) per sub-step: 18 on average.
    assert 8 <= len(found) <= 30


def test_the_bot_changes_no_price_without_trading() -> None:
    alone, watched = market(seed=11, steps=30), market(seed=11, steps=30)
    while not alone.finished:
        first, second = alone.chunk(None, None, (), 1), watched.chunk(600_060, 599_940, (), 1)
        assert alone.touches() == watched.touches()
        depth = [row for row in ROW.iter_unpack(first) if row[4] & KIND_MASK == KIND_DEPTH]
        assert depth == [row for row in ROW.iter_unpack(second) if row[4] & KIND_MASK == KIND_DEPTH]


def test_tape_has_trades_in_place_of_takers() -> None:
    for piece in undisturbed(market(seed=1, steps=30)):
        taped = list(ROW.iter_unpack(tape_rows(piece.rows, piece.prints, Setting(), 0)))
        trades = [row for row in taped if row[4] & KIND_MASK == KIND_TRADE]
        assert [(r[0], 1 if r[4] & FLAG_BUY else -1, r[2], r[3]) for r in trades] == piece.prints
        assert all(row[4] & FLAG_EXCH and row[4] & FLAG_LOCAL for row in taped)
        assert not takes(ROW.pack(*taped[0]))
        assert [row[1] for row in taped] == sorted(row[1] for row in taped)
        depth = [r for r in ROW.iter_unpack(piece.rows) if r[4] & KIND_MASK == KIND_DEPTH]
        assert taped == depth + trades


def grid(**changes: float) -> dict[str, float]:
    numbers = flow_params(MarketType.NORMAL, 10).numbers()
    return numbers | {"price_ticks": 1e5, "ticks_per_bps": 10.0, "lots_per_unit": 10.0} | changes


def flow(params: dict[str, float]) -> Flow:
    return Flow(params, seed=1, market=0, clock=(0, 0, 10))


def bad_params() -> Iterator[dict[str, float]]:
    yield grid(levels=0.0)
    yield grid(levels=41.0)
    yield grid(lots_per_unit=0.0)
    yield grid(ticks_per_bps=-1.0)
    yield {"price_ticks": 1.0}


@pytest.mark.parametrize("params", list(bad_params()))
def test_kernel_refuses_nonsense(params: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"levels|positive|struct"):
        flow(params)


@pytest.mark.parametrize("substeps", [0, 65])
def test_kernel_refuses_chunks_it_cannot_hold(substeps: int) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        flow(grid()).chunk(None, None, (), substeps)
