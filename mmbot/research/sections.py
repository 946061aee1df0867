"""The sections of the report page, top to bottom."""

from collections.abc import Sequence
from html import escape

from mmbot.research import figures
from mmbot.research.attribution import Lines
from mmbot.research.compare import Comparison, side_by_side
from mmbot.research.figures import Figure
from mmbot.research.markup import Tile, card, chart, table, tile
from mmbot.research.metrics import MetricValue
from mmbot.research.results import Results
from mmbot.research.text import MISSING, amount, iso_time, money, money_column, number, signed, span

MAX_MARKET_CHARTS = 8
HASH_LETTERS = 64


def header(results: Results) -> str:
    """What was run on what."""
    about, record = results.header, results.record
    facts = {
        "Fill model": about.fill_model,
        "Latency": about.latency,
        "Fees": about.fees,
        "Seed": str(about.seed),
        "From": iso_time(record.start_ns),
        "To": iso_time(record.end_ns),
        "Data": about.data_hash,
        "Config": about.config_hash,
    }
    rows = "".join(
        f"<div><dt>{escape(name)}</dt>"
        f'<dd title="{escape(value)}">{escape(_short(value))}</dd></div>'
        for name, value in facts.items()
    )
    return (
        f"<h1>{escape(about.name)}</h1>"
        f'<p class="lead">{escape(about.strategy)} on {escape(about.source)}, '
        f'{span(results.metrics.profit.span_s)}</p><dl class="facts">{rows}</dl>'
    )


def _short(value: str) -> str:
    """Return the beginning of a hash, which tells as much to people; anything else as it is."""
    return value[:12] if len(value) == HASH_LETTERS and value.isalnum() else value


def tiles(results: Results) -> str:
    """The headline numbers."""
    shown = "".join(tile(one) for one in (*_earnings(results), *_quoting(results)))
    return f'<div class="tiles">{shown}</div>'


def _earnings(results: Results) -> list[Tile]:
    profit, risk = results.metrics.profit, results.metrics.risk
    minute = risk.sharpe_minute_ratio
    return [
        Tile(
            "Net profit", money(profit.pnl_net_usd), "USD",
            f"{money(profit.pnl_gross_usd)} before fees", profit.pnl_net_usd,
        ),
        Tile(
            "Per volume", signed(profit.pnl_net_bps, 2), "bps",
            f"{signed(profit.pnl_gross_bps, 2)} before fees", profit.pnl_net_bps or 0.0,
        ),
        Tile(
            "Return", signed(profit.return_pct, 3), "%",
            f"on {amount(profit.initial_equity_usd)} USD", profit.return_pct,
        ),
        Tile(
            "Max drawdown", number(risk.max_drawdown_pct, 3), "%",
            f"{amount(risk.max_drawdown_usd)} USD, longest {span(risk.max_drawdown_s)}",
        ),
        Tile(
            "Sharpe, minutes", number(minute, 1), "" if minute is None else "a year",
            risk.sharpe_minute_reason or f"by hours {number(risk.sharpe_hour_ratio, 1)}",
        ),
        Tile(
            "Volume", amount(profit.volume_usd), "USD",
            f"{number(profit.turnover_ratio, 2)} x equity",
        ),
    ]  # fmt: skip


def _quoting(results: Results) -> list[Tile]:
    trading, presence = results.metrics.trading, results.metrics.presence
    five = next((m for m in results.markouts if m.side == "all" and m.horizon_s == 5), None)
    return [
        Tile(
            "Fills", f"{trading.fills_count:,}", "",
            f"{number(trading.fill_rate_pct, 1, ' %')} of orders, "
            f"{number(trading.both_sided_pct, 0, ' %')} two-sided",
        ),
        Tile(
            "Win rate", number(trading.win_rate_pct, 1), "%",
            f"of {trading.closings_count:,} closings",
        ),
        Tile(
            "Markout, 5 s",
            signed(five.mean_bps, 2) if five is not None else MISSING, "bps",
            f"standard error {number(five.se_bps, 2)}" if five is not None else "not measured",
            (five.mean_bps or 0.0) if five is not None else 0.0,
        ),
        Tile(
            "Quoted spread", number(presence.quoted_spread_bps, 2), "bps",
            f"two-sided {number(presence.two_sided_pct, 1, ' %')} of the time",
        ),
        Tile(
            "Mean inventory", number(presence.inventory_abs_mean_usd, 0), "USD",
            f"at most {presence.inventory_max_usd:,.0f}, "
            f"at limit {number(presence.limit_time_pct, 1, ' %')}",
        ),
        Tile(
            "Holding time", number(trading.holding_s, 1), "s",
            f"{number(trading.requests_per_s, 2)} requests/s",
        ),
    ]  # fmt: skip


def warnings(remarks: Sequence[str]) -> str:
    """What to keep in mind."""
    if not remarks:
        return ""
    items = "".join(f"<li>{escape(remark)}</li>" for remark in remarks)
    return f'<div class="notes"><ul>{items}</ul></div>'


def equity(results: Results, charts: dict[str, Figure]) -> str:
    """Profit and drawdown over time."""
    profit = results.metrics.profit
    note = (
        f"Profit since the start on {amount(profit.initial_equity_usd)} USD, marked at the mid; "
        "drag to zoom, double-click to go back."
    )
    figure = figures.equity_figure(results.record)
    return card("Equity", note, chart(charts, figure, 400))


def markets(results: Results, charts: dict[str, Figure]) -> str:
    """A chart and the numbers of every market."""
    cards = []
    for index, metrics in enumerate(results.markets[:MAX_MARKET_CHARTS]):
        figure = figures.market_figure(results.record, index)
        drawn = min(metrics.fills_count, figures.point_limit(results.record))
        note = (
            f"Own quotes around the mid, {drawn:,} of {metrics.fills_count:,} fills sized by lots; "
            "inventory and its limit below."
        )
        cards.append(card(f"{metrics.symbol}: quotes and fills", note, chart(charts, figure, 620)))
    rows = [
        [
            m.symbol,
            f"{m.fills_count:,}",
            amount(m.volume_usd),
            money(m.pnl_net_usd),
            number(m.quoted_spread_bps, 2),
            number(m.two_sided_pct, 1),
            number(m.inventory_mean_base, 4),
            number(m.inventory_sd_base, 4),
            number(m.inventory_max_base, 4),
            number(m.limit_time_pct, 1),
            number(m.holding_s, 1),
            ", ".join(f"{reason} {pct:.1f} %" for reason, pct in m.gates_pct.items()) or MISSING,
        ]
        for m in results.markets
    ]
    columns = (
        *("Market", "Fills", "Volume, USD", "Net, USD", "Spread, bps", "Two-sided, %"),
        *("Mean pos.", "SD", "Max", "At limit, %", "Holding, s", "Gates"),
    )
    note = "Positions in base units, weighted by time."
    return "".join(cards) + card("Markets", note, table(columns, rows))


def markouts(results: Results, charts: dict[str, Figure]) -> str:
    """The markout curve and its numbers."""
    sides = {"all": "all fills", "bid": "buys", "ask": "sells"}
    rows = [
        [
            f"{m.horizon_s:g} s, {sides[m.side]}",
            signed(m.mean_bps, 3),
            number(m.se_bps, 3),
            f"{m.fills_count:,}",
            f"{m.unmatured_count:,}",
        ]
        for m in results.markouts
    ]
    note = "Move of the mid in our favour after a fill, weighted by value; bars are 95 %."
    drawing = chart(charts, figures.markout_figure(results), 340)
    columns = ("Horizon", "Mean, bps", "Std. error", "Fills", "Cut off")
    return card("Markouts", note, drawing + table(columns, rows))


def shadows(results: Results) -> str:
    """What the virtual quotes of the markout control were worth, by market and distance."""
    cards = []
    for each in results.learned:
        rows = [
            [
                number(row.depth_bps, 1),
                number(row.fills_count, 0),
                signed(row.mean_bps if row.fills_count else None, 2),
                number(row.se_bps if row.fills_count else None, 2),
            ]
            for row in each.depths
        ]
        asks = f"asks for {each.half_width_bps:.2f} bps a side"
        note = (
            "Fills of virtual quotes at each distance from the fair price and their worth after "
            f"5 s, before fees, old ones counting less. At the end the control "
            f"{asks if each.pays else 'finds no depth that pays'}."
        )
        columns = ("Distance, bps", "Fills", "Mean, bps", "Std. error")
        cards.append(card(f"{each.symbol}: shadow quotes", note, table(columns, rows)))
    return "".join(cards)


def attribution(results: Results, charts: dict[str, Figure]) -> str:
    """Where the profit came from, and that it adds up."""
    steps = figures.attribution_steps(results)
    steps.append(("net profit", float(results.attribution.lines.total)))
    names, usd = zip(*steps, strict=True)
    splits = [
        [f"{split.horizon_ns / 1e9:g} s", *money_column([float(part) for part in split[1:]])]
        for split in results.attribution.splits
    ]
    checks = "".join(
        f'<p class="check">{escape(part.symbol)}: the lines sum to '
        f"{int(part.lines.total):,} atoms, equity changed by {entry.pnl_atoms:,} atoms; "
        f"<b>difference {int(part.lines.total) - entry.pnl_atoms:,}</b></p>"
        for part, entry in zip(results.attribution.markets, results.record.markets, strict=True)
    )
    content = (
        chart(charts, figures.attribution_figure(results), 340)
        + table(("Line", "USD"), list(zip(names, money_column(usd), strict=True)), total=True)
        + "<h3>Inventory split at a horizon, USD</h3>"
        + table(("Horizon", "Adverse", "Rest", "Spread + adverse"), splits)
        + checks
    )
    note = "Spread against the mid at each fill, what inventory then earned, and what it cost."
    return card("Attribution", note, content)


def groups(results: Results) -> str:
    """Attribution by side, liquidity, market and hour."""
    columns = ("Group", "Spread", "Inventory", "Fees", "Funding", "Hedge", "Net, USD")
    found = results.attribution.groups
    named = [
        (f"{dimension} {key}", lines)
        for dimension in ("side", "liquidity", "market", "hour")
        for key, lines in sorted(found[dimension].items())
    ]
    named.append(("total", results.attribution.lines))
    names = [name for name, _ in named]
    amounts = [_group_usd(lines) for _, lines in named]
    filled = [money_column(column) for column in zip(*amounts, strict=True)]
    rows = list(zip(names, *filled, strict=True))
    note = "By side and liquidity a fill keeps what its lots earned; an hour what it earned itself."
    return card("Attribution by group", note, table(columns, rows, total=True))


def orders(results: Results) -> str:
    """What became of the orders."""
    t = results.metrics.trading
    rows = [
        ["placed", f"{t.placed_count:,}"],
        ["cancelled", f"{t.cancelled_count:,}"],
        ["rejected", f"{t.rejected_count:,}"],
        ["rejected as post-only", f"{t.post_only_rejected_count:,}"],
        ["fills", f"{t.fills_count:,}"],
        ["fills of hedges", f"{t.hedge_fills_count:,}"],
        ["fills per order", number(t.fill_rate_pct, 1, " %")],
        ["fills per second of quoting", number(t.fills_per_quote_s, 3)],
        ["cancels per fill", number(t.cancels_per_fill_ratio, 2)],
        ["maker share of volume", number(t.maker_volume_pct, 1, " %")],
        ["requests", f"{t.requests_count:,}"],
        ["requests per second", number(t.requests_per_s, 2)],
    ]
    half = len(rows) // 2
    halves = "".join(table(("What", "Count"), part) for part in (rows[:half], rows[half:]))
    return card("Orders", "All markets together.", f'<div class="pair">{halves}</div>')


def comparison(compared: Comparison, charts: dict[str, Figure]) -> str:
    """Runs side by side and whether they differ."""
    columns = ["Metric", *(run.header.name for run in compared.runs)]
    rows = [[key, *map(_cell, values)] for key, values in side_by_side(compared).items()]
    verdicts = [
        [
            f"{d.name} less {d.baseline}",
            money(d.pnl_difference_usd),
            f"{money(d.low_usd)} to {money(d.high_usd)}",
            f"{d.minutes_count:,}",
            d.verdict,
        ]
        for d in compared.differences
    ]
    head = ("Difference", "USD", "90 % interval", "Minutes", "Verdict")
    content = (
        chart(charts, figures.comparison_figure(compared), 340)
        + table(head, verdicts)
        + "<details><summary>All metrics side by side</summary>"
        + table(columns, rows)
        + "</details>"
    )
    return card("Comparison", "Net profit on the same events, paired by minute.", content)


def _group_usd(lines: Lines) -> list[float]:
    spread = lines.maker_capture + lines.taker_capture
    hedge = lines.hedge_execution + lines.hedge_inventory + lines.hedge_fees
    parts = (spread, lines.inventory, lines.fees, lines.funding, hedge, lines.total)
    return [float(usd) for usd in parts]


def _cell(value: MetricValue) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else number(value, 4)
