"""Funding on the hour and the mark price, by hand."""

import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine.funding import projected_rate
from mmbot.exchange.params import FundingParams
from mmbot.exchange.state import HOUR_NS
from tests.unit.exchange.traders import IOC, NS, START_S, USD, Trader, opened, rows

NEXT_HOUR_NS = (START_S * NS // HOUR_NS + 1) * HOUR_NS


def test_longs_pay_shorts_by_the_mean_premium() -> None:
    exchange = opened(usd=1_000)
    maker, taker = Trader(exchange, 1), Trader(exchange, 2)
    exchange.advance(NEXT_HOUR_NS)
    maker.place(pb.ASK, 1002, 3_000)
    taker.place(pb.BID, 0, 1_000, IOC)
    maker.place(pb.BID, 1000, 10)
    # Bid 1000, ask 1002, last 1002: mark 1002, premium 0.2 % for half an hour, then the index
    # follows: 0.1 % in the mean, over 8 hours 0.0125 % an hour.
    exchange.advance(NEXT_HOUR_NS + HOUR_NS // 4)
    exchange.advance(NEXT_HOUR_NS + HOUR_NS // 2)
    market = exchange.state.markets[0]
    assert projected_rate(exchange.params.funding, market) == pytest.approx(0.00025)
    exchange.set_index(0, 1002.0)
    exchange.advance(NEXT_HOUR_NS + HOUR_NS)
    assert market.funding_rate == pytest.approx(0.000125)
    assert projected_rate(exchange.params.funding, market) is None
    # A lot is worth 0.1002 USD: 12.525 millionths of a dollar for each of 1000 lots.
    assert market.funding_index == round(0.000125 * 100_200_000_000)
    paid = {r.account_id: r.atoms for r in exchange.state.funding if r.time_ns > NEXT_HOUR_NS}
    assert paid == {1: 12_525_000_000, 2: -12_525_000_000}
    value = 1_000 * 100_200_000_000 - 100_200_000_000_000
    before = 1_000 * USD - 1_002 * 35_000_000 * 1_000 // 1_000
    assert exchange.margins(2).mf == before - 12_525_000_000 + value
    # It is paid into the balance when the position changes.
    atoms = taker.atoms
    taker.place(pb.ASK, 1000, 10, IOC)
    assert taker.atoms == atoms - 12_525_000_000 - 20_000_000_00 - 350_000_000
    record = [entry for entry in exchange.state.pnl if entry.account_id == 2][-1]
    assert record.funding_atoms == -12_525_000_000
    assert exchange.violations() == []


def test_every_hour_has_its_own_premium() -> None:
    exchange = opened()
    exchange.background(0, rows((1, 1, 1000, 5), (1, -1, 1002, 5)))
    exchange.advance(NEXT_HOUR_NS + HOUR_NS)
    exchange.set_index(0, 1001.0)
    exchange.advance(NEXT_HOUR_NS + 2 * HOUR_NS)
    rates = [entry.funding_rate for entry in exchange.state.hours if entry.market_id == 0]
    assert rates[1:] == [pytest.approx(0.001 / 8), 0.0]


def test_the_rate_is_bounded_and_every_hour_on_the_way_counts() -> None:
    exchange = opened()
    exchange.background(0, rows((1, 1, 1500, 5), (1, -1, 1501, 5)))
    exchange.advance(NEXT_HOUR_NS + 3 * HOUR_NS + 5)
    hours = [entry for entry in exchange.state.hours if entry.market_id == 0]
    assert [entry.time_ns for entry in hours] == [NEXT_HOUR_NS + n * HOUR_NS for n in range(4)]
    # The mark stays within 2 % of the index; 2 % / 8 is above the cap.
    assert {entry.mark_ticks for entry in hours} == {1020.0}
    assert [entry.funding_rate for entry in hours] == [0.0005] * 4
    assert hours[-1].funding_index == 4 * 50_000_000


def test_the_clock_may_stall_and_jump_back() -> None:
    exchange = opened()
    exchange.advance(NEXT_HOUR_NS)
    exchange.advance(NEXT_HOUR_NS - 30 * NS)
    exchange.advance(NEXT_HOUR_NS - 30 * NS)
    assert exchange.state.now_s == NEXT_HOUR_NS // NS - 30
    count = len(exchange.state.hours)
    exchange.advance(NEXT_HOUR_NS + 5)
    assert len(exchange.state.hours) == count
    assert exchange.violations() == []


@pytest.mark.parametrize(
    ("events", "mark"),
    [
        ([], 1000.0),
        ([(1, 1, 990, 5)], 990.0),
        ([(1, 1, 990, 5), (1, -1, 1004, 5)], 997.0),
        ([(1, 1, 990, 5), (1, -1, 1004, 5), (5, 1, 1004, 1)], 1004.0),
        ([(1, 1, 700, 5)], 980.0),
    ],
)
def test_the_mark_comes_from_the_book(events: list[tuple[int, int, int, int]], mark: float) -> None:
    exchange = opened()
    if events:
        exchange.background(0, rows(*events))
    exchange.advance(exchange.state.now_ns + 1)
    assert exchange.state.markets[0].mark_ticks == mark


@pytest.mark.parametrize("ticks", [0.0, -1.0, float("nan"), float("inf"), 1e300])
def test_an_index_is_a_price(ticks: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        opened().set_index(0, ticks)


def test_the_cap_is_a_percentage() -> None:
    assert FundingParams().cap_pct == 0.05
