"""Several markets in one run: each as if alone while limits are far, together when they are not."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from struct import Struct

from mmbot import assemble
from mmbot.cli import main
from mmbot.config.loader import load
from mmbot.domain.market import Market
from mmbot.research.record import RunRecord
from mmbot.research.results import RunHeader, describe
from mmbot.runtime.replay import replay
from mmbot.tape import FeedOptions, open_feeds

ROW = Struct("<qqqqII")
HEADER = RunHeader(
    name="test",
    strategy="",
    source="",
    data_hash="",
    config_hash="",
    seed=1,
    fill_model="",
    latency="",
    fees="",
)

STEPS = 240
FREE = ["rate_limits.orders_per_second=1000", "rate_limits.cancels_per_second=1000"]
FREE += ["rate_limits.requests_per_minute=100000", "risk.max_open_orders_count=1000"]
FREE += ["defaults.spread.min_bps=4", "defaults.spread.max_bps=8"]


def market(index: int) -> Market:
    return Market(f"M{index}", Decimal("0.1"), Decimal("0.00001"), index=index)


@dataclass
class Rows:
    """A recorded market held in memory."""

    market: Market
    parts: list[bytes]

    def chunks(self) -> Iterator[bytes]:
        return iter(self.parts)

    def notes(self) -> list[str]:
        return []


def recorded(folder: Path, seed: int, index: int) -> Rows:
    """A synthetic market recorded under a seed, as the market of this index."""
    tape = folder / f"{seed}.tape"
    if not tape.exists():
        argv = ["simulate", "--steps", str(STEPS), "--seed", str(seed), "--observe"]
        assert main([*argv, "--record", str(tape), "--json", str(folder / "ignored")]) == 0
    (feed,) = open_feeds([tape], "tape", FeedOptions())
    rows = [row[:5] for chunk in feed.chunks() for row in ROW.iter_unpack(chunk)]
    return Rows(market(index), [b"".join(ROW.pack(*row, index) for row in rows)])


def run(feeds: list[Rows], *settings: str) -> RunRecord:
    config = load([], [*FREE, *settings]).config
    wired = assemble.recorded_run(config, feeds, assemble.RunOptions())
    replay(wired.engine, wired.venue, wired.watch, keep_going=lambda: True)
    return wired.watch.finish()


def executions(record: RunRecord, index: int) -> list[tuple[int, int, int, int]]:
    return [
        (fill.ts_exch_ns, fill.side, fill.ticks, fill.lots)
        for fill in record.fills
        if fill.market == index
    ]


def test_far_from_all_limits_each_trades_as_if_alone(tmp_path: Path) -> None:
    both = run([recorded(tmp_path, 1, 0), recorded(tmp_path, 2, 1)])
    for index, seed in enumerate((1, 2)):
        alone = run([recorded(tmp_path, seed, 0)])
        assert executions(alone, 0)
        assert executions(both, index) == executions(alone, 0)
    total = sum(entry.pnl_atoms for entry in both.markets)
    lines = describe(HEADER, both).attribution
    assert sum(own.lines.total for own in lines.markets) == total


def test_the_order_of_the_markets_does_not_matter(tmp_path: Path) -> None:
    one = run([recorded(tmp_path, 1, 0), recorded(tmp_path, 2, 1)])
    other = run([recorded(tmp_path, 2, 0), recorded(tmp_path, 1, 1)])
    assert executions(one, 0) == executions(other, 1)
    assert executions(one, 1) == executions(other, 0)


def test_together_they_stay_below_the_total_limit(tmp_path: Path) -> None:
    # 2 % of 10,000 USD for all: four orders of 100 USD may rest on a side, not eight.
    feeds = [recorded(tmp_path, 1, 0), recorded(tmp_path, 2, 1)]
    record = run(feeds, "risk.max_total_exposure_pct=2", "defaults.levels.count=4")
    assert record.fills
    lots = [0, 0]
    for fill in record.fills:
        lots[fill.market] += fill.side * fill.lots
        usd = sum(abs(held) * 0.00001 * fill.ticks * 0.1 for held in lots)
        # The limit is measured at the mark, the fill at its price: a few bps apart.
        assert usd <= 200.5
