"""The simulated account against hand-worked margins."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.sim.account import SimAccount
from mmbot.domain.market import Contract, Market
from mmbot.domain.order import Side

USD = 1_000_000
BTC = Market("BTCUSD", Decimal("0.1"), Decimal("0.001"), imf=Fraction(1, 50))
ETH = Market("ETHUSD", Decimal("0.01"), Decimal("0.01"), index=1, imf=Fraction(1, 20))
COIN = Market(
    "BTCUSD_PERP",
    Decimal("0.1"),
    Decimal(1),
    contract=Contract.INVERSE,
    contract_size=Decimal(100),
)


def test_long_position_with_resting_orders() -> None:
    account = SimAccount([BTC, ETH], 10_000 * USD)
    # Buy 0.5 BTC at 60,000 for a fee of 0.02 % = 6 USD; mark 60,010.
    fee = BTC.fee(600_000, 500, 200_000)
    account.positions[0].fill(Side.BID, 600_000, 500, fee)
    account.rest(0, Side.BID, 100)
    account.rest(0, Side.ASK, 1_200)
    snapshot = account.snapshot(7, [2 * 600_100, 0])
    # equity 10,000 + 0.5 x 10 - 6 = 9,999; gross notional 0.5 x 60,010 = 30,005
    # worst position: short 0.7 (asks of 1.2), not long 0.6: 0.7 x 60,010 / 50 = 840.14
    assert snapshot.mf_uusd == snapshot.omf_uusd == 9_999 * USD
    assert snapshot.pn_uusd == 30_005 * USD
    assert snapshot.imf_uusd == 840_140_000
    assert (snapshot.ts_venue_ns, snapshot.ts_recv_ns) == (7, 7)
    assert not snapshot.bankruptcy


def test_bids_that_would_lengthen_a_long_position_tie_up_margin() -> None:
    account = SimAccount([BTC], 10_000 * USD)
    account.positions[0].fill(Side.BID, 600_000, 500, 0)
    account.rest(0, Side.BID, 300)
    account.rest(0, Side.ASK, 100)
    # Long 0.5 with bids of 0.3: 0.8 x 60,000 / 50 = 960.
    assert account.snapshot(0, [2 * 600_000]).imf_uusd == 960 * USD


def test_margin_is_rounded_up() -> None:
    thirds = Market("X", Decimal("0.1"), Decimal("0.001"), imf=Fraction(1, 3))
    account = SimAccount([thirds], 0)
    account.rest(0, Side.BID, 1)
    # One lot at half a tick is 50 micro-USD; a third of it is 16.67.
    assert account.snapshot(0, [1]).imf_uusd == 17


def test_funding_is_paid_by_longs_and_received_by_shorts() -> None:
    account = SimAccount([BTC, ETH], 0)
    account.positions[0].fill(Side.BID, 600_000, 100, 0)
    account.positions[1].fill(Side.ASK, 300_000, 200, 0)
    # 1 bp of 0.1 BTC at 60,000 and of 2 ETH at 3,000.
    assert BTC.money(account.pay_funding(0, 1_200_000, 100_000)) == Decimal("-0.6")
    assert ETH.money(account.pay_funding(1, 600_000, 100_000)) == Decimal("0.6")
    assert account.snapshot(0, [1_200_000, 600_000]).mf_uusd == 0


def test_a_market_that_loses_its_price_keeps_its_last() -> None:
    account = SimAccount([BTC], 10_000 * USD)
    assert account.snapshot(0, [0]).mf_uusd == 10_000 * USD
    account.positions[0].fill(Side.BID, 600_000, 1_000, 0)
    priced = account.snapshot(1, [2 * 599_000])
    assert priced.mf_uusd == 9_900 * USD
    assert account.snapshot(1, [0]) == priced


def test_two_markets_add_up_and_orders_leave() -> None:
    account = SimAccount([BTC, ETH], 1_000 * USD)
    account.positions[1].fill(Side.ASK, 300_000, 200, 0)
    account.rest(0, Side.BID, 10)
    account.rest(0, Side.BID, -4)
    assert account.resting_lots(0, Side.BID) == 6
    # ETH: short 2 at 3,000, mark 3,010: -20; notional 6,020, margin 301.
    # BTC: flat, bids 0.006 at a mark of 60,000: 360 / 50 = 7.2.
    snapshot = account.snapshot(0, [2 * 600_000, 2 * 301_000])
    assert snapshot.mf_uusd == 980 * USD
    assert snapshot.pn_uusd == 6_020 * USD
    assert snapshot.imf_uusd == 301 * USD + 7_200_000


def test_inverse_contract_converts_at_the_mark() -> None:
    account = SimAccount([COIN], 0)
    account.positions[0].fill(Side.BID, 500_000, 10, 0)
    # 10 contracts of 100 USD from 50,000 to 62,500: 1000/50000 - 1000/62500 = 0.004 BTC = 250 USD.
    snapshot = account.snapshot(0, [2 * 625_000])
    assert snapshot.mf_uusd is not None
    assert abs(snapshot.mf_uusd - 250 * USD) <= 1
    assert snapshot.pn_uusd == 1_000 * USD


def test_bankrupt_when_equity_is_gone() -> None:
    account = SimAccount([BTC], 100 * USD)
    account.positions[0].fill(Side.ASK, 600_000, 1_000, 0)
    assert not account.snapshot(0, [2 * 600_999]).bankruptcy
    assert account.snapshot(0, [2 * 601_000]).bankruptcy


@settings(max_examples=100, deadline=None)
@given(
    fills=st.lists(
        st.tuples(st.sampled_from(Side), st.integers(1, 10**6), st.integers(1, 10**4)), max_size=8
    ),
    mark=st.integers(1, 2 * 10**6),
)
def test_equity_equals_cash_plus_holding(fills: list[tuple[Side, int, int]], mark: int) -> None:
    account = SimAccount([BTC], 0)
    expected = Fraction(0)
    for side, ticks, lots in fills:
        account.positions[0].fill(side, ticks, lots, 0)
        # One tick of one lot is 0.0001 USD, 100 micro-USD.
        expected += side * lots * (Fraction(mark, 2) - ticks) * 100
    assert account.snapshot(0, [mark]).mf_uusd == expected.__floor__()
