"""What one strategy made of one market, small enough to travel between processes."""

from bisect import bisect_right
from math import ceil
from typing import NamedTuple

from msgspec import Struct

from mmbot.domain.market import MICRO
from mmbot.research.contest.paired import Block
from mmbot.research.figures import attribution_steps
from mmbot.research.markouts import Markout
from mmbot.research.metrics import MetricValue, volume_usd
from mmbot.research.record import FillRecord, RunRecord
from mmbot.research.results import Results

SECOND_NS = 1_000_000_000
# Shorter stretches say more about single fills than about a strategy.
MIN_BLOCK_S = 10
BLOCKS_OF_A_RUN = 100


class Entry(NamedTuple):
    """Which strategy on which market; `digest` is the same where the events are."""

    name: str
    source: str
    digest: str


class Outcome(Struct, frozen=True, kw_only=True):
    """One run, condensed.

    `values` are the metrics of a report, `lines` its attribution in USD, `identity_atoms` what
    these differ from the change of equity. Deviation of inventory and its limit are in USD at the
    final mark; `gates_pct` is how long each gate held quotes back.
    """

    name: str
    source: str
    digest: str
    span_s: float
    values: dict[str, MetricValue]
    markouts: tuple[Markout, ...]
    lines: dict[str, float]
    identity_atoms: int
    inventory_sd_usd: float
    limit_usd: float | None
    gates_pct: dict[str, float]
    most_requests_in_s: int
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]

    def number(self, key: str) -> float:
        """Return a metric that is a number in every run."""
        value = self.values[key]
        return float(value) if isinstance(value, int | float) else 0.0


def condense(entry: Entry, results: Results, most_requests_in_s: int = 0) -> Outcome:
    """Keep of a run what a comparison needs."""
    record = results.record
    deviations = [(m.inventory_sd_base or 0.0) * m.final_price for m in results.markets]
    limits = [m.limit_base * m.final_price for m in results.markets if m.limit_base is not None]
    gates: dict[str, float] = {}
    for market in results.markets:
        for reason, pct in market.gates_pct.items():
            gates[reason] = gates.get(reason, 0.0) + pct / len(results.markets)
    return Outcome(
        name=entry.name,
        source=entry.source,
        digest=entry.digest,
        span_s=results.metrics.profit.span_s,
        values=results.values(),
        markouts=tuple(m for m in results.markouts if m.side == "all"),
        lines=dict(attribution_steps(results)),
        identity_atoms=max(
            abs(int(part.lines.total) - market.pnl_atoms)
            for part, market in zip(results.attribution.markets, record.markets, strict=True)
        ),
        inventory_sd_usd=sum(deviations),
        limit_usd=sum(limits) if len(limits) == len(results.markets) else None,
        gates_pct=gates,
        most_requests_in_s=most_requests_in_s,
        blocks=blocks(record),
        notes=results.header.notes,
    )


def blocks(record: RunRecord, block_s: float | None = None) -> tuple[Block, ...]:
    """Cut a run into stretches of equal length, a hundred unless told, 10 s at least.

    The last one holds the rest. Equity is that of the last sample in a stretch, so a stretch's
    profit includes what its positions gained or lost.
    """
    span_s = (record.end_ns - record.start_ns) / SECOND_NS
    length_s = max(MIN_BLOCK_S, ceil(span_s / BLOCKS_OF_A_RUN)) if block_s is None else block_s
    count = max(1, int(span_s // length_s))
    ends = [record.start_ns + round(length_s * SECOND_NS) * (n + 1) for n in range(count - 1)]
    times = [point.ts_ns for point in record.equity]
    closes = [
        record.equity[place - 1].net_uusd if place else record.initial_uusd
        for place in (bisect_right(times, end) for end in ends)
    ]
    closes.append(record.equity[-1].net_uusd if record.equity else record.initial_uusd)
    traded: list[list[FillRecord]] = [[] for _ in range(count)]
    for fill in record.fills:
        traded[bisect_right(ends, fill.ts_exch_ns - 1)].append(fill)
    before = record.initial_uusd
    made = []
    for close, fills in zip(closes, traded, strict=True):
        made.append(Block((close - before) / MICRO, float(volume_usd(record, fills))))
        before = close
    return tuple(made)
