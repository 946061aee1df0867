"""Markets one after another: one clock, one price, and no maker of the past."""

from itertools import pairwise

from mmbot.adapters.sim.flow import MarketType
from mmbot.adapters.sim.regimes import Regimes
from mmbot.adapters.sim.synthetic import Print, SyntheticMarket
from mmbot.assemble import SYNTHETIC_MARKET
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import Replay

SECOND = 1_000_000_000


def played(market: SyntheticMarket | Regimes) -> tuple[list[tuple[int, int, int]], int]:
    """Best prices after every sub-step of a market left alone, and how many trades there were."""
    replay = Replay([OrderBook()], prints=True)
    prints: list[Print] = []
    seen, trades = [], 0
    while not market.finished:
        rows = market.chunk(*replay.best(0), prints)
        replay.feed(0, rows, market.finished)
        replay.advance(2**62)
        prints = replay.take_prints(0)
        trades += len(prints)
        bid, ask = replay.best(0)
        assert bid is not None
        assert ask is not None
        seen.append((replay.now_ns, bid, ask))
    return seen, trades


def test_the_first_market_is_the_one_it_would_be_alone() -> None:
    alone, _ = played(SyntheticMarket(MarketType.NORMAL, 5, SYNTHETIC_MARKET, 60))
    both, _ = played(
        Regimes([(MarketType.NORMAL, 60), (MarketType.TOXIC, 30)], 5, SYNTHETIC_MARKET)
    )
    assert both[: len(alone) - 1] == alone[:-1]
    assert len(both) == 90 * 20


def test_the_price_goes_on_and_the_old_makers_are_gone() -> None:
    kinds = [(MarketType.NORMAL, 60), (MarketType.ILLIQUID, 60)]
    seen, trades = played(Regimes(kinds, 3, SYNTHETIC_MARKET))
    assert trades > 5
    times = [ns for ns, _, _ in seen]
    assert times == sorted(times)
    mids = [(bid + ask) / 2 for _, bid, ask in seen]
    jumps = [abs(after / before - 1) * 1e4 for before, after in pairwise(mids)]
    # The new makers stand around the outside price, which is a few bps from the old ones at most.
    assert jumps[60 * 20 - 1] < 15
    normal = sorted(ask - bid for _, bid, ask in seen[:1200])[600]
    illiquid = sorted(ask - bid for _, bid, ask in seen[1200:])[600]
    assert illiquid > 3 * normal
