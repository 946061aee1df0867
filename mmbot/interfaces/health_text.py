"""How well a bot does: what is looked at, what counts as trouble. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from mmbot.domain.notices import Severity
from mmbot.domain.status import Mode, StatusView
from mmbot.interfaces.status_block import age, span

OLD_BOOK_MS = 5_000.0
SLOW_LOOP_MS = 50.0
SHORT_SESSION_S = 3_600
NS_PER_S = 1_000_000_000


class Trouble(NamedTuple):
    """Something that is wrong: `name` says what to anybody, `text` with figures and words."""

    name: str
    text: str


def troubles(view: StatusView) -> list[str]:
    """Return what is wrong, nothing for a bot that is well; a pause is no trouble."""
    return [each.text for each in _wrong(view)]


def unready(view: StatusView) -> list[str]:
    """Return why a bot is not ready, nothing for one that quotes and is well.

    Names only: whoever looks at a probe is not told amounts, nor what people wrote.
    """
    names = []
    if view.mode is not Mode.QUOTING:
        names = [_name(each) for each in view.reasons] or [
            f"{each.symbol} {_name(each.reason)}" for each in view.markets if each.reason
        ]
        names = names or [view.mode.value]
    return list(dict.fromkeys([*names, *(each.name for each in _wrong(view))]))


def _name(reason: str) -> str:
    # Reasons begin with the name of a gate or a limit; figures and words of people follow.
    return re.split(r"[:0-9]", reason, maxsplit=1)[0].strip()


def _wrong(view: StatusView) -> Iterator[Trouble]:
    if view.mode is Mode.HALTED:
        yield Trouble("halted", f"halted: {'; '.join(view.reasons)}")
    for each in view.markets:
        if each.book_age_ms is None or each.book_age_ms > OLD_BOOK_MS:
            text = f"{each.symbol}: book {age(each.book_age_ms)} old"
            yield Trouble(f"{each.symbol} book", text)
    for each in view.markets:
        if each.stop_trigger is not None and each.stop_trigger.trouble is not None:
            text = f"{each.symbol}: stop trigger {each.stop_trigger.trouble}"
            yield Trouble(f"{each.symbol} stop trigger", text)
    if view.unknown:
        yield Trouble("unknown orders", f"{view.unknown} orders whose outcome is not known")
    yield from _weak(view)
    for alert in view.alerts:
        if alert.severity >= Severity.CRITICAL and alert.acked_by is None:
            yield Trouble(f"alert {alert.code}", f"alert {alert.id}: {alert.code}: {alert.text}")


def _weak(view: StatusView) -> Iterator[Trouble]:
    # What it stands on: the processor, the lease, the trading key.
    if view.loop_lag_p99_ms is not None and view.loop_lag_p99_ms > SLOW_LOOP_MS:
        yield Trouble("loop lag", f"loop lag p99 {view.loop_lag_p99_ms:.0f} ms")
    if view.lease is not None and view.lease.trouble is not None:
        yield Trouble("lease", f"lease {view.lease.epoch}: {view.lease.trouble}")
    left_s = session_left_s(view)
    if left_s is not None and left_s < SHORT_SESSION_S:
        yield Trouble("session", f"session ends in {left_s // 60} min")


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
