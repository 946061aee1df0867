"""How well a bot does: what is looked at, what counts as trouble. Pure."""

from mmbot.domain.notices import Severity
from mmbot.domain.status import Mode, StatusView
from mmbot.interfaces.status_block import age, span

OLD_BOOK_MS = 5_000.0
SLOW_LOOP_MS = 50.0
SHORT_SESSION_S = 3_600
NS_PER_S = 1_000_000_000


def troubles(view: StatusView) -> list[str]:
    """Return what is wrong, nothing for a bot that is well; a pause is no trouble."""
    found = []
    if view.mode is Mode.HALTED:
        found.append(f"halted: {'; '.join(view.reasons)}")
    found += [
        f"{each.symbol}: book {age(each.book_age_ms)} old"
        for each in view.markets
        if each.book_age_ms is None or each.book_age_ms > OLD_BOOK_MS
    ]
    found += [
        f"{each.symbol}: stop trigger {each.stop_trigger.trouble}"
        for each in view.markets
        if each.stop_trigger is not None and each.stop_trigger.trouble is not None
    ]
    if view.unknown:
        found.append(f"{view.unknown} orders whose outcome is not known")
    if view.loop_lag_p99_ms is not None and view.loop_lag_p99_ms > SLOW_LOOP_MS:
        found.append(f"loop lag p99 {view.loop_lag_p99_ms:.0f} ms")
    if view.lease is not None and view.lease.trouble is not None:
        found.append(f"lease {view.lease.epoch}: {view.lease.trouble}")
    left_s = session_left_s(view)
    if left_s is not None and left_s < SHORT_SESSION_S:
        found.append(f"session ends in {left_s // 60} min")
    found += [
        f"alert {alert.id}: {alert.code}: {alert.text}"
        for alert in view.alerts
        if alert.severity >= Severity.CRITICAL and alert.acked_by is None
    ]
    return found


def session_left_s(view: StatusView) -> int | None:
    """Return how long the trading key still lasts, None without one."""
    if view.session_ends_ns is None:
        return None
    return (view.session_ends_ns - view.ts_ns) // NS_PER_S


def health_lines(view: StatusView) -> list[str]:
    """Return the report, what is wrong at its end."""
    left_s = session_left_s(view)
    lines = [
        f"{view.instance}  {view.run_mode}  {view.mode}",
        f"version {view.version}, run {view.epoch}",
        f"up {span((view.ts_ns - view.started_ns) // NS_PER_S)}",
        f"ack p50 {_ms(view.ack_p50_ms)}  p99 {_ms(view.ack_p99_ms)}",
        f"loop lag p99 {_ms(view.loop_lag_p99_ms)}",
        f"reconnects {view.reconnects}",
        "session -" if left_s is None else f"session {span(max(0, left_s))} left",
        *_lease(view),
        *(f"book {each.symbol} {age(each.book_age_ms)} old" for each in view.markets),
    ]
    wrong = troubles(view)
    return [*lines, *(f"wrong: {each}" for each in wrong)] if wrong else [*lines, "all is well"]


def _lease(view: StatusView) -> list[str]:
    lease = view.lease
    return [] if lease is None else [f"lease {lease.epoch}, {age(lease.age_ms)} old"]


def _ms(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.1f} ms"
