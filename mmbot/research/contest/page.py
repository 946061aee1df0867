"""A contest as one HTML file in the style of the report."""

from html import escape
from pathlib import Path

from mmbot.research.contest.standing import Contest, Standing
from mmbot.research.contest.text import (
    CONTRAST_COLUMNS,
    STANDING_COLUMNS,
    attribution_rows,
    contrast_cells,
    markout_rows,
    standing_cells,
)
from mmbot.research.export import write_whole
from mmbot.research.figures import RUN_COLOURS, Figure
from mmbot.research.markup import card, chart, table
from mmbot.research.page import document_of
from mmbot.research.sections import warnings

HEIGHT_PX = 340


def write_contest_page(path: Path, contest: Contest) -> None:
    """Write the page of a contest."""
    charts: dict[str, Figure] = {}
    content = (
        "<h1>Strategies compared</h1>"
        f'<p class="lead">{escape(contest.source)}, net of fees</p>'
        + warnings(contest.notes)
        + contest_cards(contest, charts)
    )
    write_whole(path, document_of("Strategies compared", content, charts).encode())


def contest_cards(contest: Contest, charts: dict[str, Figure]) -> str:
    """Return the cards of a contest, for a page of its own or a part of one."""
    standings = contest.standings
    profit = chart(charts, profit_figure(standings), HEIGHT_PX)
    first, *rest = markout_rows(standings)
    cards = card(
        "Standings",
        "Spread and markouts in bps, drawdown and inventory in USD.",
        profit + table(STANDING_COLUMNS, [standing_cells(each) for each in standings]),
    )
    if contest.contrasts:
        cards += card(
            "Differences",
            "On the same markets, paired; the interval is a block bootstrap.",
            table(
                CONTRAST_COLUMNS,
                [contrast_cells(each) for each in contest.contrasts],
                prose=("verdict",),
            ),
        )
    cards += card(
        "Markouts",
        "Move of the mid in favour after a fill, weighted by value; bars are 95 %.",
        chart(charts, markouts_figure(standings), HEIGHT_PX) + table(first, rest),
    )
    first, *rest = attribution_rows(standings)
    return cards + card("Attribution", "Where the profit came from, USD.", table(first, rest))


def profit_figure(standings: tuple[Standing, ...]) -> Figure:
    """Net profit an hour of each strategy with its interval."""
    estimates = [each.pnl_per_hour_usd for each in standings]
    return {
        "data": [
            {
                "type": "bar",
                "x": [each.name for each in standings],
                "y": [each.value for each in estimates],
                "marker": {"color": ["$gain" if e.value > 0 else "$loss" for e in estimates]},
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [None if e.high is None else e.high - e.value for e in estimates],
                    "arrayminus": [None if e.low is None else e.value - e.low for e in estimates],
                    "color": "$ink",
                    "thickness": 1,
                },
                "hovertemplate": "%{x}: %{y:+,.2f} USD an hour<extra></extra>",
                "showlegend": False,
            }
        ],
        "layout": {
            "hovermode": "closest",
            "xaxis": {"showgrid": False, "zeroline": False, "automargin": True},
            "yaxis": {"title": {"text": "USD an hour"}, "zeroline": True},
        },
    }


def markouts_figure(standings: tuple[Standing, ...]) -> Figure:
    """Markouts of each strategy over the horizons."""
    traces = []
    for place, standing in enumerate(standings):
        colour = RUN_COLOURS[place % len(RUN_COLOURS)]
        points = standing.markouts
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": standing.name,
                "x": [at + 0.03 * place for at in range(len(points))],
                "y": [m.mean_bps for m in points],
                "error_y": {
                    "type": "data",
                    "array": [None if m.se_bps is None else 1.96 * m.se_bps for m in points],
                    "thickness": 1,
                    "width": 3,
                    "color": colour,
                },
                "line": {
                    "color": colour,
                    "width": 1.6,
                    "dash": "solid" if place < len(RUN_COLOURS) else "dot",
                },
                "hovertemplate": "%{y:+.3f} bps",
            }
        )
    horizons = [f"{m.horizon_s:g} s" for m in standings[0].markouts]
    return {
        "data": traces,
        "layout": {
            "xaxis": {
                "title": {"text": "time after the fill"},
                "tickvals": list(range(len(horizons))),
                "ticktext": horizons,
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": {"title": {"text": "markout (bps)"}, "zeroline": True},
        },
    }
