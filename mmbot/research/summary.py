"""The result of a run as aligned lines of text for a terminal or a pipe."""

from collections.abc import Sequence

from mmbot.research.compare import Comparison, side_by_side
from mmbot.research.figures import attribution_steps
from mmbot.research.metrics import MetricValue
from mmbot.research.results import Results
from mmbot.research.text import amount, money_column, number, signed, span

_BOLD, _GREEN, _RED, _YELLOW, _RESET = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
_GAP = 4

Pair = tuple[str, str]


def summary(results: Results, colour: bool = False, columns: int | None = None) -> list[str]:
    """Return the summary of a run, line by line, for a terminal so wide if it is one.

    `colour` adds terminal colours.
    """
    left, right = _result(results), _money(results)
    header = results.header
    titles = (f"Result ({header.fill_model}, {header.latency}, seed {header.seed})", "Profit (USD)")
    lines = []
    if columns is not None and max(map(len, _columns(titles, left, right, False))) > columns:
        # The long title stands by itself, and what is below it moves together.
        lines.append(_paint(titles[0], _BOLD, colour))
        titles = ("", titles[1])
    lines += _columns(titles, left, right, colour)
    lines += ["", *_markouts(results)]
    if len(results.markets) > 1:
        lines += ["", *_markets(results)]
    if results.warnings:
        lines.append("")
        lines += [_paint(f"! {warning}", _YELLOW, colour) for warning in results.warnings]
    return lines


def comparison_summary(comparison: Comparison) -> list[str]:
    """Return the runs' numbers side by side, then their differences with a verdict."""
    names = ["", *(run.header.name for run in comparison.runs)]
    rows = [[key, *map(_value, values)] for key, values in side_by_side(comparison).items()]
    lines = aligned([names, *rows])
    for difference in comparison.differences:
        usd, low, high = money_column(
            (difference.pnl_difference_usd, difference.low_usd, difference.high_usd)
        )
        lines.append("")
        lines.append(
            f"{difference.name} less {difference.baseline}: {usd} USD, "
            f"{difference.confidence_pct} % interval {low} to {high} over "
            f"{difference.minutes_count} minutes: {difference.verdict}"
        )
    return lines


def _result(results: Results) -> list[Pair]:
    profit, risk = results.metrics.profit, results.metrics.risk
    trading, presence = results.metrics.trading, results.metrics.presence
    return [
        ("return", signed(profit.return_pct, 3, " %")),
        ("max drawdown", number(risk.max_drawdown_pct, 3, " %")),
        ("longest drawdown", span(risk.max_drawdown_s)),
        ("sharpe, minutes", number(risk.sharpe_minute_ratio, 1)),
        ("sharpe, hours", number(risk.sharpe_hour_ratio, 1)),
        ("volume", amount(profit.volume_usd) + " USD"),
        ("turnover", number(profit.turnover_ratio, 1, "x")),
        ("fills", f"{trading.fills_count:,}"),
        ("fill rate", number(trading.fill_rate_pct, 1, " %")),
        ("both-sided", number(trading.both_sided_pct, 0, " %")),
        ("win rate", number(trading.win_rate_pct, 1, " %")),
        ("quoted spread", number(presence.quoted_spread_bps, 2, " bps")),
        ("quote uptime", number(presence.two_sided_pct, 1, " %")),
        ("time at limit", number(presence.limit_time_pct, 1, " %")),
        ("holding time", number(trading.holding_s, 1, " s")),
        ("requests", f"{trading.requests_count:,}"),
    ]


def _money(results: Results) -> list[Pair]:
    profit = results.metrics.profit
    steps = attribution_steps(results)
    names = [name for name, _ in steps]
    usd = money_column([*(value for _, value in steps), profit.pnl_net_usd, profit.pnl_gross_usd])
    atoms = sum(
        int(part.lines.total) - entry.pnl_atoms
        for part, entry in zip(results.attribution.markets, results.record.markets, strict=True)
    )
    return [
        *zip(names, usd, strict=False),
        ("net profit", usd[-2]),
        ("before fees", usd[-1]),
        ("net / volume", signed(profit.pnl_net_bps, 3, " bps")),
        ("gross / volume", signed(profit.pnl_gross_bps, 3, " bps")),
        ("lines less equity", f"{atoms} atoms"),
    ]


def _columns(titles: Pair, left: Sequence[Pair], right: Sequence[Pair], colour: bool) -> list[str]:
    blocks = [_block(left), _block(right)]
    width = max(len(titles[0]), *(len(line) for line in blocks[0])) + _GAP
    lines = [_paint(f"{titles[0]:<{width}}{titles[1]}", _BOLD, colour)]
    for row in range(max(len(left), len(right))):
        first = blocks[0][row] if row < len(left) else ""
        second = blocks[1][row] if row < len(right) else ""
        tone = _tone(right[row][1]) if row < len(right) else ""
        lines.append(f"{first:<{width}}{_paint(second, tone, colour)}".rstrip())
    return lines


def _block(pairs: Sequence[Pair]) -> list[str]:
    names = max(len(name) for name, _ in pairs)
    values = max(len(value) for _, value in pairs)
    return [f"  {name:<{names}}  {value:>{values}}" for name, value in pairs]


def _markouts(results: Results) -> list[str]:
    rows = [["markout", "all fills", "+-", "buys", "+-", "sells", "+-"]]
    horizons = sorted({markout.horizon_s for markout in results.markouts})
    for horizon in horizons:
        row = [f"{horizon:g} s"]
        for markout in results.markouts:
            if markout.horizon_s == horizon:
                row += [signed(markout.mean_bps, 3, " bps"), number(markout.se_bps, 3)]
        rows.append(row)
    return aligned(rows)


def _markets(results: Results) -> list[str]:
    rows = [["market", "fills", "volume USD", "net USD", "spread bps", "two-sided", "max position"]]
    rows += [
        [
            market.symbol,
            f"{market.fills_count:,}",
            amount(market.volume_usd),
            signed(market.pnl_net_usd, 2),
            number(market.quoted_spread_bps, 2),
            number(market.two_sided_pct, 1, " %"),
            f"{market.inventory_max_base:g}",
        ]
        for market in results.markets
    ]
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines: the first column to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in rows
    ]


def _value(value: MetricValue) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else number(value, 4)


def _tone(text: str) -> str:
    return {"+": _GREEN, "-": _RED}.get(text[:1], "")


def _paint(text: str, tone: str, colour: bool) -> str:
    return f"{tone}{text}{_RESET}" if colour and tone else text
