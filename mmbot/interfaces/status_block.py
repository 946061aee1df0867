"""The status of a bot as text: one rendering for terminal, chat and page. Pure.

Wide is for a terminal; narrow keeps to the 38 columns of a telephone. Words and figures are the
same in both.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from textwrap import wrap

from mmbot.domain.alerts import Alert
from mmbot.domain.market import MICRO
from mmbot.domain.notices import Severity
from mmbot.domain.order import Level
from mmbot.domain.status import MarketStatus, StatusView

NARROW_COLUMNS = 38
MOST_ALERTS = 5
NS_PER_S = 1_000_000_000
LARGE_MARGIN = 10.0
WIDTH, SKEW = "width bps", "skew bps"
_HEAD = ("market", "bid x size", "ask x size", WIDTH, SKEW, "position", "exp", "day PnL", "age")
_RIGHT = frozenset({WIDTH, SKEW, "position", "exp", "day PnL", "age"})


def status_block(view: StatusView, *, narrow: bool = False) -> list[str]:
    """Return the block, a string a line."""
    lines = list(_head(view, narrow))
    if view.reasons:
        lines.append(f"not quoting: {'; '.join(view.reasons)}")
    if narrow:
        for each in view.markets:
            lines += _narrow_market(each, view.reasons)
    else:
        lines += _table(view)
    lines += _foot(view, narrow)
    lines += [_override(view, number) for number in range(len(view.overrides))]
    lines += _alerts(view.alerts)
    return narrowed(lines) if narrow else lines


def narrowed(lines: Sequence[str]) -> list[str]:
    """Return lines for a telephone: what is too long goes on below, moved in."""
    return [piece for line in lines for piece in _wrapped(line)]


def _wrapped(line: str) -> list[str]:
    if len(line) <= NARROW_COLUMNS:
        return [line]
    return wrap(line, NARROW_COLUMNS, subsequent_indent="  ")


def _head(view: StatusView, narrow: bool) -> Iterator[str]:
    name = f"{view.instance}  {view.run_mode.upper()}  {view.mode.upper()}"
    up = f"up {span((view.ts_ns - view.started_ns) // NS_PER_S)}"
    lease = "" if view.lease is None else f"lease {view.lease.epoch}"
    session = ""
    if view.session_ends_ns is not None:
        left_s = max(0, (view.session_ends_ns - view.ts_ns) // NS_PER_S)
        session = f"session {_rough(left_s)} left"
    money = [f"equity {usd(view.equity_uusd)} USD", f"day {gain(view.day_pnl_uusd)}"]
    held = [f"drawdown {_drawdown(view)}", f"margin {_margin(view)}", f"exposure {_exposure(view)}"]
    if narrow:
        yield "  ".join(part for part in (name, lease) if part)
        yield "  ".join(part for part in (up, session) if part)
        yield "  ".join(money)
        yield f"{held[0]}  {held[2]}"
        yield held[1]
    else:
        yield "  ".join(part for part in (name, up, lease, session) if part)
        yield "  ".join((*money, *held))


def _table(view: StatusView) -> list[str]:
    markets = view.markets
    rows = [list(_HEAD), *(_cells(each) for each in markets)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = []
    for each, row in zip((None, *markets), rows, strict=True):
        cells = [
            text.rjust(width) if name in _RIGHT else text.ljust(width)
            for name, text, width in zip(_HEAD, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
        if each is not None and each.reason not in (None, *view.reasons):
            lines.append(f"  {each.symbol}: {each.reason}")
        if each is not None:
            lines += [f"  {each.symbol}: {words}" for words in stop_words(each)]
    return lines


def _cells(each: MarketStatus) -> list[str]:
    return [
        each.symbol,
        _quote(each.bids, each),
        _quote(each.asks, each),
        "-" if each.width_bps is None else f"{each.width_bps:.1f}",
        "-" if each.skew_bps is None else f"{each.skew_bps + 0.0:+.1f}",
        signed(each.lot * each.position_lots),
        "-" if each.exposure_ratio is None else f"{each.exposure_ratio:.0%}",
        gain(each.day_pnl_uusd),
        age(each.book_age_ms),
    ]


def _narrow_market(each: MarketStatus, said: Sequence[str]) -> Iterator[str]:
    cells = dict(zip(_HEAD, _cells(each), strict=True))
    yield f"{each.symbol} {cells['position']} ({cells['exp']}) {cells['day PnL']}"
    if each.reason is not None and each.reason not in said:
        yield f" {each.reason}"
    yield from (f" {words}" for words in stop_words(each))
    if each.bids or each.asks:
        yield f" bid {cells['bid x size']}"
        yield f" ask {cells['ask x size']}"
        yield f" width {cells[WIDTH]} bps skew {cells[SKEW]} bps"
        yield f" age {cells['age']}"


def stop_words(each: MarketStatus) -> list[str]:
    """Return what protects the position at the venue; nothing where that is not asked for."""
    stop = each.stop_trigger
    if stop is None:
        return []
    parts = [] if stop.trouble is None else [f"stop trigger {stop.trouble}"]
    if stop.ticks is not None:
        parts.insert(0, f"stop trigger at {each.tick * stop.ticks:,f}")
    elif each.position_lots and not parts:
        parts.append("no stop trigger yet")
    return parts


def _foot(view: StatusView, narrow: bool) -> list[str]:
    sent = view.placed
    parts = [
        f"orders {view.orders}" + (f" ({view.unknown} unknown)" if view.unknown else ""),
        f"fills 24h {_day_fills(view)}",
        f"failures {view.rejected / sent:.1%}" if sent else "failures -",
        "ack p99 -" if view.ack_p99_ms is None else f"ack p99 {view.ack_p99_ms:.0f} ms",
        "budget -" if view.budget_ratio is None else f"budget {view.budget_ratio:.0%}",
    ]
    if narrow:
        return [f"{parts[0]}  {parts[2]}", parts[1], f"{parts[3]}  {parts[4]}"]
    return ["   ".join(parts)]


def _day_fills(view: StatusView) -> str:
    fills = view.day_fills
    count = fills.bids + fills.asks
    return f"{count:,} ({fills.bids:,} bid, {fills.asks:,} ask)" if count else "0"


def _override(view: StatusView, number: int) -> str:
    each = view.overrides[number]
    until = moment(each.until_ns)
    return f"override: {each.key} {each.old} -> {each.value} until {until} ({each.by})"


def _alerts(alerts: Sequence[Alert]) -> list[str]:
    """Return what is critical or was seen to by nobody; of the others only how many."""
    seen = [a for a in alerts if a.acked_by is not None and a.severity < Severity.CRITICAL]
    shown = [each for each in alerts if each not in seen]
    lines = [_alert(each) for each in shown[:MOST_ALERTS]]
    if len(shown) > MOST_ALERTS:
        lines.append(f"and {len(shown) - MOST_ALERTS} more alerts")
    if seen:
        lines.append(f"{len(seen)} alert{'' if len(seen) == 1 else 's'} acknowledged")
    return lines


def _alert(each: Alert) -> str:
    mark = "!!" if each.severity >= Severity.CRITICAL else "!"
    where = "" if each.market is None else f" {each.market}"
    times = f" ({each.count}x)" if each.count > 1 else ""
    acked = "" if each.acked_by is None else f", acknowledged by {each.acked_by}"
    return f"{mark} {each.id}{where} {each.code}{times}: {each.text}{acked}"


def _drawdown(view: StatusView) -> str:
    if view.drawdown_uusd is None or view.equity_uusd is None:
        return "-"
    peak = view.equity_uusd + view.drawdown_uusd
    return f"{view.drawdown_uusd / peak:.1%}" if peak > 0 else "-"


def _margin(view: StatusView) -> str:
    fraction = view.margin_fraction
    large = fraction is not None and fraction > LARGE_MARGIN
    text = "-" if fraction is None else "> 1,000%" if large else f"{fraction:.0%}"
    return text if view.limits is None else f"{text} (min {view.limits.margin_ratio:.0%})"


def _exposure(view: StatusView) -> str:
    text = "-" if view.exposure_ratio is None else f"{view.exposure_ratio:.0%}"
    return text if view.limits is None else f"{text} (max {view.limits.exposure_ratio:.0%})"


def _quote(levels: Sequence[Level], each: MarketStatus) -> str:
    if not levels:
        return "-"
    best = levels[0]
    return f"{each.tick * best.ticks:,f} x {each.lot * best.lots:f}"


def usd(uusd: int | None) -> str:
    """Return money with cents."""
    return "-" if uusd is None else f"{uusd / MICRO:,.2f}"


def gain(uusd: int | None) -> str:
    """Return money with its sign and cents."""
    return "-" if uusd is None else f"{uusd / MICRO:+,.2f}"


def signed(size: Decimal) -> str:
    """Return a size with its sign."""
    return f"{size:+f}" if size else "0"


def age(milliseconds: float | None) -> str:
    """Return an age in seconds."""
    return "-" if milliseconds is None else f"{milliseconds / 1000:.1f}s"


def span(seconds: int) -> str:
    """Return a span as days, hours and minutes, a short one as minutes and seconds."""
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes}m {seconds % 60:02d}s" if minutes else f"{seconds}s"
    days, minutes = divmod(minutes, 1440)
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{days}d {clock}" if days else clock


def moment(ts_ns: int) -> str:
    """Return a time of day, UTC."""
    return f"{datetime.fromtimestamp(ts_ns // NS_PER_S, UTC):%H:%MZ}"


def _rough(seconds: int) -> str:
    return f"{seconds // 3600}h" if seconds >= 3600 else f"{seconds // 60}m"
