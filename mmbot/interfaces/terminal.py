"""The bot on a terminal: one screen of how it stands, and one line of the same for a pipe.

Pure: a status in, something to print out. What to leave out when it is narrow is decided here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from mmbot.domain.events import Fill
from mmbot.domain.market import MICRO, Market
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.order import Level, Side
from mmbot.domain.status import MarketStatus, Mode, StatusView

WIDE_COLUMNS = 128
NEWEST_FILLS = 8
NEWEST_NOTICES = 6
_NS_PER_S = 1_000_000_000
_BAR_CELLS = 10
_LARGE_MARGIN = 10.0
_OVER = "_over"
_MODE_STYLE = {
    Mode.QUOTING: "bold black on green",
    Mode.PAUSED: "bold black on yellow",
    Mode.DRAINING: "bold black on yellow",
    Mode.HALTED: "bold white on red",
}
_SEVERITY_STYLE = {Severity.INFO: "", Severity.WARNING: "yellow", Severity.CRITICAL: "bold red"}


class Seen(NamedTuple):
    """What is shown: the status, its markets by index, notices and fills with the newest last."""

    view: StatusView
    markets: Sequence[Market]
    notices: Sequence[Notice] = ()
    fills: Sequence[Fill] = ()


def render(seen: Seen, width: int) -> RenderableType:
    """Return the screen, `width` columns wide."""
    wide = width >= WIDE_COLUMNS
    below = (_fills(seen, wide), _notices(seen))
    parts: list[RenderableType] = [_head(seen.view, width - 4), _markets(seen, wide)]
    if wide:
        both = Table.grid(expand=True)
        both.add_column(ratio=1)
        both.add_column(ratio=1)
        both.add_row(*below)
        parts.append(both)
    else:
        parts += below
    parts.append(_foot(seen.view, width - 4))
    return Panel(
        Group(*parts), title=_title(seen.view), title_align="left", width=width, padding=(0, 1)
    )


def status_line(seen: Seen) -> str:
    """Return the same in one line without colours."""
    view = seen.view
    parts = [f"{_age(view)} {view.mode}"]
    if view.reasons:
        parts[0] += f" ({'; '.join(view.reasons)})"
    parts.append(f"equity {_usd(view.equity_uusd)}, PnL {_gain(_pnl_uusd(view))} USD")
    for each, market in zip(view.markets, seen.markets, strict=True):
        quoted = each.reason or f"{_quoted(each, market)} ({_bps(_width(each))})"
        held = _signed(market.size(each.position_lots))
        parts.append(f"{each.symbol} {quoted}, position {held}")
    parts.append(f"{view.fills} fills, {view.orders} orders")
    return "; ".join(parts)


def _title(view: StatusView) -> Text:
    title = Text.assemble(
        (f" {view.instance} ", "bold"),
        (f"{view.run_mode} ", "cyan"),
        (f" {view.mode.upper()} ", _MODE_STYLE.get(view.mode, "bold black on cyan")),
        (f" {_age(view)} ", "dim"),
    )
    title.no_wrap = True
    return title


def _head(view: StatusView, columns: int) -> RenderableType:
    figures = [
        ("equity", f"{_usd(view.equity_uusd)} USD", ""),
        ("PnL", f"{_gain(_pnl_uusd(view))} USD", _tone(_pnl_uusd(view))),
        ("today", f"{_gain(view.day_pnl_uusd)} USD", _tone(view.day_pnl_uusd)),
        ("drawdown", f"{_usd(view.drawdown_uusd)} USD", ""),
        ("free", f"{_usd(view.free_uusd)} USD", ""),
    ]
    if view.margin_fraction is not None:
        large = view.margin_fraction > _LARGE_MARGIN
        figures.append(("margin", "> 1,000%" if large else f"{view.margin_fraction:.0%}", ""))
    lines = [_figures(figures, columns)]
    if view.reasons:
        lines.append(Text(f"not quoting: {'; '.join(view.reasons)}", style="yellow"))
    return Group(*lines)


def _markets(seen: Seen, wide: bool) -> RenderableType:
    right = [Column(name, justify="right", no_wrap=True) for name in ("size", "bid")]
    left = [Column("ask", no_wrap=True), Column("size", no_wrap=True)]
    columns = [Column("market", no_wrap=True), *right, *left]
    more = ["width", "position", "PnL USD"]
    if wide:
        more = ["width", "market", "position", "USD", "of limit"]
        more += ["PnL USD", "fills", "volume USD", "age"]
    columns += [Column(name, justify="right", no_wrap=True) for name in more]
    table = Table(*columns, box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim")
    for each, market in zip(seen.view.markets, seen.markets, strict=True):
        for row, cells in enumerate(_market_rows(each, market, wide)):
            table.add_row(*cells, style="" if row == 0 else "dim")
    reasons = [
        Text(f"{each.symbol} not quoted: {each.reason}", style="yellow")
        for each in seen.view.markets
        if each.reason is not None
    ]
    return Group(Text(), table, *reasons, Text())


def _market_rows(each: MarketStatus, market: Market, wide: bool) -> list[list[RenderableType]]:
    held = _signed(market.size(each.position_lots))
    gain = Text(_gain(each.pnl_uusd), style=_tone(each.pnl_uusd))
    width = _bps(_width(each))
    if wide:
        uusd = market.notional_uusd(each.mark_half_ticks, each.position_lots)
        size = each.position_lots
        rest: list[RenderableType] = [
            width,
            _bps(_ratio(each.best_bid, each.best_ask)),
            held,
            _gain(uusd if size > 0 else -uusd),
            _bar(size, each.room.limit_lots),
            gain,
            f"{each.fills}",
            _usd(each.volume_uusd),
            "-" if each.book_age_ms is None else f"{each.book_age_ms:.0f} ms",
        ]
    else:
        rest = [width, held, gain]
    rows: list[list[RenderableType]] = []
    for level in range(max(1, len(each.bids), len(each.asks))):
        first: RenderableType = Text(each.symbol, style="bold") if level == 0 else ""
        bid = _level(each.bids, level, market, "green")
        ask = _level(each.asks, level, market, "red")
        rows.append([first, bid[1], bid[0], *ask, *(rest if level == 0 else ())])
    return rows


def _level(
    levels: Sequence[Level], number: int, market: Market, style: str
) -> tuple[RenderableType, RenderableType]:
    if number >= len(levels):
        return "-", ""
    level = levels[number]
    return Text(f"{market.price(level.ticks):,f}", style=style), f"{market.size(level.lots):f}"


def _bar(lots: int, limit_lots: int) -> Text:
    if limit_lots <= 0:
        return Text("-")
    share = min(1.0, abs(lots) / limit_lots)
    cells = round(share * _BAR_CELLS)
    style = "red" if share > 0.8 else "yellow" if share > 0.5 else "green"
    return Text.assemble(
        ("█" * cells, style), ("░" * (_BAR_CELLS - cells), "dim"), f" {share:4.0%}"
    )


def _fills(seen: Seen, wide: bool) -> RenderableType:
    newest = list(seen.fills[-NEWEST_FILLS if wide else -NEWEST_FILLS // 2 :])
    table = Table.grid(padding=(0, 1, 0, 0))
    for _ in range(4):
        table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for fill in reversed(newest):
        market = seen.markets[fill.market]
        bought = fill.side is Side.BID
        fee_uusd = market.atoms_to_uusd(fill.fee_atoms, 2 * fill.ticks)
        table.add_row(
            Text(_clock(fill.ts_recv_ns), style="dim"),
            market.symbol,
            Text("bought" if bought else "sold", style="green" if bought else "red"),
            f"{market.size(fill.lots):f} @ {market.price(fill.ticks):,f}",
            Text(f"fee {fee_uusd / MICRO:.4f}", style="dim"),
        )
    if not newest:
        table.add_row(Text("none yet", style="dim"))
    return Group(Text("last fills", style="dim"), table)


def _notices(seen: Seen) -> RenderableType:
    lines = [Text("notices", style="dim")]
    for notice in reversed(seen.notices[-NEWEST_NOTICES:]):
        where = "" if notice.market is None else f" {seen.markets[notice.market].symbol}"
        line = Text.assemble(
            (f"{_clock(notice.ts_ns)} ", "dim"),
            (f"{_said(notice)}{where}: {notice.text}", _SEVERITY_STYLE[notice.severity]),
        )
        line.no_wrap, line.overflow = True, "ellipsis"
        lines.append(line)
    if len(lines) == 1:
        lines.append(Text("none", style="dim"))
    return Group(*lines)


def _said(notice: Notice) -> str:
    """The notice's name; what is over is said by its text."""
    return notice.code.removesuffix(_OVER)


def _foot(view: StatusView, columns: int) -> RenderableType:
    figures = [
        ("orders", f"{view.orders}", ""),
        ("placed", f"{view.placed:,}", ""),
        ("cancelled", f"{view.cancelled:,}", ""),
        ("rejected", f"{view.rejected:,}", "yellow" if view.rejected else ""),
        ("unknown", f"{view.unknown}", "bold red" if view.unknown else ""),
        ("ack p50", _ms(view.ack_p50_ms), ""),
        ("p99", _ms(view.ack_p99_ms), ""),
        ("lag p99", _ms(view.loop_lag_p99_ms), ""),
        ("requote", f"{view.requote_interval_ms:.0f} ms", ""),
        ("reconnects", f"{view.reconnects}", "yellow" if view.reconnects else ""),
    ]
    return Group(Text(), _figures(figures, columns))


def _figures(figures: Sequence[tuple[str, str, str]], columns: int) -> Text:
    """Return names with their values, in as many lines as it takes; none is torn apart."""
    text = Text()
    used = 0
    for name, value, style in figures:
        size = len(name) + 1 + len(value)
        if used:
            wraps = used + 2 + size > columns
            text.append("\n" if wraps else "  ")
            used = 0 if wraps else used + 2
        text.append(f"{name} ", style="dim")
        text.append(value, style=style)
        used += size
    return text


def _quoted(each: MarketStatus, market: Market) -> str:
    bid = f"{market.price(each.bids[0].ticks):f}" if each.bids else "-"
    ask = f"{market.price(each.asks[0].ticks):f}" if each.asks else "-"
    return f"{bid}/{ask}"


def _width(each: MarketStatus) -> float | None:
    return _ratio(each.bids[0].ticks, each.asks[0].ticks) if each.bids and each.asks else None


def _ratio(bid: int, ask: int) -> float | None:
    """Width of two prices as a ratio of their middle."""
    return (ask - bid) / (ask + bid) * 2 if bid and ask else None


def _pnl_uusd(view: StatusView) -> int:
    return sum(each.pnl_uusd for each in view.markets)


def _bps(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio * 1e4:.1f} bps"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"


def _usd(uusd: int | None) -> str:
    return "-" if uusd is None else f"{uusd / MICRO:,.2f}"


def _gain(uusd: int | None) -> str:
    return "-" if uusd is None else f"{uusd / MICRO:+,.2f}"


def _tone(uusd: int | None) -> str:
    return "" if not uusd else "green" if uusd > 0 else "red"


def _signed(size: Decimal) -> str:
    return f"{size:+f}" if size else "0"


def _age(view: StatusView) -> str:
    minutes, seconds = divmod((view.ts_ns - view.started_ns) // _NS_PER_S, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:d}:{minutes:02d}:{seconds:02d}"


def _clock(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns // _NS_PER_S, UTC):%H:%M:%S}"
