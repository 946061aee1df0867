"""Saved and restored, an exchange goes on as if nothing had happened; memory stays bounded."""

import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.errors import DataError
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.params import MemoryParams
from tests.unit.exchange.traders import IOC, NS, PLAIN, Trader, opened, rows


def play(exchange: Exchange, traders: list[Trader], steps: range) -> list[bytes]:
    """Do a fixed sequence of everything and return all receipts."""
    receipts = []
    for step in steps:
        trader, side = traders[step % 2], pb.BID if step % 3 else pb.ASK
        ticks = 995 + step * 7 % 11
        action = pb.Action(place_order=trader.order(side, ticks, 1 + step * 13 % 90, step % 3))
        action.nonce = 1_000 + step
        receipts.append(exchange.act(trader.body(action)))
        exchange.background(0, rows((1, 1, 980 + step % 9, step), (1, -1, 1012 + step % 9, step)))
        if step % 5 == 0:
            exchange.set_index(0, 990.0 + step % 20)
            exchange.advance(exchange.state.now_ns + 400 * NS)
    return receipts


@pytest.mark.parametrize("cut", [0, 37, 100])
def test_a_restored_exchange_goes_on_identically(cut: int) -> None:
    whole = opened()
    traders = [Trader(whole, 1), Trader(whole, 2)]
    play(whole, traders, range(cut))
    again = opened()
    again.load(whole.dump())
    expected = play(whole, traders, range(cut, 120))
    whole_changes = whole.take_changes()[-50:]
    for trader in traders:
        trader.exchange = again
    assert play(again, traders, range(cut, 120)) == expected
    assert again.dump() == whole.dump()
    assert again.take_changes()[-50:] == whole_changes
    assert again.violations() == []


def test_sums_beyond_64_bits_survive() -> None:
    exchange = opened(usd=10**12)
    Trader(exchange, 1)
    again = opened()
    again.load(exchange.dump())
    assert again.state == exchange.state


@pytest.mark.parametrize("damage", [b"", b"{}", b"\x00\xff", b"[1]"])
def test_what_is_no_saved_exchange_is_refused(damage: bytes) -> None:
    exchange = opened()
    before = exchange.dump()
    with pytest.raises(DataError):
        exchange.load(damage)
    with pytest.raises(DataError):
        opened(markets=(PLAIN,)).load(before)
    with pytest.raises(DataError):
        exchange.load(before[: len(before) // 2])
    with pytest.raises(DataError, match="book"):
        exchange.load(before.replace(b'"books":["', b'"books":["QUJD'))
    with pytest.raises(DataError, match="version"):
        exchange.load(before.replace(b'"version":1', b'"version":9'))
    assert exchange.dump() == before


def test_histories_keep_the_newest() -> None:
    exchange = opened(memory=MemoryParams(trades=100, orders=100, actions=100, records=100))
    maker, taker = Trader(exchange, 1), Trader(exchange, 2)
    for _ in range(150):
        maker.place(pb.ASK, 1000, 1)
        taker.place(pb.BID, 1000, 1, IOC)
        maker.place(pb.BID, 1001, 1)
        taker.place(pb.ASK, 1001, 1, IOC)
    state = exchange.state
    for history in (state.trades, state.finished, state.actions, state.pnl):
        assert 100 <= len(history) <= 110
    assert state.trades[-1].trade_id == 300
    assert max(state.finished) == 600
    assert exchange.violations() == []
