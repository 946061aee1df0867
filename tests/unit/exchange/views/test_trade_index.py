"""The index of trades against looking through all of them."""

from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.order import Side
from mmbot.exchange.model import Trade
from mmbot.exchange.views.trade_index import TradeIndex

_PARTY = st.tuples(st.integers(0, 3), st.integers(1, 4))


def _trade(trade_id: int, market_id: int, taker: tuple[int, int], maker: tuple[int, int]) -> Trade:
    return Trade(
        trade_id=trade_id,
        action_id=trade_id,
        time_ns=trade_id,
        market_id=market_id,
        taker_id=taker[0],
        taker_side=Side.BID,
        taker_order_id=taker[0] and taker[0] * 10 + taker[1],
        maker_id=maker[0],
        order_id=maker[0] and maker[0] * 10 + maker[1],
        ticks=1,
        lots=1,
        taker_fee_atoms=0,
        maker_fee_atoms=0,
    )


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 2), _PARTY, _PARTY), max_size=8), min_size=1, max_size=6
    )
)
def test_every_list_is_what_a_look_through_all_trades_finds(
    batches: list[list[tuple[int, tuple[int, int], tuple[int, int]]]],
) -> None:
    index, trades = TradeIndex(), list[Trade]()
    for batch in batches:
        for market_id, taker, maker in batch:
            if taker == maker:
                continue
            trades.append(_trade(len(trades) + 1, market_id, taker, maker))
        index.follow(trades)
        for account_id in range(1, 4):
            expected = [each for each in trades if account_id in (each.maker_id, each.taker_id)]
            assert list(index.of_account(account_id)) == expected
        for market_id in range(3):
            assert list(index.of_market(market_id)) == [
                each for each in trades if each.market_id == market_id
            ]
        for order_id in range(11, 35):
            assert list(index.of_order(order_id)) == [
                each for each in trades if order_id in (each.order_id, each.taker_order_id)
            ]
    assert list(index.of_account(0)) == []


def test_what_the_history_drops_is_dropped_in_the_end() -> None:
    index, trades = TradeIndex(), list[Trade]()
    for trade_id in range(1, 30_000):
        trades.append(_trade(trade_id, 0, (1, 1), (2, 1)))
        del trades[:-100]
        index.follow(trades)
        assert 1 <= len(index.of_account(1)) < 11_000
    assert index.of_account(1)[-1].trade_id == 29_999


def test_another_history_starts_the_index_anew() -> None:
    index = TradeIndex()
    index.follow([_trade(5, 0, (1, 1), (2, 1))])
    restored = [_trade(3, 1, (1, 2), (0, 0))]
    index.follow(restored)
    assert list(index.of_account(1)) == restored
    assert list(index.of_account(2)) == []
