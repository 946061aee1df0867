"""Fee tiers by volume, worked by hand: one lot at 1000 ticks is 0.1 USD."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine.tiers import tier_of
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.params import ExchangeParams, FeeTier
from tests.unit.exchange.traders import DAY_S, IOC, NS, TICKLOT, USD, Trader, opened

DISPLAYED_ASK = 1 << 31 | 1 << 28 | 1
TIERS = (
    FeeTier(maker_ppm=100, taker_ppm=350),
    FeeTier(maker_ppm=50, taker_ppm=300, from_volume_usd=10),
    FeeTier(maker_ppm=0, taker_ppm=250, from_volume_usd=25),
)


def midnight(exchange: Exchange, days: int = 1) -> None:
    exchange.advance((exchange.state.now_ns // (DAY_S * NS) + days) * DAY_S * NS)


def traded(maker: Trader, taker: Trader, lots: int) -> None:
    maker.place(pb.ASK, 1000, lots)
    taker.place(pb.BID, 0, lots, IOC)


def tiers(exchange: Exchange) -> list[int]:
    return [account.fee_tier for account in exchange.state.accounts.values()]


def test_tiers_follow_what_was_traded_in_the_thirty_days_before() -> None:
    exchange = opened(usd=1_000, fee_tiers=TIERS)
    one, two, three = (Trader(exchange, seed) for seed in (1, 2, 3))
    traded(one, two, 100)
    assert exchange.state.volumes == {
        1: {exchange.state.now_s // DAY_S: 10 * USD},
        2: {exchange.state.now_s // DAY_S: 10 * USD},
    }
    midnight(exchange)
    # 10 USD is not above 10 USD.
    assert tiers(exchange) == [0, 0, 0, 0]
    traded(three, two, 160)
    # The day is not over: still 350 ppm of 16 USD.
    assert exchange.state.trades[-1].taker_fee_atoms == 16 * USD * 350 // 10**6
    midnight(exchange)
    # One 10, two 10 + 16 = 26, three 16 USD.
    assert tiers(exchange) == [0, 0, 2, 1]
    traded(three, two, 10)
    assert exchange.state.trades[-1].taker_fee_atoms == USD * 250 // 10**6
    assert exchange.state.trades[-1].maker_fee_atoms == USD * 50 // 10**6
    # Day 30 after the first trades still has them in its window, day 31 has not.
    midnight(exchange, 28)
    assert tiers(exchange) == [0, 0, 2, 1]
    midnight(exchange)
    assert tiers(exchange) == [0, 0, 1, 1]
    midnight(exchange)
    assert tiers(exchange) == [0, 0, 0, 0]
    midnight(exchange)
    assert exchange.state.volumes == {}
    assert exchange.violations() == []


def test_volumes_and_tiers_survive_a_restart_with_fewer_tiers_too() -> None:
    exchange = opened(fee_tiers=TIERS)
    traded(Trader(exchange, 1), Trader(exchange, 2), 300)
    again = opened(fee_tiers=TIERS)
    again.load(exchange.dump())
    assert again.dump() == exchange.dump()
    for each in (exchange, again):
        midnight(each)
        assert tiers(each) == [0, 2, 2]
    fewer = opened(fee_tiers=TIERS[:2])
    fewer.load(exchange.dump())
    assert tiers(fewer) == [0, 1, 1]


def test_a_trade_with_oneself_counts_once() -> None:
    exchange = opened(fee_tiers=TIERS)
    trader = Trader(exchange, 1)
    traded(trader, trader, 10)
    assert [sum(each.values()) for each in exchange.state.volumes.values()] == [10 * 1000 * TICKLOT]


def test_the_house_has_no_volume() -> None:
    exchange = opened(fee_tiers=TIERS)
    trader = Trader(exchange, 1)
    now_ns = exchange.state.now_ns
    exchange.background(0, struct.pack("<qqqqII", now_ns, now_ns, 1000, 300, DISPLAYED_ASK, 0))
    trader.place(pb.BID, 0, 300, IOC)
    assert list(exchange.state.volumes) == [trader.account_id]
    midnight(exchange)
    assert tiers(exchange) == [0, 2]


def test_without_volumes_a_tier_given_by_hand_stays() -> None:
    exchange = opened()
    Trader(exchange, 1)
    exchange.state.accounts[1].fee_tier = 1
    midnight(exchange, 2)
    assert tiers(exchange) == [0, 1]


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 2 * 10**21))
def test_the_tiers_of_the_protocol_page(atoms: int) -> None:
    usd = -(-atoms // USD) - 1
    slow = sum(usd >= above for above in (5 * 10**6, 25 * 10**6, 10**8, 10**9))
    assert tier_of(ExchangeParams().fee_tiers, atoms) == slow


def test_tiers_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValidationError, match="must rise"):
        ExchangeParams(fee_tiers=(*TIERS, TIERS[1]))
