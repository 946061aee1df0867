"""Several runs on the same events: side by side, and whether their difference means anything.

Profits are paired minute by minute, so what the market did to both cancels. The interval of a
difference is a bootstrap over those minutes, see contest.paired.
"""

from collections.abc import Sequence

from msgspec import Struct, to_builtins

from mmbot.domain.market import MICRO
from mmbot.errors import DataError
from mmbot.research.contest.paired import CONFIDENCE_PCT, drawn, interval
from mmbot.research.metrics import MetricValue
from mmbot.research.record import RunRecord
from mmbot.research.results import ENOUGH_FILLS, Json, Results, document

SCHEMA = "mmbot.comparison/1"
MIN_MINUTES = 10


class Difference(Struct, frozen=True, kw_only=True):
    """Net profit of `name` less that of `baseline`, with its interval.

    `verdict` says "significant", or "not significant" and why.
    """

    baseline: str
    name: str
    minutes_count: int
    pnl_difference_usd: float
    low_usd: float
    high_usd: float
    confidence_pct: int
    significant: bool
    verdict: str


class Comparison(Struct, frozen=True):
    """Runs side by side; the first is the baseline of all differences."""

    runs: tuple[Results, ...]
    differences: tuple[Difference, ...]


def compare(runs: Sequence[Results], seed: int) -> Comparison:
    """Compare runs with the first one; DataError when they did not see the same events."""
    baseline = runs[0]
    for other in runs[1:]:
        if other.header.data_hash != baseline.header.data_hash:
            raise DataError(
                f"{other.header.name} ran on {other.header.data_hash}, {baseline.header.name} on "
                f"{baseline.header.data_hash}: only runs on the same events can be compared"
            )
    return Comparison(tuple(runs), tuple(_difference(baseline, other, seed) for other in runs[1:]))


def comparison_document(comparison: Comparison) -> Json:
    """Return the JSON document of a comparison, schema "mmbot.comparison/1"."""
    return {
        "schema": SCHEMA,
        "runs": [document(run) for run in comparison.runs],
        "differences": to_builtins(comparison.differences),
    }


def side_by_side(comparison: Comparison) -> dict[str, list[MetricValue]]:
    """Return every key with its value in each run, in the order of the runs."""
    columns = [run.values() for run in comparison.runs]
    return {key: [column.get(key) for column in columns] for key in columns[0]}


def minute_profits(record: RunRecord) -> dict[int, int]:
    """Return the change of equity in micro-USD of every minute with a sample."""
    profits = {}
    before = record.initial_uusd
    for minute, equity in record.minute_closes:
        profits[minute] = equity - before
        before = equity
    return profits


def _difference(baseline: Results, other: Results, seed: int) -> Difference:
    ours, theirs = minute_profits(other.record), minute_profits(baseline.record)
    minutes = sorted(ours.keys() | theirs.keys())
    changes = [ours.get(minute, 0) - theirs.get(minute, 0) for minute in minutes]
    low, high = 0.0, 0.0
    if changes:
        low, high = interval([change for (change,) in drawn([(each,) for each in changes], seed)])
    fewest = min(baseline.metrics.trading.fills_count, other.metrics.trading.fills_count)
    if fewest < ENOUGH_FILLS:
        verdict = f"not significant: {fewest} fills, {ENOUGH_FILLS} are needed on each side"
    elif len(minutes) < MIN_MINUTES:
        verdict = f"not significant: {len(minutes)} minutes, {MIN_MINUTES} are needed"
    elif low <= 0 <= high:
        verdict = f"not significant: the {CONFIDENCE_PCT} % interval contains 0"
    else:
        verdict = "significant"
    return Difference(
        baseline=baseline.header.name,
        name=other.header.name,
        minutes_count=len(minutes),
        pnl_difference_usd=sum(changes) / MICRO,
        low_usd=low / MICRO,
        high_usd=high / MICRO,
        confidence_pct=CONFIDENCE_PCT,
        significant=verdict == "significant",
        verdict=verdict,
    )
