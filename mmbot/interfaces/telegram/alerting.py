"""Notices as messages: folded, counted, corrected when they are over, told again when nobody acts.

Pure: time comes with the notices and the ticks; what is to be told goes out as posts.
"""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from html import escape

from msgspec import Struct

from mmbot.domain.alerts import Alert
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import StatusView
from mmbot.interfaces.status_block import gain, moment, signed, usd
from mmbot.interfaces.telegram.kinds import NS_PER_S, OVER, kind_of, loudness
from mmbot.interfaces.telegram.outbox import Post
from mmbot.interfaces.telegram.talk import FACE, InForce
from mmbot.interfaces.telegram.wording import MARKS

MINUTE_NS = 60 * NS_PER_S
MOST_TEXT = 300
MOST_KEYS = 500
MOST_NAMED = 8
_GIVEN_HERE = re.compile(rf"(?:\(|\bby ){FACE}:(\d+)[,)]")
_NEXT = "next: /risk /explain /flatten /reset_halt"

Key = tuple[str, str | None]
View = Callable[[], StatusView]


class _Message(Struct):
    """What was told under a key, how often it came, and whether it is over."""

    severity: Severity
    text: str
    sent_ns: int
    first_ns: int
    alert_id: str
    count: int = 1
    over: bool = False


class Alerting:
    """What was told lately. `view` is asked only when a new message is written."""

    def __init__(self, params: InForce, view: View) -> None:
        self.mute_until_ns = 0
        self.mute_most = Severity.INFO
        self._params = params
        self._view = view
        self._told: dict[Key, _Message] = {}
        self._sent: deque[int] = deque()
        self._held: Counter[str] = Counter()
        self._held_ns = 0

    def notice(self, notice: Notice, market: str | None, now_ns: int) -> Iterator[Post]:
        """Take in a notice; yields what is to be told of it."""
        if notice.code.endswith(OVER):
            yield from self._over((notice.code.removesuffix(OVER), market), now_ns)
            return
        kind = kind_of(notice)
        if kind is None or self._is_muted(notice.severity, now_ns):
            return
        wanted = loudness(self._params.chat, kind, notice.severity, now_ns)
        if wanted == "none":
            return
        if kind == "config":
            # Somebody did something: nothing that goes on, or is the same as before.
            yield from self._event(notice, market, now_ns, silent=wanted == "silent")
            return
        key = (notice.code, market)
        held = self._told.get(key)
        window_ns = round(self._params.alerts.dedupe_window_s * NS_PER_S)
        fresh = held is not None and now_ns - held.sent_ns < window_ns
        if held is not None and fresh and held.severity >= notice.severity:
            if held.over:
                held.over, held.first_ns = False, now_ns
                held.alert_id = self._alert_id(key)
            held.count += 1
            held.text = _said(notice)
            yield self._post(key, held, correction=True)
            return
        if self._held_back(notice, now_ns):
            return
        yield self._first(notice, key, now_ns, silent=wanted == "silent")

    def tick(self, alerts: Sequence[Alert], now_ns: int) -> Iterator[Post]:
        """Tell what is critical and not seen to again, and what was held back in a storm."""
        again_ns = round(self._params.alerts.escalate_after_s * NS_PER_S)
        for alert in alerts:
            held = self._told.get((alert.code, alert.market))
            if alert.severity < Severity.CRITICAL or alert.acked_by is not None or held is None:
                continue
            if now_ns - held.sent_ns >= again_ns:
                held.sent_ns = now_ns
                minutes = (now_ns - held.first_ns) // MINUTE_NS
                told = self._text((alert.code, alert.market), held)
                text = f"{told}\nstill open after {minutes} min: /ack {alert.id}"
                yield Post(f"{alert.code} {alert.market} {now_ns}", Severity.CRITICAL, text)
        if self._held and now_ns - self._held_ns >= MINUTE_NS:
            yield self._storm(now_ns)

    def mute(self, most: Severity, until_ns: int) -> None:
        """Tell nothing of this severity or less until then; what is critical is always told."""
        self.mute_most, self.mute_until_ns = most, until_ns

    def muted(self, now_ns: int) -> str:
        """Return what is muted, in words; nothing when nothing is."""
        if now_ns >= self.mute_until_ns:
            return ""
        return f"muted up to {self.mute_most.name.lower()} until {moment(self.mute_until_ns)}"

    def _is_muted(self, severity: Severity, now_ns: int) -> bool:
        return severity <= min(self.mute_most, Severity.WARNING) and now_ns < self.mute_until_ns

    def _is_storm(self, now_ns: int) -> bool:
        """Whether there were so many messages that this one is only counted."""
        while self._sent and now_ns - self._sent[0] >= MINUTE_NS:
            self._sent.popleft()
        if self._held:
            return True
        if len(self._sent) < self._params.alerts.max_per_minute_count:
            return False
        self._held_ns = now_ns
        return True

    def _storm(self, now_ns: int) -> Post:
        total = self._held.total()
        named = ", ".join(f"{code} {n}x" for code, n in self._held.most_common(MOST_NAMED))
        self._held.clear()
        self._sent.append(now_ns)
        count = "1 alert" if total == 1 else f"{total} alerts"
        text = f"{MARKS[Severity.WARNING]} {count} in 60 s: {escape(named, quote=False)}"
        return Post(f"storm {now_ns}", Severity.WARNING, text)

    def _held_back(self, notice: Notice, now_ns: int) -> bool:
        if notice.severity >= Severity.CRITICAL or not self._is_storm(now_ns):
            return False
        self._held[notice.code] += 1
        return True

    def _event(
        self, notice: Notice, market: str | None, now_ns: int, *, silent: bool
    ) -> Iterator[Post]:
        if self._held_back(notice, now_ns):
            return
        key = (notice.code, market)
        message = _Message(notice.severity, _said(notice), now_ns, now_ns, self._alert_id(key))
        self._sent.append(now_ns)
        yield Post(
            f"{notice.code} {market} {now_ns}",
            message.severity,
            self._text(key, message),
            silent=silent,
            not_to=_giver(notice),
        )

    def _alert_id(self, key: Key) -> str:
        return next((a.id for a in self._view().alerts if (a.code, a.market) == key), "")

    def _first(self, notice: Notice, key: Key, now_ns: int, *, silent: bool) -> Post:
        more = _standing(self._view()) if kind_of(notice) == "halt" else ""
        text = _said(notice) + more
        message = _Message(notice.severity, text, now_ns, now_ns, self._alert_id(key))
        self._told.pop(key, None)
        self._told[key] = message
        self._sent.append(now_ns)
        if len(self._told) > MOST_KEYS:
            del self._told[next(iter(self._told))]
        return self._post(key, message, silent=silent, not_to=_giver(notice))

    def _over(self, key: Key, now_ns: int) -> Iterator[Post]:
        message = self._told.get(key)
        if message is not None and not message.over:
            message.over = True
            seconds = (now_ns - message.first_ns) // NS_PER_S
            span = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
            text = f"\N{HEAVY CHECK MARK} after {span}: {self._text(key, message)}"
            yield Post(f"{key[0]} {key[1]}", message.severity, text, correction=True)

    def _post(
        self,
        key: Key,
        message: _Message,
        *,
        silent: bool = False,
        correction: bool = False,
        not_to: int | None = None,
    ) -> Post:
        return Post(
            f"{key[0]} {key[1]}",
            message.severity,
            self._text(key, message),
            silent=silent,
            correction=correction,
            not_to=not_to,
        )

    @staticmethod
    def _text(key: Key, message: _Message) -> str:
        code, market = key
        mark = MARKS[message.severity]
        name = code.replace("_", " ").upper() if message.severity >= Severity.CRITICAL else code
        where = "" if market is None else f" {market}"
        times = f" ({message.count}x)" if message.count > 1 else ""
        alert = f"  <i>alert {message.alert_id}</i>" if message.alert_id else ""
        head = f"{mark} <b>{escape(name, quote=False)}</b>{where}{times}".strip()
        return f"{head}: {message.text}{alert}"


def _said(notice: Notice) -> str:
    return escape(notice.text[:MOST_TEXT], quote=False)


def _giver(notice: Notice) -> int | None:
    """Return the private chat of the one who gave a command here, and had an answer."""
    found = _GIVEN_HERE.search(notice.text)
    return None if found is None else int(found[1])


def _standing(view: StatusView) -> str:
    """Return what somebody woken at night wants to know first."""
    limit = "" if view.limits is None else f" (limit {-view.limits.daily_loss_uusd / 1e6:,.2f})"
    held = ", ".join(
        f"{each.symbol} {signed(each.lot * each.position_lots)}"
        for each in view.markets
        if each.position_lots
    )
    lines = [
        f"day {gain(view.day_pnl_uusd)} USD{limit} \u00b7 equity {usd(view.equity_uusd)}",
        f"{view.orders} orders are taken off; position: {held or 'none'}",
        _NEXT,
    ]
    return "\n" + escape("\n".join(lines), quote=False)
