"""The report's charts as plain plotly dictionaries; colours are `$names` of the page's palette."""

from collections.abc import Sequence
from itertools import accumulate
from math import sqrt
from typing import Any, TypeVar

from mmbot.domain.market import MICRO
from mmbot.domain.order import Side
from mmbot.research.compare import Comparison
from mmbot.research.record import FillRecord, MarketRecord, RunRecord
from mmbot.research.results import Results
from mmbot.research.sums import QuoteSample

Figure = dict[str, Any]
Trace = dict[str, Any]

MAX_POINTS = 4000
MS_NS = 1_000_000
CROWD = 200
SPLIT_NS = 5_000_000_000
RUN_COLOURS = ("$net", "$ask", "$gain", "$bid", "$gross")

Item = TypeVar("Item")


def thin(items: Sequence[Item], limit: int) -> list[Item]:
    """Return at most `limit` evenly spaced items, the first and the last among them."""
    count = len(items)
    if count <= limit:
        return list(items)
    return [items[i * (count - 1) // (limit - 1)] for i in range(limit)]


def point_limit(record: RunRecord) -> int:
    """Most points of a line in a market's chart: many markets share the page."""
    return max(400, MAX_POINTS // len(record.markets))


def equity_figure(record: RunRecord) -> Figure:
    """Profit since the start, before and after fees, over the fall from its peak."""
    peaks = accumulate((point.net_uusd for point in record.equity), max)
    initial = record.initial_uusd
    points = thin(list(zip(record.equity, peaks, strict=True)), MAX_POINTS)
    times = [point.ts_ns // MS_NS for point, _ in points]
    net = [(point.net_uusd - initial) / MICRO for point, _ in points]
    gross = [(point.net_uusd + point.fees_uusd - initial) / MICRO for point, _ in points]
    fall = [(point.net_uusd - max(peak, initial)) / MICRO for point, peak in points]
    return {
        "data": [
            _line("before fees", times, gross, "$gross", width=1.2),
            _line("after fees", times, net, "$net", width=2),
            {
                **_line("drawdown", times, fall, "$loss", width=1),
                "yaxis": "y2",
                "fill": "tozeroy",
                "fillcolor": "$loss-fill",
                "showlegend": False,
            },
        ],
        "layout": {
            "xaxis": _time_axis(record, "y2"),
            "yaxis": _axis("profit (USD)", (0.34, 1.0), zeroline=True),
            "yaxis2": _axis("drawdown (USD)", (0.0, 0.26)),
        },
    }


def market_figure(record: RunRecord, index: int) -> Figure:
    """Mid, own quotes and fills of a market; below them the inventory and the quoted spread."""
    entry = record.markets[index]
    limit = point_limit(record)
    samples = thin(entry.series, limit)
    fills = thin([fill for fill in record.fills if fill.market == index], limit)
    times = [sample.ts_ns // MS_NS for sample in samples]
    half_tick = float(entry.market.tick) / 2
    lot = float(entry.market.lot)
    mids = [sample.mid_half_ticks * half_tick for sample in samples]
    inventory = [sample.position_lots * lot for sample in samples]
    spread = [_spread_bps(sample) for sample in samples]
    return {
        "data": [
            _band(samples, times, half_tick),
            _line("mid", times, mids, "$mid", width=1.3),
            _quote("own bid", times, [s.bid_quote_ticks for s in samples], half_tick, "$bid"),
            _quote("own ask", times, [s.ask_quote_ticks for s in samples], half_tick, "$ask"),
            _fills(entry, fills, Side.BID),
            _fills(entry, fills, Side.ASK),
            {
                **_line("inventory", times, inventory, "$net", width=1.4, shape="hv"),
                "yaxis": "y2",
                "fill": "tozeroy",
                "fillcolor": "$net-fill",
                "showlegend": False,
            },
            *_limits(entry, times),
            {
                **_line("quoted spread", times, spread, "$gross", width=1.2, shape="hv"),
                "yaxis": "y3",
                "showlegend": False,
            },
        ],
        "layout": {
            "xaxis": _time_axis(record, "y3"),
            "yaxis": _axis("price (USD)", (0.46, 1.0), tickformat=",~r"),
            "yaxis2": _axis("inventory", (0.21, 0.4), zeroline=True),
            "yaxis3": _axis("spread (bps)", (0.0, 0.15), rangemode="tozero"),
        },
    }


def markout_figure(results: Results) -> Figure:
    """Markouts of all, bid and ask fills over the horizons, with 95 % error bars."""
    traces = []
    for side, colour, shift in (
        ("all", "$ink", 0.0),
        ("bid", "$bid", -0.06),
        ("ask", "$ask", 0.06),
    ):
        points = [m for m in results.markouts if m.side == side]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": {"all": "all fills", "bid": "buys", "ask": "sells"}[side],
                "x": [place + shift for place in range(len(points))],
                "y": [m.mean_bps for m in points],
                "customdata": [m.fills_count for m in points],
                "error_y": {
                    "type": "data",
                    "array": [None if m.se_bps is None else 1.96 * m.se_bps for m in points],
                    "thickness": 1,
                    "width": 3,
                    "color": colour,
                },
                "line": {"color": colour, "width": 2 if side == "all" else 1.3},
                "marker": {"color": colour, "size": 7 if side == "all" else 5},
                "hovertemplate": "%{y:+.3f} bps (%{customdata} fills)",
            }
        )
    horizons = [f"{m.horizon_s:g} s" for m in results.markouts if m.side == "all"]
    axis = {
        "title": {"text": "time after the fill"},
        "tickvals": list(range(len(horizons))),
        "ticktext": horizons,
        "showgrid": False,
        "zeroline": False,
    }
    return {
        "data": traces,
        "layout": {"xaxis": axis, "yaxis": _axis("markout (bps)", (0.0, 1.0), zeroline=True)},
    }


def attribution_figure(results: Results) -> Figure:
    """The way from spread captured to net profit; lines that are zero are left out."""
    steps = [(name, usd) for name, usd in attribution_steps(results) if usd]
    names = [*(name for name, _ in steps), "net profit"]
    values = [*(usd for _, usd in steps), 0.0]
    total = float(results.attribution.lines.total)
    texts = [f"{usd:+,.2f}" for usd in (*values[:-1], total)]
    return {
        "data": [
            {
                "type": "waterfall",
                "x": names,
                "y": values,
                "measure": ["relative"] * len(steps) + ["total"],
                "text": texts,
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": "%{x}: %{text} USD<extra></extra>",
                "increasing": {"marker": {"color": "$gain"}},
                "decreasing": {"marker": {"color": "$loss"}},
                "totals": {"marker": {"color": "$net"}},
                "connector": {"line": {"color": "$grid", "width": 1}},
                "showlegend": False,
            }
        ],
        "layout": {
            "hovermode": "closest",
            "xaxis": {"showgrid": False, "zeroline": False, "automargin": True},
            "yaxis": _axis("USD", (0.0, 0.96), zeroline=True),
        },
    }


def attribution_steps(results: Results) -> list[tuple[str, float]]:
    """Name the lines of profit in USD, inventory split at 5 s where that was measured."""
    lines = results.attribution.lines
    split = next((s for s in results.attribution.splits if s.horizon_ns == SPLIT_NS), None)
    if split is None:
        holding = [("inventory", float(lines.holding))]
    else:
        holding = [("adverse, 5 s", float(split.adverse)), ("inventory", float(split.residual))]
    return [
        ("spread, maker", float(lines.maker_capture)),
        ("spread, taker", float(lines.taker_capture)),
        *holding,
        ("fees", float(lines.fees)),
        ("funding", float(lines.funding)),
        ("hedge spread", float(lines.hedge_execution)),
        ("hedge fees", float(lines.hedge_fees)),
    ]


def comparison_figure(comparison: Comparison) -> Figure:
    """Net profit of every run over time."""
    traces = []
    for place, run in enumerate(comparison.runs):
        points = thin(run.record.equity, MAX_POINTS)
        initial = run.record.initial_uusd
        traces.append(
            _line(
                run.header.name,
                [point.ts_ns // MS_NS for point in points],
                [(point.net_uusd - initial) / MICRO for point in points],
                RUN_COLOURS[place % len(RUN_COLOURS)],
                width=1.6,
            )
        )
    return {
        "data": traces,
        "layout": {
            "xaxis": _time_axis(comparison.runs[0].record, "y"),
            "yaxis": _axis("net profit (USD)", (0.0, 1.0), zeroline=True),
        },
    }


def _line(
    name: str,
    times: Sequence[int],
    values: Sequence[float | None],
    colour: str,
    *,
    width: float,
    shape: str = "linear",
) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": times,
        "y": values,
        "line": {"color": colour, "width": width, "shape": shape},
    }


def _quote(
    name: str, times: Sequence[int], ticks: Sequence[int], half_tick: float, colour: str
) -> Trace:
    prices = [2 * tick * half_tick if tick else None for tick in ticks]
    return {**_line(name, times, prices, colour, width=1, shape="hv"), "opacity": 0.6}


def _band(samples: Sequence[QuoteSample], times: Sequence[int], half_tick: float) -> Trace:
    """Fill between the own quotes: one polygon for every stretch of quoting on both sides."""
    xs: list[int | None] = []
    ys: list[float | None] = []
    start = 0
    for end, sample in enumerate((*samples, None)):
        if sample is not None and sample.bid_quote_ticks and sample.ask_quote_ticks:
            continue
        stretch = range(start, min(end, len(samples) - 1))
        steps = [(i, edge) for i in stretch for edge in (times[i], times[i + 1])]
        if steps:
            xs += [edge for _, edge in steps] + [edge for _, edge in reversed(steps)] + [None]
            ys += [2 * samples[i].ask_quote_ticks * half_tick for i, _ in steps]
            ys += [2 * samples[i].bid_quote_ticks * half_tick for i, _ in reversed(steps)]
            ys.append(None)
        start = end + 1
    return {
        "type": "scatter",
        "mode": "none",
        "name": "quoted on both sides",
        "x": xs,
        "y": ys,
        "fill": "toself",
        "fillcolor": "$band",
        "hoverinfo": "skip",
    }


def _fills(entry: MarketRecord, fills: Sequence[FillRecord], side: Side) -> Trace:
    chosen = [fill for fill in fills if fill.side is side]
    largest = max((fill.lots for fill in fills), default=1)
    bid = side is Side.BID
    smallest = 4 if len(fills) > CROWD else 7
    tick, lot = float(entry.market.tick), float(entry.market.lot)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "bought" if bid else "sold",
        "x": [fill.ts_exch_ns // MS_NS for fill in chosen],
        "y": [fill.ticks * tick for fill in chosen],
        "customdata": [[fill.lots * lot, fill.cause] for fill in chosen],
        "hovertemplate": "%{customdata[0]} at %{y} (%{customdata[1]})",
        "marker": {
            "opacity": 1,
            "symbol": "triangle-up" if bid else "triangle-down",
            "color": "$bid" if bid else "$ask",
            "size": [smallest + 5 * sqrt(fill.lots / largest) for fill in chosen],
            "line": {"color": "$paper", "width": 0.6},
        },
    }


def _limits(entry: MarketRecord, times: Sequence[int]) -> list[Trace]:
    if not entry.limit_lots or not times:
        return []
    limit = entry.limit_lots * float(entry.market.lot)
    line = {"color": "$loss", "width": 1, "dash": "dot"}
    return [
        {
            **_line("limit", (times[0], times[-1]), (level, level), "$loss", width=1),
            "line": line,
            "yaxis": "y2",
            "showlegend": False,
        }
        for level in (limit, -limit)
    ]


def _spread_bps(sample: QuoteSample) -> float | None:
    bid, ask = sample.bid_quote_ticks, sample.ask_quote_ticks
    return 20_000 * (ask - bid) / sample.mid_half_ticks if bid and ask else None


def _time_axis(record: RunRecord, anchor: str) -> Figure:
    return {
        "type": "date",
        "anchor": anchor,
        "title": {"text": "time (UTC)"},
        "showgrid": False,
        "range": [record.start_ns // MS_NS, record.end_ns // MS_NS],
    }


def _axis(title: str, domain: tuple[float, float], **more: object) -> Figure:
    return {"title": {"text": title}, "domain": domain, "zeroline": False, **more}
