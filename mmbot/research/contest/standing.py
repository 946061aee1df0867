"""Strategies side by side: totals over all their runs, and the differences from the first one."""

from collections.abc import Sequence
from itertools import zip_longest

from msgspec import Struct, to_builtins

from mmbot.errors import DataError
from mmbot.research.contest.outcome import Outcome
from mmbot.research.contest.paired import (
    CONFIDENCE_PCT,
    MIN_BLOCKS,
    NOTHING,
    Block,
    Estimate,
    Pair,
    estimate,
    resampled,
    total,
)
from mmbot.research.markouts import Markout
from mmbot.research.metrics import MetricValue
from mmbot.research.record import HORIZONS_NS
from mmbot.research.results import ENOUGH_FILLS, Json

SCHEMA = "mmbot.contest/1"
HOUR_S = 3600.0
# With so many runs each counts as one draw: runs do not depend on each other, stretches may.
ENOUGH_RUNS = 10
WORTH_A_NOTE_PCT = 2.0


class Standing(Struct, frozen=True, kw_only=True):
    """One strategy over all its runs.

    Profit is net of fees. Drawdown is the worst run's; spread, inventory, shares of time and
    requests are means over the runs, each as long as it was.
    """

    name: str
    runs_count: int
    hours: float
    fills_count: int
    volume_usd: float
    pnl_net_usd: float
    pnl_per_hour_usd: Estimate
    pnl_net_bps: Estimate | None
    markouts: tuple[Markout, ...]
    lines: dict[str, float]
    identity_atoms: int
    max_drawdown_usd: float
    mean_drawdown_usd: float
    quoted_spread_bps: float | None
    two_sided_pct: float | None
    limit_time_pct: float | None
    inventory_sd_usd: float
    inventory_max_usd: float
    inventory_sd_of_limit: float | None
    requests_per_s: float
    rejected_count: int
    gates_pct: dict[str, float]

    def values(self) -> dict[str, MetricValue]:
        """Return what a condition may name."""
        keys = [name for name in self.__struct_fields__ if name not in _NOT_NUMBERS]
        found: dict[str, MetricValue] = {key: getattr(self, key) for key in keys}
        found["pnl_per_hour_usd"] = self.pnl_per_hour_usd.value
        found["pnl_net_bps"] = None if self.pnl_net_bps is None else self.pnl_net_bps.value
        for markout in self.markouts:
            found[f"markout_{markout.horizon_s:g}s_bps"] = markout.mean_bps
        return found


def value_keys() -> tuple[str, ...]:
    """Name the keys of `Standing.values` before there is one."""
    keys = [name for name in Standing.__struct_fields__ if name not in _NOT_NUMBERS]
    seconds = (0.0, *(ns / 1e9 for ns in HORIZONS_NS))
    return (*keys, "pnl_per_hour_usd", "pnl_net_bps", *(f"markout_{s:g}s_bps" for s in seconds))


_NOT_NUMBERS = {"name", "pnl_per_hour_usd", "pnl_net_bps", "markouts", "lines", "gates_pct"}


class Contrast(Struct, frozen=True, kw_only=True):
    """`name` less `baseline`: net profit per hour and per volume; `verdict` says what it means.

    `fewest_fills` is of the one that had fewer.
    """

    baseline: str
    name: str
    per_hour_usd: Estimate
    bps: Estimate | None
    blocks_count: int
    fewest_fills: int
    significant: bool
    verdict: str


class Contest(Struct, frozen=True, kw_only=True):
    """Strategies on the same markets; the first is the baseline of the contrasts."""

    source: str
    confidence_pct: int
    standings: tuple[Standing, ...]
    contrasts: tuple[Contrast, ...]
    notes: tuple[str, ...]


def judge(outcomes: Sequence[Outcome], source: str, seed: int) -> Contest:
    """Compare strategies; DataError when they did not run on the same markets."""
    runs: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        runs.setdefault(outcome.name, []).append(outcome)
    first, *others = runs.values()
    for other in others:
        if [run.digest for run in other] != [run.digest for run in first]:
            raise DataError(
                f"{other[0].name} and {first[0].name} did not run on the same markets: "
                "they cannot be compared"
            )
    standings = tuple(standing(each, seed) for each in runs.values())
    notes = dict.fromkeys(f"{run.name}: {note}" for run in outcomes for note in run.notes)
    notes |= dict.fromkeys(
        f"{each.name}: {pct:.0f} % of the time not quoted as it wanted: {reason}"
        for each in standings
        for reason, pct in each.gates_pct.items()
        if pct >= WORTH_A_NOTE_PCT
    )
    return Contest(
        source=source,
        confidence_pct=CONFIDENCE_PCT,
        standings=standings,
        contrasts=tuple(contrast(first, other, seed) for other in others),
        notes=tuple(notes),
    )


def contest_document(contest: Contest) -> Json:
    """Return the JSON document, schema "mmbot.contest/1"."""
    found: Json = to_builtins(contest)
    return {"schema": SCHEMA, **found}


def standing(runs: Sequence[Outcome], seed: int) -> Standing:
    """Add up the runs of one strategy."""
    hours = sum(run.span_s for run in runs) / HOUR_S
    limits = [run.limit_usd for run in runs if run.limit_usd is not None]
    gates: dict[str, float] = {}
    for run in runs:
        for reason, pct in run.gates_pct.items():
            gates[reason] = gates.get(reason, 0.0) + pct * run.span_s / HOUR_S / hours
    per_hour, bps = _estimates(_pairs(runs, None), hours, seed)
    deviation = _mean([(run.inventory_sd_usd, run.span_s) for run in runs])
    return Standing(
        name=runs[0].name,
        runs_count=len(runs),
        hours=hours,
        fills_count=round(sum(run.number("fills_count") for run in runs)),
        volume_usd=sum(run.number("volume_usd") for run in runs),
        pnl_net_usd=sum(run.number("pnl_net_usd") for run in runs),
        pnl_per_hour_usd=per_hour,
        pnl_net_bps=bps,
        markouts=pooled_markouts(runs),
        lines={name: sum(run.lines.get(name, 0.0) for run in runs) for name in _line_names(runs)},
        identity_atoms=max(run.identity_atoms for run in runs),
        max_drawdown_usd=max(run.number("max_drawdown_usd") for run in runs),
        mean_drawdown_usd=sum(run.number("max_drawdown_usd") for run in runs) / len(runs),
        quoted_spread_bps=_mean_of(runs, "quoted_spread_bps"),
        two_sided_pct=_mean_of(runs, "two_sided_pct"),
        limit_time_pct=_mean_of(runs, "limit_time_pct"),
        inventory_sd_usd=deviation or 0.0,
        inventory_max_usd=max(run.number("inventory_max_usd") for run in runs),
        inventory_sd_of_limit=(
            (deviation or 0.0) / (sum(limits) / len(limits)) if limits and all(limits) else None
        ),
        requests_per_s=_mean_of(runs, "requests_per_s") or 0.0,
        rejected_count=round(sum(run.number("rejected_count") for run in runs)),
        gates_pct=gates,
    )


def contrast(baseline: Sequence[Outcome], runs: Sequence[Outcome], seed: int) -> Contrast:
    """Return by how much the runs of a strategy differ from another's on the same markets."""
    pairs = _pairs(runs, baseline)
    hours = sum(run.span_s for run in runs) / HOUR_S
    per_hour, bps = _estimates(pairs, hours, seed)
    fewest = min(round(sum(run.number("fills_count") for run in each)) for each in (baseline, runs))
    if fewest < ENOUGH_FILLS:
        verdict = f"not significant: {fewest} fills, {ENOUGH_FILLS} are needed on each side"
    elif len(pairs) < MIN_BLOCKS:
        verdict = f"not significant: {len(pairs)} stretches of time, {MIN_BLOCKS} are needed"
    elif not per_hour.clear_of_zero:
        verdict = f"not significant: the {CONFIDENCE_PCT} % interval contains 0"
    else:
        verdict = "significant"
    return Contrast(
        baseline=baseline[0].name,
        name=runs[0].name,
        per_hour_usd=per_hour,
        bps=bps,
        blocks_count=len(pairs),
        fewest_fills=fewest,
        significant=verdict == "significant",
        verdict=verdict,
    )


def pooled_markouts(runs: Sequence[Outcome]) -> tuple[Markout, ...]:
    """Pool the markouts of all runs, each by its fills; runs are independent of each other."""
    pooled = []
    for each in zip(*(run.markouts for run in runs), strict=True):
        fills = sum(m.fills_count for m in each)
        known = [m for m in each if m.mean_bps is not None]
        mean = sum(m.fills_count * (m.mean_bps or 0.0) for m in known) / fills if fills else None
        # A run of too few fills for an error of its own takes none of the others'.
        errors = [m.fills_count * m.se_bps for m in known if m.se_bps is not None]
        counted = sum(m.fills_count for m in known if m.se_bps is not None)
        error = sum(part * part for part in errors) ** 0.5 / counted if counted else None
        unmatured = sum(m.unmatured_count for m in each)
        pooled.append(Markout(each[0].horizon_s, "all", fills, unmatured, mean, error))
    return tuple(pooled)


def _pairs(runs: Sequence[Outcome], baseline: Sequence[Outcome] | None) -> list[Pair]:
    """What is drawn: whole runs when there are enough of them, else all stretches of time."""
    pairs: list[list[Pair]] = []
    for place, run in enumerate(runs):
        theirs = () if baseline is None else baseline[place].blocks
        # Two runs may end a decision apart, and with it on either side of a stretch's end.
        pairs.append(list(zip_longest(run.blocks, theirs, fillvalue=NOTHING)))
    if len(pairs) < ENOUGH_RUNS:
        return [pair for each in pairs for pair in each]
    return [
        (Block(sums.profit, sums.volume), Block(sums.other_profit, sums.other_volume))
        for sums in map(total, pairs)
    ]


def _estimates(pairs: Sequence[Pair], hours: float, seed: int) -> tuple[Estimate, Estimate | None]:
    sums, draws = total(pairs), resampled(pairs, seed)
    per_hour = estimate(
        (sums.profit - sums.other_profit) / hours,
        [(draw.profit - draw.other_profit) / hours for draw in draws],
    )
    value = sums.bps_of_volume
    if value is None:
        return per_hour, None
    of_draws = [draw.bps_of_volume for draw in draws]
    return per_hour, estimate(value, [each for each in of_draws if each is not None])


def _line_names(runs: Sequence[Outcome]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run.lines))


def _mean_of(runs: Sequence[Outcome], key: str) -> float | None:
    known = [(run.values[key], run.span_s) for run in runs]
    return _mean([(float(value), s) for value, s in known if isinstance(value, int | float)])


def _mean(weighted: Sequence[tuple[float, float]]) -> float | None:
    weight = sum(each for _, each in weighted)
    return sum(value * each for value, each in weighted) / weight if weight else None
