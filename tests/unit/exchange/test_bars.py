"""Bars against a slow oracle that groups all trades by calendar period."""

from datetime import UTC, datetime, timedelta
from itertools import groupby

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.order import Side
from mmbot.exchange.bars import KEPT, RESOLUTIONS, Bar, Candles
from mmbot.exchange.model import Trade

_MINUTES = {"1": 1, "5": 5, "15": 15, "30": 30, "60": 60, "240": 240}


def _trade(second: int, ticks: int, lots: int, market_id: int = 0) -> Trade:
    return Trade(
        trade_id=1,
        action_id=1,
        time_ns=second * 10**9 + 7,
        market_id=market_id,
        taker_id=1,
        taker_side=Side.BID,
        taker_order_id=0,
        maker_id=0,
        order_id=0,
        ticks=ticks,
        lots=lots,
        taker_fee_atoms=0,
        maker_fee_atoms=0,
    )


def _period(resolution: str, second: int) -> datetime:
    """Start of the calendar period a moment lies in, by the calendar and not by division."""
    moment = datetime.fromtimestamp(second, UTC).replace(second=0)
    midnight = moment.replace(hour=0, minute=0)
    if resolution == "1M":
        return midnight.replace(day=1)
    if resolution == "1W":
        return midnight - timedelta(days=moment.weekday())
    if resolution == "1D":
        return midnight
    minutes = moment.hour * 60 + moment.minute
    return midnight + timedelta(minutes=minutes - minutes % _MINUTES[resolution])


def _oracle(trades: list[tuple[int, int, int]], resolution: str) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for start, group in groupby(trades, key=lambda trade: _period(resolution, trade[0])):
        rows = list(group)
        prices = [ticks for _, ticks, _ in rows]
        lots = sum(size for _, _, size in rows)
        turnover = sum(ticks * size for _, ticks, size in rows)
        first = int(start.timestamp())
        found.append((first, prices[0], max(prices), min(prices), prices[-1], lots, turnover))
    return found


def _rows(bars: list[Bar]) -> list[tuple[int, ...]]:
    return [
        (bar.start_s, bar.open, bar.high, bar.low, bar.close, bar.lots, bar.turnover)
        for bar in bars
    ]


_TRADES = st.lists(
    st.tuples(st.integers(0, 4 * 10**9), st.integers(1, 10**6), st.integers(1, 10**9)), max_size=40
)
_DENSE = st.tuples(
    st.integers(0, 4 * 10**9),
    st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 99), st.integers(1, 9)), max_size=60),
).map(lambda drawn: [(drawn[0] + after, ticks, lots) for after, ticks, lots in drawn[1]])


@given(_TRADES | _DENSE)
def test_bars_of_every_resolution_are_those_of_the_calendar(
    trades: list[tuple[int, int, int]],
) -> None:
    trades = sorted(trades, key=lambda trade: trade[0])
    candles = Candles()
    for second, ticks, lots in trades:
        candles.add(_trade(second, ticks, lots))
    for resolution in RESOLUTIONS:
        assert _rows(candles.bars(0, resolution)) == _oracle(trades, resolution)


@given(_DENSE, st.integers(-9000, 18_000), st.integers(0, 9000))
def test_a_range_holds_the_bars_that_start_in_it(
    trades: list[tuple[int, int, int]], after: int, length: int
) -> None:
    trades = sorted(trades, key=lambda trade: trade[0])
    candles = Candles()
    for second, ticks, lots in trades:
        candles.add(_trade(second, ticks, lots))
    since = (trades[0][0] if trades else 0) + after
    expected = [bar for bar in candles.bars(0, "5") if since <= bar.start_s < since + length]
    assert candles.between(0, "5", since, since + length) == expected


def test_a_late_trade_joins_the_open_bar() -> None:
    candles = Candles()
    candles.add(_trade(120, 10, 1))
    candles.add(_trade(59, 8, 2))
    assert _rows(candles.bars(0, "1")) == [(120, 10, 10, 8, 8, 3, 26)]


def test_markets_do_not_mix_and_unknown_ones_have_no_bars() -> None:
    candles = Candles()
    candles.add(_trade(0, 10, 1, market_id=2))
    assert candles.bars(0, "1") == []
    assert len(candles.bars(2, "4H")) == len(candles.bars(2, "240")) == 1
    with pytest.raises(KeyError):
        candles.bars(0, "7")


def test_memory_is_bounded_and_the_newest_bars_stay() -> None:
    candles = Candles()
    for minute in range(2 * KEPT + 10):
        candles.add(_trade(minute * 60, minute + 1, 1))
    bars = candles.bars(0, "1")
    assert KEPT <= len(bars) < 2 * KEPT
    assert [bar.open for bar in bars] == list(range(bars[0].open, 2 * KEPT + 11))


def test_the_day_counts_24_hours_and_remembers_the_close_before() -> None:
    candles = Candles()
    hour = 3600
    for second, ticks, lots in [(0, 50, 9), (hour, 70, 1), (20 * hour, 40, 2), (24 * hour, 60, 3)]:
        candles.add(_trade(second, ticks, lots))
    now_ns = (24 * hour + 60) * 10**9
    assert candles.day(0, now_ns) == (6, 70 + 80 + 180, 70, 40, 60, 50)
    assert candles.day(0, now_ns + 72 * hour * 10**9) == (0, 0, None, None, 60, 60)
    assert candles.day(1, now_ns) == (0, 0, None, None, None, None)


def test_saved_bars_come_back_equal_and_go_on() -> None:
    candles = Candles()
    candles.add(_trade(5, 10, 1))
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(candles), type=Candles)
    candles.add(_trade(6, 12, 1))
    again.add(_trade(6, 12, 1))
    assert again == candles
