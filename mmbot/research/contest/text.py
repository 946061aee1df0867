"""A contest as aligned lines for a terminal; the cells serve the page, too."""

from collections.abc import Sequence

from mmbot.research.contest.paired import Estimate
from mmbot.research.contest.standing import Contest, Contrast, Standing
from mmbot.research.summary import aligned
from mmbot.research.text import money_column, number, signed

STANDING_COLUMNS = (
    *("strategy", "fills", "USD an hour", "90 % interval", "bps", "5 s markout", "+-", "spread"),
    *("drawdown", "inventory sd", "at limit", "requests/s"),
)
CONTRAST_COLUMNS = ("difference", "USD an hour", "90 % interval", "bps", "verdict")


def contest_lines(contest: Contest) -> list[str]:
    """Return the standings, the differences, the markouts and the attribution, line by line."""
    lines = [f"{contest.source}, net of fees", ""]
    lines += aligned([STANDING_COLUMNS, *map(standing_cells, contest.standings)])
    if contest.contrasts:
        lines += ["", *aligned([CONTRAST_COLUMNS, *map(contrast_cells, contest.contrasts)])]
    lines += ["", *aligned(markout_rows(contest.standings))]
    lines += ["", *aligned(attribution_rows(contest.standings))]
    if contest.notes:
        lines += ["", *(f"! {note}" for note in contest.notes)]
    return lines


def standing_cells(standing: Standing) -> list[str]:
    """One strategy's row: spread in bps, drawdown and inventory in USD."""
    five = next((m for m in standing.markouts if m.horizon_s == 5), None)
    bps = standing.pnl_net_bps
    return [
        standing.name,
        f"{standing.fills_count:,}",
        signed(standing.pnl_per_hour_usd.value, 2),
        interval(standing.pnl_per_hour_usd, 2),
        signed(None if bps is None else bps.value, 2),
        signed(None if five is None else five.mean_bps, 2),
        number(None if five is None else five.se_bps, 2),
        number(standing.quoted_spread_bps, 2),
        number(standing.max_drawdown_usd, 2),
        number(standing.inventory_sd_usd, 0),
        number(standing.limit_time_pct, 1, " %"),
        number(standing.requests_per_s, 2),
    ]


def contrast_cells(contrast: Contrast) -> list[str]:
    """One difference's row."""
    bps = contrast.bps
    return [
        f"{contrast.name} less {contrast.baseline}",
        signed(contrast.per_hour_usd.value, 2),
        interval(contrast.per_hour_usd, 2),
        signed(None if bps is None else bps.value, 2),
        contrast.verdict,
    ]


def markout_rows(standings: Sequence[Standing]) -> list[list[str]]:
    """Header and rows: each strategy's markouts in bps with their standard errors."""
    horizons = [m.horizon_s for m in standings[0].markouts]
    rows = [["markout, bps", *(cell for h in horizons for cell in (f"{h:g} s", "+-"))]]
    for standing in standings:
        cells = [(signed(m.mean_bps, 2), number(m.se_bps, 2)) for m in standing.markouts]
        rows.append([standing.name, *(cell for pair in cells for cell in pair)])
    return rows


def attribution_rows(standings: Sequence[Standing]) -> list[list[str]]:
    """Header and rows: where each strategy's profit came from, USD; lines nobody has left out."""
    names = [name for name in standings[0].lines if any(s.lines.get(name) for s in standings)]
    columns = [
        money_column([standing.lines.get(name, 0.0) for standing in standings]) for name in names
    ]
    columns.append(money_column([standing.pnl_net_usd for standing in standings]))
    rows = [["attribution, USD", *names, "net profit"]]
    rows += [
        [standing.name, *cells]
        for standing, cells in zip(standings, zip(*columns, strict=True), strict=True)
    ]
    return rows


def interval(estimate: Estimate, decimals: int) -> str:
    """Write an interval, or a dash where there is none."""
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.low:+,.{decimals}f} to {estimate.high:+,.{decimals}f}"
