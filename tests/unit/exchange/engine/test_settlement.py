"""Fills become positions, balances and fees: worked by hand, and for any sequence of trades."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine.settlement import fee_atoms, trade_position
from mmbot.exchange.model import AccountChange, Position
from tests.unit.exchange.traders import IOC, TICKLOT, USD, Trader, opened


def test_a_round_trip_worked_by_hand() -> None:
    exchange = opened(usd=1_000)
    maker, taker = Trader(exchange, 1), Trader(exchange, 2)
    # 100 lots at 1000: 0.1 base units at 100 USD, 10 USD; taker pays 350 ppm, maker 100 ppm.
    maker.place(pb.ASK, 1000, 100)
    taker.place(pb.BID, 0, 100, IOC)
    assert taker.atoms == 1_000 * USD - 3_500_000_000
    assert maker.atoms == 1_000 * USD - 1_000_000_000
    # 50 more at 1020 (5.10 USD) make 150 lots for 15.10 USD.
    maker.place(pb.ASK, 1020, 50)
    taker.place(pb.BID, 0, 50, IOC)
    position = exchange.state.accounts[2].positions[0]
    assert (position.lots, position.cost_atoms) == (150, 15_100_000_000_000)
    # 60 sold at 1010 bring 6.06 USD, cost 6.04 USD of them: 0.02 USD realised. Fee 350 ppm of 6.06.
    maker.place(pb.BID, 1010, 60)
    taker.place(pb.ASK, 0, 60, IOC)
    fees = 3_500_000_000 + 1_785_000_000 + 2_121_000_000
    assert taker.atoms == 1_000 * USD - fees + 20_000_000_000
    record = [entry for entry in exchange.state.pnl if entry.account_id == 2][-1]
    assert (record.trading_atoms, record.lots) == (20_000_000_000, 90)
    # 100 sold at 1000: 90 close (9 USD for 9.06), 10 open a short that brought 1 USD.
    maker.place(pb.BID, 1000, 100)
    taker.place(pb.ASK, 0, 100, IOC)
    position = exchange.state.accounts[2].positions[0]
    assert (position.lots, position.cost_atoms) == (-10, -1_000_000_000_000)
    assert taker.atoms == 1_000 * USD - fees - 3_500_000_000 - 40_000_000_000
    everything = 10_000_000_000_000 + 5_100_000_000_000 + 6_060_000_000_000 + 10_000_000_000_000
    assert exchange.state.fee_vault_atoms == everything * 450 // 10**6
    assert exchange.violations() == []


def test_fees_follow_the_tier_and_round_up() -> None:
    exchange = opened()
    maker, taker = Trader(exchange, 1), Trader(exchange, 2)
    exchange.state.accounts[2].fee_tier = 1
    maker.place(pb.ASK, 1000, 7, market_id=1)
    taker.place(pb.BID, 0, 7, IOC, market_id=1)
    assert taker.atoms == 1_000 * USD
    # 7000 atoms at 100 ppm are 0.7 atoms.
    assert maker.atoms == 1_000 * USD - 1
    assert [fee_atoms(value, 350) for value in (0, 1, 10**6, 10**6 + 1)] == [0, 1, 350, 351]


def test_the_stream_sums_the_fills_of_an_order() -> None:
    exchange = opened()
    maker, taker = Trader(exchange, 1), Trader(exchange, 2)
    for ticks in (1000, 1001, 1002):
        maker.place(pb.ASK, ticks, 10)
    exchange.take_changes()
    taker.place(pb.BID, 1001, 25)
    by_account = {c.account_id: c for c in exchange.take_changes() if isinstance(c, AccountChange)}
    fill = by_account[2].fills[0]
    assert (fill.lots, fill.remaining, fill.ticklots, fill.side) == (
        20,
        5,
        10 * 1000 + 10 * 1001,
        1,
    )
    assert [order.lots for order in by_account[2].places] == [5]
    assert [(f.order_id, f.lots, f.remaining) for f in by_account[1].fills] == [
        (1, 10, 0),
        (2, 10, 0),
    ]


TRADES = st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 100)), max_size=30)


@settings(derandomize=True, deadline=None)
@given(TRADES)
def test_no_atom_is_lost_whatever_is_traded(trades: list[tuple[int, int]]) -> None:
    position, realised, cash = Position(), 0, 0
    for lots, ticks in trades:
        value = lots * ticks * TICKLOT
        cash -= value
        realised += trade_position(position, lots, value)
        assert realised - position.cost_atoms == cash
        assert position.lots or position.cost_atoms == 0
        # What open lots cost has their sign.
        assert position.cost_atoms * position.lots >= 0
    assert position.lots == sum(lots for lots, _ in trades)
