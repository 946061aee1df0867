"""How a run ended, for a person and for a program: what it did, what is left, what to do next."""

from collections.abc import Iterator, Sequence
from typing import Any

from mmbot.domain.market import MICRO, Market
from mmbot.domain.status import MarketStatus, StatusView
from mmbot.runtime.supervision import EXIT_HALTED, EXIT_INCOMPLETE, ExitReport

NS_PER_S = 1_000_000_000
_NEXT = {
    EXIT_HALTED: "a halt stays until a person ends it: look at `mmbot events`, then "
    "`mmbot reset-halt`",
    EXIT_INCOMPLETE: "look at the venue; `mmbot cancel-all --direct` takes off what is there",
}


def run_document(report: ExitReport, status: StatusView) -> dict[str, Any]:
    """Return how it ended, for a program."""
    left = report.leftovers
    return {
        "exit_code": report.code,
        "begins_anew": report.cleared,
        "reason": report.reason,
        "clean": left.clean,
        "orders_left": [str(each) for each in left.orders],
        "positions_left": report.held,
        "status": status,
    }


def run_summary(report: ExitReport, status: StatusView, markets: Sequence[Market]) -> Iterator[str]:
    """Yield the lines of how it ended."""
    left = report.leftovers
    if left.clean:
        proof = "0 orders left" if status.run_mode == "live" else "no order was sent"
    elif left.orders:
        proof = f"THESE ORDERS MAY REST: {', '.join(map(str, left.orders))}"
    else:
        proof = f"nobody could prove that no order rests: {left.reason}"
    if report.cleared:
        yield f"cleared: {report.reason}; {proof}; it begins anew"
    else:
        yield f"ended: {report.reason}; {proof}; exit code {report.code}"
    if report.held:
        yield f"  positions are left in {', '.join(report.held)}"
    volume_uusd = sum(each.volume_uusd for each in status.markets)
    pnl_uusd = sum(each.pnl_uusd for each in status.markets)
    yield (
        f"  {_age(status)}: {_count(status.fills, 'fill')}, volume {volume_uusd / MICRO:,.2f} USD, "
        f"PnL {pnl_uusd / MICRO:+,.2f} USD; {_count(status.placed, 'order')} placed, "
        f"{status.cancelled:,} cancelled, {status.rejected:,} refused, {status.raced:,} too late"
    )
    for each, market in zip(status.markets, markets, strict=True):
        yield f"  {_market(each, market)}"
    if report.code in _NEXT and not report.cleared:
        yield f"  {_NEXT[report.code]}"


def _market(each: MarketStatus, market: Market) -> str:
    held = market.size(each.position_lots)
    return (
        f"{each.symbol}: {_count(each.fills, 'fill')}, PnL {each.pnl_uusd / MICRO:+,.2f} USD, "
        f"position {f'{held:+f}' if held else '0'}"
    )


def _age(status: StatusView) -> str:
    minutes, seconds = divmod((status.ts_ns - status.started_ns) // NS_PER_S, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:d}:{minutes:02d}:{seconds:02d}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
