"""Looks and bars against a recording of rows written by hand."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from mmbot.adapters.sim.flow import MarketType
from mmbot.adapters.sim.synthetic import FLAG_BUY, FLAG_EXCH, FLAG_LOCAL, FLAG_SELL, ROW
from mmbot.adapters.sim.synthetic import SyntheticMarket as Synthetic
from mmbot.assemble import SYNTHETIC_MARKET
from mmbot.assemble.looking import SyntheticRecording, bars_of, looks
from mmbot.domain.market import Market
from mmbot.research.calibration.looks import Look

MS = 1_000_000
BOTH = FLAG_EXCH | FLAG_LOCAL
DEPTH, TRADE = 1, 2


class ByHand:
    """A market with these (ms, kind, side, ticks, lots), heard 10 ms later."""

    market: Market = SYNTHETIC_MARKET

    def __init__(self, *rows: tuple[int, int, int, int, int]) -> None:
        self._rows = rows

    def chunks(self) -> Iterator[bytes]:
        """One row each, so that rows are asked for in between."""
        for ms, kind, side, ticks, lots in self._rows:
            yield ROW.pack(ms * MS, (ms + 10) * MS, ticks, lots, kind | side | BOTH, 0)

    def notes(self) -> list[str]:
        """None."""
        return []


def test_a_look_sees_what_was_heard_by_then() -> None:
    market = ByHand(
        (1000, DEPTH, FLAG_BUY, 500, 7),
        (1000, DEPTH, FLAG_SELL, 504, 3),
        (1050, TRADE, FLAG_BUY, 505, 2),
        (1060, TRADE, FLAG_BUY, 504, 1),
        (1070, TRADE, FLAG_SELL, 499, 4),
        # Heard at 1105: of the next look.
        (1095, TRADE, FLAG_SELL, 490, 5),
        (1150, DEPTH, FLAG_BUY, 502, 9),
        (1290, DEPTH, FLAG_SELL, 503, 1),
    )
    found = list(looks(market, 100 * MS))
    start = found[0].ts_ns - 100 * MS
    assert [look._replace(ts_ns=(look.ts_ns - start) // MS) for look in found[:2]] == [
        Look(100, 500, 7, 504, 3, 505, 499, 7, 0.0, 3, (0.4, 0.4)),
        Look(200, 502, 9, 504, 3, 0, 490, 5, found[1].flow, 0, (0.5, 0.5)),
    ]
    assert (found[-1].bid, found[-1].ask, found[-1].ask_lots) == (502, 503, 1)
    # A better bid of 9, in the mean of sizes of 5 and 6.
    assert found[1].flow == pytest.approx(9 / 5.5, rel=1e-3)
    assert found[0].mid == 502.0
    assert found[0].imbalance == 0.4


def test_bars_hold_the_path_and_the_volume() -> None:
    recording = SyntheticRecording(Synthetic(MarketType.NORMAL, 4, SYNTHETIC_MARKET, 120))
    bars = list(bars_of(recording, 10))
    again = SyntheticRecording(Synthetic(MarketType.NORMAL, 4, SYNTHETIC_MARKET, 120))
    traded, highest = 0, 0
    for chunk in again.chunks():
        for exch_ns, _, ticks, lots, flags, _ in ROW.iter_unpack(chunk):
            if flags & 0xFF == TRADE and exch_ns < bars[-1].ts_ns:
                traded, highest = traded + lots, max(highest, ticks)
    assert 118 <= len(bars) <= 120
    # Most bars of a calm market are of its trades alone; where makers walk, they trade, too.
    walks = [bar for bar in bars if bar.volume_lots >= bar.bid_depth_lots + bar.ask_depth_lots]
    offered = sum(bar.bid_depth_lots + bar.ask_depth_lots for bar in walks)
    volume = sum(bar.volume_lots for bar in bars)
    assert 0 < len(walks) < len(bars) / 2
    assert traded < volume <= traded + offered
    assert max(bar.high for bar in bars) >= highest
    for before, bar in pairwise(bars):
        assert bar.ts_ns - before.ts_ns == 1_000_000_000
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
