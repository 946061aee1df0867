"""The words of the chat: heads, tables, marks, within what Telegram takes. Pure."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from html import escape
from typing import Any, NamedTuple

from mmbot.domain.alerts import Alert
from mmbot.domain.events import Fill
from mmbot.domain.market import MICRO, Market
from mmbot.domain.notices import Severity
from mmbot.domain.order import Level, Side
from mmbot.domain.status import MarketStatus, StatusView
from mmbot.interfaces.status_block import NARROW_COLUMNS, gain, moment, narrowed, signed, usd
from mmbot.interfaces.telegram.books import Earned
from mmbot.interfaces.telegram.talk import Fees

MOST_LETTERS = 4_096
# What the tags and the head take of a message.
_ROOM = MOST_LETTERS - 200
MOST_ALERTS = 10
MARKS = {Severity.INFO: "", Severity.WARNING: "\N{WARNING SIGN}", Severity.CRITICAL: "\U0001f534"}


def head(view: StatusView) -> str:
    """Return the first line of every message: which bot speaks."""
    return f"[{view.instance} \u00b7 {view.run_mode.upper()}]"


def plain(view: StatusView, text: str) -> str:
    """Return a message of running text, safe to be sent as HTML."""
    return f"{head(view)} {safe(text)}"


def table(view: StatusView, lines: Sequence[str]) -> str:
    """Return a message of lines of equal letters; what is too long is cut, and that is said."""
    return f"{head(view)}\n<pre>{safe(chr(10).join(narrowed(lines)))}</pre>"


def safe(text: str) -> str:
    """Return a text with nothing in it that HTML would read, not longer than a message may be."""
    escaped = escape(text, quote=False)
    if len(escaped) <= _ROOM:
        return escaped
    # An escape is never cut in half.
    cut = escaped[: _ROOM - 20].rsplit("&", 1) if "&" in escaped[_ROOM - 26 : _ROOM - 20] else None
    return f"{escaped[: _ROOM - 20] if cut is None else cut[0]}\n... and more"


def fitted(line: str) -> str:
    """Return a line of a table that fits a telephone."""
    return line if len(line) <= NARROW_COLUMNS else f"{line[: NARROW_COLUMNS - 1]}~"


def position_lines(view: StatusView) -> list[str]:
    """Return what is held, by market."""
    lines = ["market      size      USD  exp   day"]
    for each in view.markets:
        size = signed(each.lot * each.position_lots)
        worth = f"{each.exposure_uusd / MICRO:,.0f}"
        share = "-" if each.exposure_ratio is None else f"{each.exposure_ratio:.0%}"
        day = f"{each.day_pnl_uusd / MICRO:+,.2f}"
        lines.append(f"{each.symbol:<8} {size:>8} {worth:>7} {share:>4} {day:>6}")
    return [fitted(line) for line in lines]


def order_lines(view: StatusView) -> list[str]:
    """Return the orders that rest, asks above bids."""
    lines = []
    for each in view.markets:
        lines.append(f"{each.symbol}" + ("" if each.reason is None else f" {each.reason}"))
        lines += [fitted(f" ask {_level(each, level)}") for level in reversed(each.asks)]
        lines += [fitted(f" bid {_level(each, level)}") for level in each.bids]
    return [*lines, f"{view.orders} order{'' if view.orders == 1 else 's'}"]


def balance_lines(view: StatusView, fees: Fees) -> list[str]:
    """Return what the account is worth."""
    margin = "-" if view.margin_fraction is None else f"{view.margin_fraction:.1%}"
    return [
        f"equity     {usd(view.equity_uusd):>14} USD",
        f"free       {usd(view.free_uusd):>14} USD",
        f"day        {gain(view.day_pnl_uusd):>14} USD",
        f"margin     {margin:>14}",
        f"fees maker {_bps(fees.maker_ppm):>15} bps",
        f"fees taker {_bps(fees.taker_ppm):>15} bps",
    ]


def risk_lines(view: StatusView) -> list[str]:
    """Return every limit: used, limit, what is left of it; the one that binds most is marked."""
    limits = view.limits
    if limits is None:
        return ["no limits are known"]
    equity, drawdown = view.equity_uusd, view.drawdown_uusd
    loss = None if view.day_pnl_uusd is None else max(0, -view.day_pnl_uusd)
    fall = None
    if equity is not None and drawdown is not None and equity + drawdown > 0:
        fall = drawdown / (equity + drawdown)
    rows = [
        _Limit("day loss", loss, limits.daily_loss_uusd, usd),
        _Limit("drawdown", fall, limits.drawdown_ratio, _share),
        _Limit("exposure", view.exposure_ratio, limits.exposure_ratio, _share),
        _Limit("orders", view.orders, limits.orders, str),
        _Limit("margin", view.margin_fraction, limits.margin_ratio, _share, least=True),
        _Limit("free", view.free_uusd, limits.free_uusd, dollars, least=True),
    ]
    worst = max((each.used for each in rows if each.used is not None), default=None)
    lines = [f"{'limit':<8} {'now':>8} {'limit':>9} {'left':>8}"]
    lines += [each.line + (" <" if each.used == worst else "") for each in rows]
    lines.append("< is the nearest to its limit")
    return lines + [f"stopped: {each}" for each in view.reasons]


def alert_lines(alerts: Sequence[Alert], muted: str) -> list[str]:
    """Return what is open, and whether anything is muted."""
    lines = [_alert(each) for each in alerts[:MOST_ALERTS]] or ["no alert is open"]
    if len(alerts) > MOST_ALERTS:
        lines.append(f"and {len(alerts) - MOST_ALERTS} more")
    return [*lines, muted] if muted else lines


def _alert(each: Alert) -> str:
    mark = {Severity.CRITICAL: "!!", Severity.WARNING: "!"}.get(each.severity, " ")
    where = "" if each.market is None else f" {each.market}"
    times = f" {each.count}x" if each.count > 1 else ""
    seen = "" if each.acked_by is None else f", seen by {each.acked_by}"
    since = moment(each.first_ns)
    return f"{mark} {each.id}{where} {each.code}{times} since {since}: {each.text}{seen}"


class _Limit(NamedTuple):
    """A limit: figures as they are, and how they are shown; `least`: it is one from below."""

    name: str
    now: float | None
    limit: float
    show: Callable[[Any], str]
    least: bool = False

    @property
    def used(self) -> float | None:
        """How much of it is used up, None when nobody knows."""
        if self.now is None:
            return None
        if self.least:
            return self.limit / self.now if self.now > 0 else math.inf
        return self.now / self.limit if self.limit > 0 else math.inf

    @property
    def line(self) -> str:
        """Name, figure, limit and what is left."""
        if self.now is None:
            return f"{self.name:<8} {'-':>8} {self.show(self.limit):>9} {'-':>8}"
        left = self.now - self.limit if self.least else self.limit - self.now
        now, limit, left_text = (self.show(each) for each in (self.now, self.limit, left))
        return f"{self.name:<8} {now:>8} {limit:>9} {left_text:>8}"


def _bps(ppm: int | None) -> str:
    return "-" if ppm is None else f"{ppm / 100:g}"


def dollars(uusd: float) -> str:
    """Return money without cents."""
    return f"{uusd / MICRO:,.0f}"


def _share(ratio: float) -> str:
    return "> 1,000%" if ratio > 10 else f"{ratio:.1%}"


def _level(each: MarketStatus, level: Level) -> str:
    return f"{each.tick * level.ticks:,f} x {each.lot * level.lots:f}"


def cost_lines(view: StatusView, market: str | None, taker_ppm: int | None) -> list[str]:
    """Return what giving the position back would cost at the best price, and the fee."""
    lines, total = [], 0.0
    for each in view.markets:
        if not each.position_lots or market not in (None, each.symbol):
            continue
        long = each.position_lots > 0
        best = each.best_bid if long else each.best_ask
        away = abs(each.mark_half_ticks - 2 * best) / each.mark_half_ticks if best else 0.0
        worth_usd = each.exposure_uusd / MICRO
        cost_usd = worth_usd * (away + (taker_ppm or 0) / MICRO)
        total += cost_usd
        held = signed(each.lot * each.position_lots)
        lines.append(f"{each.symbol} {held}, {worth_usd:,.2f} USD: about {cost_usd:,.2f}")
    if not lines:
        return ["nothing is held there"]
    fee = "fees not known" if taker_ppm is None else "fees included"
    return [*lines, f"cost about {total:,.2f} USD at the best price, {fee}"]


def fill_line(fill: Fill, market: Market) -> str:
    """Return a trade in one line."""
    did = "bought" if fill.side is Side.BID else "sold"
    kind = "maker" if fill.maker else "taker"
    size, price = market.size(fill.lots), market.price(fill.ticks)
    return f"{market.symbol} {did} {size:f} at {price:,f} ({kind})"


def held_line(view: StatusView) -> str:
    """Return what is held, in one line."""
    held = [
        f"{each.symbol} {signed(each.lot * each.position_lots)}"
        + ("" if each.exposure_ratio is None else f" ({each.exposure_ratio:.0%})")
        for each in view.markets
        if each.position_lots
    ]
    return f"position {', '.join(held) or 'none'}"


def earned_lines(found: Earned) -> list[str]:
    """Return what was earned, and where it came from."""
    lines = [f"net  {found.pnl_usd:+,.2f} USD"]
    lines += [f"  {name:<12}{usd:>+12,.2f}" for name, usd in found.lines.items() if usd]
    lines.append(f"{found.fills:,} fills, {found.volume_usd:,.0f} USD")
    if found.volume_usd:
        lines.append(f"5 s markout {_markout_bps(found):+.1f} bps")
    return lines


def edge_line(found: Earned) -> str:
    """Return what trades brought at once, and what prices did after them."""
    spread = found.lines.get("spread", Decimal(0))
    if not found.volume_usd:
        return f"spread {spread:+,.2f}"
    return f"spread {spread:+,.2f} \u00b7 5 s markout {_markout_bps(found):+.1f} bps"


def _markout_bps(found: Earned) -> Decimal:
    return found.adverse_usd / found.volume_usd * 10_000
