"""The peers' rules against numbers worked by hand, and their manners on any book."""

from math import exp, log, sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.assemble.entrants import factory_of, known_contestants, read_rule
from mmbot.domain.market import Market
from mmbot.domain.order import Level
from mmbot.domain.quotes import Quotes, Room
from mmbot.errors import UsageError
from mmbot.quoting.strategy import Strategy
from tests.unit.quoting.scene import BTC, SECOND, book, state

ORDER = 1000  # lots of 0.00001 BTC: 1000 USD at 100,000
# A tight book far from the quotes: mid 1,000,000.5 ticks of 0.1 USD.
TIGHT = ([(1_000_000, 50_000)], [(1_000_001, 50_000)])


def made(text: str, market: Market = BTC) -> Strategy:
    """The strategy a name stands for."""
    return factory_of(read_rule(text), {})(market)


def quoted(strategy: Strategy, held_lots: int = 0, **changes: Any) -> Quotes:
    """What it wants on the tight book."""
    answer = strategy.decide(state(book=book(*TIGHT), position_lots=held_lots, **changes))
    assert isinstance(answer, Quotes)
    return answer


def test_all_are_there() -> None:
    assert known_contestants() == ["avellaneda", "glft", "notes", "zo"]


@pytest.mark.parametrize(("direction", "bid", "ask"), [(-1, 996424, 1001586), (1, 998419, 1003591)])
def test_the_notes_rule_is_the_worked_example_of_the_model(
    direction: int, bid: int, ask: int
) -> None:
    # Spread 51.666 bps, 0.015 BTC of 3000 USD: half of the limit, 10 bps of shift.
    name = f"notes:direction={direction}:min_bps=15:max_bps=125:max_position_usd=3000:order_usd=100"
    answer = made(name).decide(state(position_lots=1500))
    assert answer == Quotes((Level(bid, 99),), (Level(ask, 99),))


def test_the_notes_rule_keeps_still_within_its_deadband() -> None:
    # 5 % of 20,000 USD is 0.01 BTC less a hair.
    assert quoted(made("notes"), 999) == quoted(made("notes"), 0)
    assert quoted(made("notes"), 1001).bids[0].ticks < quoted(made("notes"), 999).bids[0].ticks


def test_zo_quotes_three_bps_around_the_mid_without_an_outside_price() -> None:
    # 3 bps of 1,000,000.5 are 300.00015: 999700.49985 down, 1000300.50015 up.
    assert quoted(made("zo")) == Quotes((Level(999_700, 999),), (Level(1_000_301, 999),))


def test_zo_follows_the_outside_price_by_the_usual_offset() -> None:
    strategy = made("zo")
    for second in range(9):
        quoted(strategy, now_ns=second * SECOND, reference_ticks=999_900.0)
    # The tenth sample, a wild one, leaves the median at +100.5: 999,950.5 is the fair price.
    answer = quoted(strategy, now_ns=9 * SECOND, reference_ticks=999_850.0)
    assert answer == Quotes((Level(999_650, 999),), (Level(1_000_251, 999),))


@pytest.mark.parametrize(("held", "bids", "asks"), [(2000, 0, 1), (-2000, 1, 0), (1800, 1, 1)])
def test_zo_closes_the_whole_position_once_it_holds_two_orders(
    held: int, bids: int, asks: int
) -> None:
    answer = quoted(made("zo"), held)
    assert (len(answer.bids), len(answer.asks)) == (bids, asks)
    if held == 2000:
        # 2 bps: 1,000,000.5 + 200.0001.
        assert answer.asks == (Level(1_000_201, 2000),)
    if held == -2000:
        assert answer.bids == (Level(999_800, 2000),)


def test_glft_half_and_shift_by_hand() -> None:
    # gamma 0.05, A 0.4, k 1.4, sigma 1.
    c1 = log(1 + 0.05 / 1.4) / 0.05
    c2 = sqrt(0.05 / (2 * 0.4 * 1.4) * (1 + 0.05 / 1.4) ** (1.4 / 0.05 + 1))
    assert (c1, c2) == pytest.approx((0.701826, 0.351443), abs=1e-6)
    # Half 0.701826 + 0.175722 = 0.877548 bps: 87.755 ticks.
    assert quoted(made("glft")) == Quotes((Level(999_912, 999),), (Level(1_000_089, 999),))
    # With a fee of 1 bps 100 ticks more on each side.
    answer = quoted(made("glft:fee_bps=1"))
    assert (answer.bids[0].ticks, answer.asks[0].ticks) == (999_812, 1_000_189)
    # Ten orders held, the whole shift: -0.351443 * 9990/999 bps = -351.4 ticks; both move down.
    answer = quoted(made("glft:skew=1"), 9990)
    assert (answer.bids[0].ticks, answer.asks[0].ticks) == (999_561, 1_000_001)


def test_glft_has_its_limit_where_nobody_fears_risk() -> None:
    near = made("glft:gamma=1e-7").decide(state(book=book(*TIGHT)))
    # c1 = 1/k, c2 = sqrt(gamma e / (2 A k)), which is nothing: 0.714286 + 0.000246/2 bps.
    assert sqrt(1e-7 * exp(1) / (2 * 0.4 * 1.4)) == pytest.approx(0.000493, abs=1e-6)
    assert near == Quotes((Level(999_929, 999),), (Level(1_000_072, 999),))
    # Twenty times that, by the formula: 0.714285 + 0.002203/2 bps.
    assert quoted(made("glft:gamma=2e-6")).bids[0].ticks == 999_928


def test_avellaneda_half_and_shift_by_hand() -> None:
    # 1 * 1/2 + ln(1 + 1/1.4) = 0.5 + 0.538997 bps.
    assert quoted(made("avellaneda")) == Quotes((Level(999_896, 999),), (Level(1_000_105, 999),))
    # Half of the limit short, 10,000.005 USD: up by 0.5 bps.
    answer = quoted(made("avellaneda"), -10_000)
    assert (answer.bids[0].ticks, answer.asks[0].ticks) == (999_946, 1_000_155)


@pytest.mark.parametrize("name", ["glft", "avellaneda"])
def test_textbook_rules_widen_with_what_they_see(name: str) -> None:
    calm, wild = made(name), made(name)
    for step in range(100):
        now_ns = step * SECOND // 10
        still = state(book=book(*TIGHT), now_ns=now_ns)
        calm.decide(still)
        move = 2_000 * (step % 2)
        moved = state(
            book=book([(1_000_000 + move, 50_000)], [(1_000_001 + move, 50_000)]), now_ns=now_ns
        )
        wild.decide(moved)
    # 20 bps every 100 ms are 63 bps per root second; nothing moves at the other.
    assert quoted(calm, now_ns=10 * SECOND).bids[0].ticks > 999_890
    assert quoted(wild, now_ns=10 * SECOND).bids[0].ticks < 999_000


def test_textbook_rules_measure_how_far_takers_go() -> None:
    near, kept = made("avellaneda"), made("avellaneda:memory_s=0")
    far = made("glft")
    for step in range(60):
        now_ns = step * SECOND
        # Takers go exactly 10 bps beyond the mid, a hair of half spread: k is a tenth.
        seen = state(book=book(*TIGHT), now_ns=now_ns)
        seen.takers.bought_ticks, seen.takers.sold_ticks = 1_001_001, 999_000
        for each in (near, kept, far):
            each.decide(seen)
    # sigma is 0: half = ln(1 + 1/0.1) = 2.398 bps, ten times nearer ln(1 + 1/1.4) = 0.539.
    at = {"now_ns": 60 * SECOND}
    assert quoted(near, **at).bids[0].ticks == pytest.approx(1_000_000 - 240, abs=3)
    assert quoted(kept, **at).bids[0].ticks == 999_946
    # ln(1 + 0.05/0.1)/0.05 = 8.109 bps.
    assert quoted(far, **at).bids[0].ticks == pytest.approx(1_000_000 - 811, abs=8)


def test_takers_are_measured_from_the_mid_before_they_came() -> None:
    strategy = made("avellaneda")
    for step in range(60):
        # Each purchase goes 10 bps far and takes the mid with it, to where the next one begins.
        mid = 1_000_000 + 1_000 * step
        seen = state(book=book([(mid, 10)], [(mid + 1, 10)]), now_ns=step * SECOND)
        seen.takers.bought_ticks = mid if step else 0
        last = strategy.decide(seen)
    # From the mid of now they all went nowhere, and k would stay at 1.4; it is a tenth. sigma is
    # a little under 10 bps: half = 4.9 + 2.4.
    assert isinstance(last, Quotes)
    assert 7.0 < (1 - last.bids[0].ticks / 1_059_000.5) * 1e4 < 7.8


@pytest.mark.parametrize("name", ["notes", "notes:direction=1", "zo", "glft:skew=1", "avellaneda"])
@given(
    mid=st.integers(20, 10**7),
    half_spread=st.integers(1, 30),
    held=st.integers(-3000, 3000),
    room=st.integers(0, 3000),
)
@settings(max_examples=60, deadline=None)
def test_quotes_never_cross_anything_and_fit_the_room(
    name: str, mid: int, half_spread: int, held: int, room: int
) -> None:
    bid, ask = max(1, mid - half_spread), mid + half_spread
    answer = made(name).decide(
        state(book=book([(bid, 100)], [(ask, 100)]), position_lots=held, room=Room(room, 2 * room))
    )
    assert isinstance(answer, Quotes)
    for level in answer.bids:
        assert 0 < level.ticks < ask
        assert 0 < level.lots <= room
    for level in answer.asks:
        assert bid < level.ticks
        assert 0 < level.lots <= 2 * room
    if answer.bids and answer.asks:
        assert answer.bids[0].ticks < answer.asks[0].ticks
    else:
        assert answer.reason


@pytest.mark.parametrize("name", ["notes", "zo", "glft", "avellaneda"])
def test_no_book_no_quotes(name: str) -> None:
    answer = made(name).decide(state(book=book([], [])))
    assert answer == Quotes((), (), "no book")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nobody", "strategy nobody: expected a .yaml or .py file, or one of avellaneda, glft"),
        ("missing.py", "strategy missing.py: expected"),
        ("zo:spread_bps=wide", "expected spread_bps=NUMBER"),
        ("zo:spread_bps", "expected spread_bps=NUMBER"),
    ],
)
def test_a_name_that_is_none(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_rule(name)


def test_a_number_that_a_rule_does_not_know() -> None:
    with pytest.raises(UsageError, match="no parameter width; it has spread_bps, take_profit_bps"):
        factory_of(read_rule("zo:width=1"), {})


def test_sizes_are_for_those_who_ask_and_give_way_to_numbers() -> None:
    sizes = {"order_usd": 500.0, "max_position_usd": 1.0}
    assert quoted(factory_of(read_rule("zo"), sizes)(BTC)).bids[0].lots == 499
    assert quoted(factory_of(read_rule("zo:order_usd=100"), sizes)(BTC)).bids[0].lots == 99
