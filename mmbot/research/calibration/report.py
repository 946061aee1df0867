"""A market's calibration: everything measured, and what it suggests to set; text and YAML."""

from collections.abc import Sequence

from msgspec import Struct

from mmbot.research.calibration.estimates import (
    Arrivals,
    Foretelling,
    arrivals,
    imbalance,
    order_flow,
    volatility,
)
from mmbot.research.calibration.looks import Stretch
from mmbot.research.calibration.shadows import ENOUGH, HORIZONS_S, Curve, curve
from mmbot.research.contest.paired import CONFIDENCE_PCT, Estimate
from mmbot.research.summary import aligned
from mmbot.research.text import MISSING, number, signed, span

SCHEMA = "mmbot.calibration/1"
LAGS_S = (0.1, 1.0, 10.0)
SURE_P = 0.05


class Calibration(Struct, frozen=True, kw_only=True):
    """One market of a recording; volatility by the time over which moves are taken."""

    symbol: str
    seconds: float
    step_ms: float
    volatility_bps: dict[str, Estimate | None]
    arrivals: Arrivals | None
    imbalance: Foretelling | None
    order_flow: Foretelling | None
    curve: Curve


def calibrated(
    symbol: str, stretch: Stretch, latency_s: float, fee_bps: float, seed: int
) -> Calibration:
    """Measure a market."""
    return Calibration(
        symbol=symbol,
        seconds=stretch.seconds,
        step_ms=stretch.step_ns / 1e6,
        volatility_bps={f"{lag:g} s": volatility(stretch, lag, seed) for lag in LAGS_S},
        arrivals=arrivals(stretch, latency_s, seed),
        imbalance=imbalance(stretch, seed),
        order_flow=order_flow(stretch, seed),
        curve=curve(stretch, latency_s, fee_bps, seed),
    )


def curves(
    stretch: Stretch, latencies_ms: Sequence[float], fee_bps: float, seed: int
) -> list[Curve]:
    """Measure the depth-markout curve at each latency."""
    return [curve(stretch, ms / 1000, fee_bps, seed) for ms in latencies_ms]


def calibration_lines(found: Calibration) -> list[str]:
    """Return the figures of a market, then its depth-markout curve, line by line."""
    rows = [["", "value", f"{CONFIDENCE_PCT} % interval"]]
    rows += [
        _row(f"volatility by {lag}, bps per root second", estimate, 3)
        for lag, estimate in found.volatility_bps.items()
    ]
    fit = found.arrivals
    if fit is not None:
        rows.append(_row("A, arrivals a second and side", fit.arrivals_per_s, 3))
        rows.append(_row("k, decay per bps", fit.decay_per_bps, 3))
    signals = {"imbalance": found.imbalance, "order flow of 1 s": found.order_flow}
    for name, signal in signals.items():
        if signal is not None:
            share = f"{name}, {signal.r_squared:.1%} of the next second's moves, bps per unit"
            rows.append(_row(share, signal.slope_bps, 3))
    rows.append(_row("break-even distance from mid, bps", found.curve.break_even_bps, 2))
    lines = [f"{found.symbol}, {span(found.seconds)}, looked at every {found.step_ms:g} ms", ""]
    lines += aligned(rows)
    lines += ["", *curve_lines(found.curve), ""]
    return lines + [f"! {remark}" for remark in remarks(found)]


def curve_lines(found: Curve) -> list[str]:
    """Return a depth-markout curve as a table."""
    rows = [["depth, bps", "fills", "a minute"]]
    rows[0] += [cell for h in HORIZONS_S for cell in (f"{h:g} s", "+-")]
    for depth in found.depths:
        cells = zip(depth.means_bps, depth.errors_bps, strict=True)
        rows.append(
            [
                f"{depth.depth_bps:g}",
                f"{depth.fills_count:,}",
                number(depth.per_minute, 1),
                *(c for mean, se in cells for c in (signed(mean, 2), number(se, 2))),
            ]
        )
    title = f"virtual quotes, {found.latency_s * 1000:g} ms late, markouts in bps before fees"
    return [title, *aligned(rows), break_even_words(found)]


def break_even_words(found: Curve) -> str:
    """Say where fills begin to be worth the fee."""
    at = found.break_even_bps
    if at is None:
        return f"no depth with {ENOUGH} fills earns the fee of {found.fee_bps:g} bps within 5 s"
    return (
        f"fills earn the fee of {found.fee_bps:g} bps from {at.value:.2f} bps on {_interval(at, 2)}"
    )


def remarks(found: Calibration) -> list[str]:
    """Say what not to believe."""
    told = []
    fit = found.arrivals
    if fit is None:
        told.append("too few trades beyond half the spread for A and k")
    elif fit.misfit_p < SURE_P:
        told.append(
            f"arrivals are not exponential: chi-square {fit.chi_square:.1f}, p {fit.misfit_p:.3f}; "
            "do not trust rules that rest on A and k"
        )
    if found.imbalance is not None and not found.imbalance.slope_bps.clear_of_zero:
        told.append("imbalance foretells nothing that is sure here")
    if found.curve.break_even_bps is None:
        told.append("no width to suggest: wider than the known depths, or not at all")
    if found.seconds < 3600:
        told.append("less than an hour: the intervals know nothing of other hours")
    return told


def suggestion(found: Sequence[Calibration]) -> list[str]:
    """Return settings to paste, YAML; every value with its interval as a comment."""
    lines = ["version: 1", "markets:"]
    for each in found:
        at = each.curve.break_even_bps
        lines.append(f"  {each.symbol}:")
        if at is None:
            lines.append("    enabled: false  # no known depth earns the fee at this latency")
            continue
        high = at.value if at.high is None else at.high
        lines += [
            "    spread:",
            f"      min_bps: {2 * at.value:.1f}  # twice the break-even, {_interval(at, 2)}",
            f"      max_bps: {2 * max(high, at.value):.1f}  # twice the upper end of that",
        ]
    fit = found[0].arrivals
    if fit is not None:
        rate, decay = fit.arrivals_per_s, fit.decay_per_bps
        lines += [
            "backtest:",
            "  probabilistic:",
            f"    arrivals_per_s: {rate.value:.3g}  # {_interval(rate, 3)}",
            f"    decay_per_bps: {decay.value:.3g}  # {_interval(decay, 3)}",
        ]
    return lines


def _row(name: str, estimate: Estimate | None, decimals: int) -> list[str]:
    if estimate is None:
        return [name, MISSING, MISSING]
    return [name, number(estimate.value, decimals), _interval(estimate, decimals)]


def _interval(estimate: Estimate, decimals: int) -> str:
    if estimate.low is None or estimate.high is None:
        return MISSING
    return f"{estimate.low:.{decimals}f} to {estimate.high:.{decimals}f}"
