"""The library without the command line: replay the sample twice and read the results.

Run it from the checkout: python examples/replay_sample.py
"""

import sys
from pathlib import Path

from mmbot.assemble import RunOptions, recorded_run
from mmbot.config.loader import load
from mmbot.research.record import RunRecord
from mmbot.runtime.replay import replay
from mmbot.tape import FeedOptions, open_feeds

HERE = Path(__file__).parent
STEPS = 12_000


def play(*overrides: str) -> RunRecord:
    """Replay the first 20 minutes of the sample: 12,000 decisions, one every 100 ms."""
    config = load([HERE / "sample.yaml"], overrides).config
    feeds = open_feeds([HERE / "data" / "sample.tape"], "tape", FeedOptions())
    run = recorded_run(config, feeds, RunOptions())
    replay(run.engine, run.venue, run.watch, max_steps=STEPS, keep_going=lambda: True)
    return run.watch.finish()


def main() -> None:
    """Print fills and profit for two widths; money is integer until the last line."""
    for width in ("5.0", "9.0"):
        record = play(f"defaults.spread.min_bps={width}")
        (market,) = record.markets
        profit = market.market.money(market.pnl_atoms)
        sys.stdout.write(
            f"{width} bps wide: {len(record.fills)} fills, {profit:+.4f} USD after fees\n"
        )


if __name__ == "__main__":
    main()
