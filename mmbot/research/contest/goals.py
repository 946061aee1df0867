"""The goals of the strategy study, G1 to G18: each metric for every contestant, met or missed.

Profit is told in bps of one order and hour, as the study does: an order is `ORDER_USD`.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from msgspec import Struct

from mmbot.research.contest.outcome import Outcome
from mmbot.research.contest.paired import Estimate
from mmbot.research.contest.standing import Contrast, Standing, contrast, standing
from mmbot.research.results import ENOUGH_FILLS
from mmbot.research.text import MISSING

ORDER_USD = 1000.0
USD_TO_BPS = 1e4 / ORDER_USD
OURS = "mmbot"
ZO, GLFT, AVELLANEDA = "zo", "glft", "avellaneda"
RECORDED = "recorded"
CONTESTANTS = ("notes literal", "notes reduce", ZO, GLFT, "glft + fee", AVELLANEDA, OURS)
GATE = "no depth pays"

Field = Mapping[str, Sequence[Outcome]]
"""Runs on one kind of market, by contestant."""


class Measured(NamedTuple):
    """What is measured beside the runs; None where it was not.

    gate_s: seconds from the beginning of toxic flow to the gate, None for a path without.
    decide_us: median and 99 % of one decision. simulator_s: a market of 10,000 s with nobody in it.
    bars_bps: profit per volume by bars less by events. skew_pct: share of random states in which
    inventory is expected to fall, by contestant. learning: what a learned model gained in Brier's
    score over volatility alone, None where it was not judged, and the verdict in words.
    """

    gate_s: Sequence[float | None] = ()
    decide_us: tuple[float, float] | None = None
    simulator_s: float | None = None
    bars_bps: float | None = None
    skew_pct: Mapping[str, float] = {}
    learning: tuple[float | None, str] = (None, "not run")


class Goal(Struct, frozen=True, kw_only=True):
    """One row: `met` is None where it could not be judged, `finding` says why or by how much."""

    number: str
    metric: str
    values: dict[str, str]
    goal: str
    met: bool | None
    finding: str


def goals(fields: Mapping[str, Field], measured: Measured, seed: int) -> list[Goal]:
    """Judge all of them, in their order; `fields` by kind of market."""
    tables = {kind: _standings(field, seed) for kind, field in fields.items()}
    recorded, found = tables.get(RECORDED, {}), fields.get(RECORDED, {})
    return [
        _inventory(recorded),
        _limit(recorded),
        _per_volume(recorded, found, seed),
        _markout(recorded),
        _normal(tables.get("normal", {}), fields.get("normal", {}), seed),
        _illiquid(tables.get("illiquid", {})),
        _share_of_zo("G7", "volatile", tables.get("volatile", {}), 15),
        _share_of_zo("G8", "toxic", tables.get("toxic", {}), 10),
        _drawdown(fields.get("flash-crash", {})),
        _gate_delay(measured.gate_s),
        _false_gating(tables.get("normal", {})),
        _requests(fields),
        _bars(measured.bars_bps),
        _identity(fields),
        _learning(*measured.learning),
        _decision(measured.decide_us),
        _simulator(measured.simulator_s),
        _skew(measured.skew_pct),
    ]


def bps_an_hour(estimate: Estimate) -> str:
    """Write profit an hour in bps of an order, with its interval."""
    text = f"{estimate.value * USD_TO_BPS:+,.0f}"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} [{estimate.low * USD_TO_BPS:+,.0f}, {estimate.high * USD_TO_BPS:+,.0f}]"


def _standings(field: Field, seed: int) -> dict[str, Standing]:
    return {name: standing(runs, seed) for name, runs in field.items()}


def _row(
    number: str, metric: str, values: dict[str, str], goal: str, verdict: tuple[bool | None, str]
) -> Goal:
    met, finding = verdict
    return Goal(number=number, metric=metric, values=values, goal=goal, met=met, finding=finding)


NO_RUN = (None, "not run")


def _inventory(table: Mapping[str, Standing]) -> Goal:
    shares = {name: each.inventory_sd_of_limit for name, each in table.items()}
    ours = shares.get(OURS)
    values = {name: MISSING if share is None else f"{share:.3f}" for name, share in shares.items()}
    verdict = NO_RUN if ours is None else (ours <= 0.08, f"{ours:.3f}")
    return _row("G1", "inventory sd / limit, recordings", values, "<= 0.08", verdict)


def _limit(table: Mapping[str, Standing]) -> Goal:
    shares = {name: each.limit_time_pct or 0.0 for name, each in table.items()}
    values = {name: f"{share:.1f} %" for name, share in shares.items()}
    verdict = NO_RUN if OURS not in shares else (shares[OURS] <= 1, f"{shares[OURS]:.2f} %")
    return _row("G2", "time at the limit, recordings", values, "<= 1 %", verdict)


def _per_volume(table: Mapping[str, Standing], field: Field, seed: int) -> Goal:
    metric, goal = "net profit per volume, recordings, bps", "above glft, avellaneda; >= zo"
    values = {
        name: MISSING if each.pnl_net_bps is None else f"{each.pnl_net_bps.value:+.2f}"
        for name, each in table.items()
    }
    ours = table.get(OURS)
    if ours is None:
        return _row("G3", metric, values, goal, NO_RUN)
    if ours.pnl_net_bps is None:
        return _row("G3", metric, values, goal, (False, "no fill of ours"))
    told, met = [], True
    for name in (GLFT, AVELLANEDA):
        difference = contrast(field[name], field[OURS], seed)
        met &= _surely_above(difference)
        told.append(f"less {name} {_bps(difference.bps)}, {difference.verdict}")
    zo = table[ZO].pnl_net_bps
    met &= zo is None or ours.pnl_net_bps.value >= zo.value
    return _row("G3", metric, values, goal, (met, "; ".join(told)))


def _surely_above(difference: Contrast) -> bool:
    low = None if difference.bps is None else difference.bps.low
    return difference.fewest_fills >= ENOUGH_FILLS and low is not None and low > 0


def _bps(estimate: Estimate | None) -> str:
    if estimate is None or estimate.low is None or estimate.high is None:
        return MISSING
    return f"{estimate.value:+.2f} [{estimate.low:+.2f}, {estimate.high:+.2f}]"


def _markout(table: Mapping[str, Standing]) -> Goal:
    fives = {
        name: next((m for m in each.markouts if m.horizon_s == 5), None)
        for name, each in table.items()
    }
    values = {
        name: MISSING if m is None or m.mean_bps is None else f"{m.mean_bps:+.2f}"
        for name, m in fives.items()
    }
    ours = fives.get(OURS)
    if ours is None or ours.mean_bps is None:
        verdict: tuple[bool | None, str] = NO_RUN if ours is None else (None, "no fill of ours")
    else:
        few = f", not significant: {ours.fills_count} fills" * (ours.fills_count < ENOUGH_FILLS)
        error = MISSING if ours.se_bps is None else f"{ours.se_bps:.2f}"
        verdict = (ours.mean_bps >= 0, f"{ours.mean_bps:+.2f} +- {error}{few}")
    return _row("G4", "markout after 5 s, recordings, bps", values, ">= 0", verdict)


def _hourly(table: Mapping[str, Standing]) -> dict[str, str]:
    return {name: bps_an_hour(each.pnl_per_hour_usd) for name, each in table.items()}


def _normal(table: Mapping[str, Standing], field: Field, seed: int) -> Goal:
    metric, goal = "normal, profit an hour, bps", "less zo: low end > -10"
    if OURS not in table:
        return _row("G5", metric, {}, goal, NO_RUN)
    difference = contrast(field[ZO], field[OURS], seed).per_hour_usd
    met = None if difference.low is None else difference.low * USD_TO_BPS > -10
    return _row("G5", metric, _hourly(table), goal, (met, f"less zo {bps_an_hour(difference)}"))


def _illiquid(table: Mapping[str, Standing]) -> Goal:
    metric, goal = "illiquid, profit an hour, bps", ">= +150"
    if OURS not in table:
        return _row("G6", metric, {}, goal, NO_RUN)
    ours = table[OURS].pnl_per_hour_usd
    verdict = (ours.value * USD_TO_BPS >= 150, bps_an_hour(ours))
    return _row("G6", metric, _hourly(table), goal, verdict)


def _share_of_zo(number: str, kind: str, table: Mapping[str, Standing], most_pct: int) -> Goal:
    metric, goal = f"{kind}, profit an hour, bps", f"loss <= {most_pct} % of zo's"
    if OURS not in table:
        return _row(number, metric, {}, goal, NO_RUN)
    ours, theirs = table[OURS].pnl_per_hour_usd.value, table[ZO].pnl_per_hour_usd.value
    if theirs >= 0:
        verdict: tuple[bool | None, str] = (None, "zo lost nothing: there is no share of it")
    else:
        share = ours / theirs * 100
        verdict = (share <= most_pct, f"{share:.1f} % of zo's" if ours < 0 else "no loss")
    return _row(number, metric, _hourly(table), goal, verdict)


def _drawdown(field: Field) -> Goal:
    metric, goal = "flash crash, mean of each path's drawdown, bps", "<= 700"
    falls = {
        name: [run.number("max_drawdown_usd") * USD_TO_BPS for run in runs]
        for name, runs in field.items()
    }
    values = {name: f"{sum(each) / len(each):,.0f}" for name, each in falls.items()}
    if OURS not in falls:
        return _row("G9", metric, values, goal, NO_RUN)
    ours = falls[OURS]
    mean = sum(ours) / len(ours)
    return _row("G9", metric, values, goal, (mean <= 700, f"{mean:,.0f}, worst {max(ours):,.0f}"))


def _gate_delay(delays: Sequence[float | None]) -> Goal:
    metric, goal = "from the beginning of toxic flow to the gate", "median <= 300 s, 90 % <= 600 s"
    if not delays:
        return _row("G10", metric, {}, goal, NO_RUN)
    # A path that was not gated is one that would have waited for ever.
    ordered = sorted(float("inf") if each is None else each for each in delays)
    middle = median(ordered)
    late = ordered[min(len(ordered) - 1, -(-len(ordered) * 9 // 10) - 1)]
    never = sum(each is None for each in delays)
    told = f"median {_seconds(middle)}, 90 % {_seconds(late)}, {len(delays)} paths"
    if never:
        told += f", {never} never"
    others = {name: "never" for name in CONTESTANTS if name != OURS}
    values = {**others, OURS: _seconds(middle)}
    return _row("G10", metric, values, goal, (middle <= 300 and late <= 600, told))


def _seconds(value: float) -> str:
    return "never" if value == float("inf") else f"{value:,.0f} s"


def _false_gating(table: Mapping[str, Standing]) -> Goal:
    metric, goal = "gated in a normal market, share of the time", "<= 5 %"
    if OURS not in table:
        return _row("G11", metric, {}, goal, NO_RUN)
    share = table[OURS].gates_pct.get(GATE, 0.0)
    return _row("G11", metric, {OURS: f"{share:.1f} %"}, goal, (share <= 5, f"{share:.1f} %"))


def _requests(fields: Mapping[str, Field]) -> Goal:
    metric, goal = "requests a second, all markets", "mean <= 3, never above 10"
    runs: dict[str, list[Outcome]] = {}
    for field in fields.values():
        for name, each in field.items():
            runs.setdefault(name, []).extend(each)
    means = {
        name: sum(run.number("requests_per_s") * run.span_s for run in each)
        / sum(run.span_s for run in each)
        for name, each in runs.items()
    }
    values = {name: f"{mean:.1f}" for name, mean in means.items()}
    if OURS not in runs:
        return _row("G12", metric, values, goal, NO_RUN)
    most = max(run.most_requests_in_s for run in runs[OURS])
    met = means[OURS] <= 3 and most <= 10
    return _row("G12", metric, values, goal, (met, f"mean {means[OURS]:.2f}, at most {most}"))


def _bars(gap_bps: float | None) -> Goal:
    metric, goal = "profit per volume by bars of 1 s less by events, bps", "within 0.3"
    if gap_bps is None:
        return _row("G13", metric, {}, goal, NO_RUN)
    verdict = (abs(gap_bps) <= 0.3, f"{gap_bps:+.2f}")
    return _row("G13", metric, {OURS: f"{gap_bps:+.2f}"}, goal, verdict)


def _identity(fields: Mapping[str, Field]) -> Goal:
    worst: dict[str, int] = {}
    for field in fields.values():
        for name, runs in field.items():
            worst[name] = max(worst.get(name, 0), *(run.identity_atoms for run in runs))
    values = {name: f"{atoms} atoms" for name, atoms in worst.items()}
    most = max(worst.values(), default=0)
    verdict = NO_RUN if not worst else (most == 0, f"{most} atoms")
    return _row("G14", "attribution less change of equity", values, "<= 1e-9", verdict)


def _learning(gain: float | None, told: str) -> Goal:
    """Met by an honest verdict, whichever it is; the rule for using a model is part of it."""
    metric, goal = "machine learning: Brier gained on volatility, unseen", "verdict printed"
    if gain is None:
        return _row("G15", metric, {}, goal, (None, told))
    return _row("G15", metric, {OURS: f"{gain:+.4f}"}, goal, (True, told))


def _decision(times_us: tuple[float, float] | None) -> Goal:
    metric, goal = "a decision, book to quotes, us", "median <= 20, 99 % <= 100"
    if times_us is None:
        return _row("G16", metric, {}, goal, NO_RUN)
    middle, late = times_us
    told = f"{middle:.1f} / {late:.1f}"
    return _row("G16", metric, {OURS: told}, goal, (middle <= 20 and late <= 100, told))


def _simulator(seconds: float | None) -> Goal:
    metric, goal = "simulator, 10,000 s of market", "<= 5 s"
    if seconds is None:
        return _row("G17", metric, {}, goal, NO_RUN)
    return _row("G17", metric, {OURS: f"{seconds:.2f} s"}, goal, (seconds <= 5, f"{seconds:.2f} s"))


def _skew(shares: Mapping[str, float]) -> Goal:
    metric, goal = "states in which a long position is expected to fall", "100 %"
    values = {name: f"{share:.1f} %" for name, share in shares.items()}
    if OURS not in shares:
        return _row("G18", metric, values, goal, NO_RUN)
    verdict = (shares[OURS] >= 100, f"{shares[OURS]:.1f} %")
    return _row("G18", metric, values, goal, verdict)
