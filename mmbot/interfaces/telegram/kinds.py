"""What kind of news a notice is, and how loudly each kind is told. Pure."""

from datetime import UTC, datetime

from mmbot.domain.control import Verb
from mmbot.domain.notices import Notice, Severity
from mmbot.interfaces.telegram.params import Loudness, TelegramParams

NS_PER_S = 1_000_000_000
OVER = "_over"
_OF_COMMANDS = frozenset(Verb) | {
    "reduce",
    "halt",
    "clear-halt",
    "reset_pnl",
    "override_ends",
    "override_ended",
}
_KINDS = {
    "halt": ("halted", "emergency"),
    "risk": (
        "running",
        "reduce-only",
        "position",
        "stray_order",
        "foreign_order",
        "zombie_order",
        "transfer",
        "unknown_market",
        "restatement",
        "flat",
        "flatten_failed",
        "late_fill",
        "unexpected_fill",
        "unsolicited_cancel",
        "unsolicited_cancels",
        "telegram_stranger",
        "telegram_conflict",
        "telegram_hook",
        "session_ends",
        "stop_trigger",
        "stop_trigger_fired",
        "stop_triggers_unread",
    ),
    "fill_digest": ("pnl_step",),
    "order_error": (
        "order_gone",
        "order_unknown",
        "order_rejected",
        "too_many_orders",
        "reject_storm",
        "order_failures",
    ),
}
_BY_CODE = {code: kind for kind, codes in _KINDS.items() for code in codes}
_BY_START = {"denied_": "order_error", "hedge": "hedge", "lease": "lease"}
# Of what is no more than an event only this is told.
_TOLD_THOUGH_CALM = frozenset({"running", "transfer", "flat", "pnl_step"})


def kind_of(notice: Notice) -> str | None:
    """Return the key of `telegram.notify` that a notice goes by, None for one that is not told."""
    code = notice.code.removesuffix("_refused")
    calm = notice.severity < Severity.WARNING
    if code in _OF_COMMANDS:
        return "config"
    if calm and code not in _TOLD_THOUGH_CALM:
        return None
    if code in _BY_CODE:
        return _BY_CODE[code]
    for start, kind in _BY_START.items():
        if code.startswith(start):
            return kind
    return "risk" if notice.severity >= Severity.CRITICAL else "connection"


def loudness(params: TelegramParams, kind: str, severity: Severity, now_ns: int) -> Loudness:
    """Return how loudly something is told now; what is critical is always heard."""
    if severity >= Severity.CRITICAL:
        return "loud"
    wanted: Loudness = getattr(params.notify, kind)
    if wanted == "loud" and _is_quiet(params.quiet_hours_utc, now_ns):
        return "silent"
    return wanted


def _is_quiet(hours: str | None, now_ns: int) -> bool:
    if hours is None:
        return False
    start, end = hours.split("-")
    now = f"{datetime.fromtimestamp(now_ns // NS_PER_S, UTC):%H:%M}"
    return start <= now < end if start <= end else now >= start or now < end
