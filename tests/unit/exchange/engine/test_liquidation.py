"""Forced cancels, liquidation and bankruptcy, by hand."""

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine import interventions
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.model import Finalization, Origin
from tests.unit.exchange.traders import IOC, NS, USD, Trader, error, fills, opened, rows


def tick(exchange: Exchange) -> None:
    exchange.advance(exchange.state.now_ns + NS)


def scene() -> tuple[Exchange, Trader, Trader]:
    """Trader 2 has 100 USD and is long 5000 lots (500 USD) bought at 1000."""
    exchange = opened(usd=100)
    maker, taker = Trader(exchange, 1), Trader(exchange, 2)
    exchange.fund(1, 10_000 * USD)
    maker.place(pb.ASK, 1000, 5_000)
    taker.place(pb.BID, 0, 5_000, IOC)
    return exchange, maker, taker


def test_orders_go_newest_first_until_the_margin_holds() -> None:
    exchange, _, taker = scene()
    for ticks in (900, 910, 920):
        taker.place(pb.BID, ticks, 1_500)
    keep = exchange.state.accounts[2].orders
    first = min(keep)
    # At 900: mf 100 - 0.175 - 50 = 49.825. All orders: pon 9500 lots, 855 USD, cmf 53.4;
    # without the newest 720 USD: 45; so one goes.
    exchange.set_index(0, 900.0)
    tick(exchange)
    assert sorted(exchange.state.accounts[2].orders) == [first, first + 1]
    (record,) = exchange.state.liquidations
    assert (record.kind, record.account_id) == ("cancel_order", 2)
    assert record.mf_atoms == 49_825 * USD // 1_000
    assert record.cmf_atoms == 855 * USD // 16
    assert exchange.state.finished[first + 2].finalization is Finalization.CANCELED
    tick(exchange)
    assert len(exchange.state.liquidations) == 1
    assert exchange.violations() == []


def test_a_position_is_closed_against_the_book() -> None:
    exchange, maker, taker = scene()
    taker.place(pb.BID, 700, 10)
    maker.place(pb.BID, 830, 3_000)
    maker.place(pb.BID, 820, 9_000)
    # At 840: mf 99.825 - 80 = 19.825, mmf 5 % of 420 = 21.
    exchange.set_index(0, 840.0)
    tick(exchange)
    assert taker.lots == 0
    assert not exchange.state.accounts[2].orders
    closing = [trade for trade in exchange.state.trades if trade.taker_id == 2][1:]
    assert [(trade.ticks, trade.lots) for trade in closing] == [(830, 3_000), (820, 2_000)]
    kinds = [entry.kind for entry in exchange.state.liquidations]
    assert kinds == ["cancel_order", "place_order"]
    assert exchange.state.finished[closing[0].taker_order_id].origin is Origin.LIQUIDATION
    # 3000 x 17 + 2000 x 18 of 0.01 cents a tick and lot: 87 USD lost, fee on 413 USD.
    assert taker.atoms == 99_825 * USD // 1_000 - 87 * USD - 413 * USD * 350 // 10**6
    assert exchange.violations() == []


def test_above_the_maintenance_margin_nothing_happens() -> None:
    exchange, maker, taker = scene()
    maker.place(pb.BID, 830, 9_000)
    # mf 99.825 - 500 + 5 * p / 10 against 5 % of 5 * p / 10: equal at 842.47.
    exchange.set_index(0, 842.5)
    tick(exchange)
    assert taker.lots == 5_000
    exchange.set_index(0, 842.4)
    tick(exchange)
    assert taker.lots == 0


def test_what_the_book_does_not_take_waits() -> None:
    exchange, maker, taker = scene()
    exchange.set_index(0, 800.0)
    tick(exchange)
    tick(exchange)
    assert (taker.lots, exchange.state.liquidations) == (5_000, [])
    maker.place(pb.BID, 700, 1_000)
    tick(exchange)
    assert taker.lots == 4_000
    exchange.background(0, rows((1, 1, 690, 500)))
    tick(exchange)
    assert taker.lots == 3_500
    assert exchange.violations() == []


def test_a_debt_is_a_bankruptcy_once() -> None:
    exchange, maker, taker = scene()
    maker.place(pb.BID, 600, 9_000)
    exchange.set_index(0, 700.0)
    tick(exchange)
    exchange.set_index(0, 701.0)
    tick(exchange)
    assert taker.lots == 0
    assert taker.atoms < 0
    assert exchange.margins(2).bankruptcy
    assert [entry.kind for entry in exchange.state.liquidations] == ["place_order", "bankruptcy"]
    assert error(taker.place(pb.BID, 600, 1)) == 226
    assert exchange.violations() == []


def test_the_operator_can_cancel_fill_and_liquidate() -> None:
    exchange, maker, taker = scene()
    taker.place(pb.BID, 950, 10)
    order_id = max(exchange.state.accounts[2].orders)
    assert interventions.fill(exchange.venue, order_id, 4) == 4
    assert taker.lots == 5_004
    assert exchange.state.accounts[2].orders[order_id].lots == 6
    assert interventions.fill(exchange.venue, order_id, 100) == 6
    assert interventions.fill(exchange.venue, order_id, 1) == 0
    taker.place(pb.BID, 950, 10)
    interventions.cancel_orders(exchange.venue, 2)
    assert not exchange.state.accounts[2].orders
    exchange.background(0, rows((1, 1, 990, 9_000)))
    interventions.liquidate(exchange.venue, 2)
    assert taker.lots == 0
    assert fills(maker.place(pb.ASK, 0, 10, IOC)) == [(990, 10)]
    assert exchange.violations() == []
