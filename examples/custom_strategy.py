"""A strategy of one's own on the shipped sample: a fixed width around the mid, no skew.

Run it from the checkout: python examples/custom_strategy.py
"""

import sys
from decimal import Decimal
from pathlib import Path

from mmbot.assemble import RunOptions, recorded_run
from mmbot.config.loader import load
from mmbot.domain.order import Level
from mmbot.domain.quotes import Quotes
from mmbot.quoting.state import QuotingState
from mmbot.research.results import RunHeader, describe
from mmbot.research.summary import summary
from mmbot.runtime.replay import replay
from mmbot.tape import FeedOptions, open_feeds

HERE = Path(__file__).parent


class FixedWidth:
    """One bid and one ask, `half_bps` on either side of the mid, `lots` each."""

    def __init__(self, half_bps: float, lots: int) -> None:
        self.half = half_bps / 10_000
        self.lots = lots

    def decide(self, state: QuotingState) -> Quotes:
        """Quote on both sides as far as the risk limits leave room; the rest is the engine's."""
        best_bid, best_ask, *_ = state.book.top(1, True)
        if state.book_ts_ns is None or not 0 < best_bid < best_ask:
            return Quotes((), (), "no book")
        mid = (best_bid + best_ask) / 2
        bid = min(int(mid * (1 - self.half)), best_ask - 1)
        ask = max(int(mid * (1 + self.half)) + 1, best_bid + 1)
        bids = (Level(bid, self.lots),) if state.room.bid_lots >= self.lots else ()
        asks = (Level(ask, self.lots),) if state.room.ask_lots >= self.lots else ()
        return Quotes(bids, asks, None if bids and asks else "no room")


def main() -> None:
    """Replay the sample with the strategy in place of the configured one; print the summary."""
    config = load([HERE / "sample.yaml"]).config
    sample = HERE / "data" / "sample.tape"
    feeds = open_feeds([sample], "tape", FeedOptions())
    lots = feeds[0].market.lots(Decimal("0.004"))
    options = RunOptions(strategy=lambda _market: FixedWidth(half_bps=3.0, lots=lots))
    run = recorded_run(config, feeds, options)
    replay(run.engine, run.venue, run.watch, keep_going=lambda: True)
    header = RunHeader(
        name="fixed width",
        strategy="3 bps either side of the mid",
        source=str(sample),
        data_hash=feeds[0].sha256,
        config_hash="-",
        seed=config.backtest.seed,
        fill_model="power 3 queue",
        latency="40 ms orders, 40 ms answers",
        fees="maker 1 bps, taker 3.5 bps",
    )
    lines = summary(describe(header, run.watch.finish()))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
