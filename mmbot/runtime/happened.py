"""Happened: what is counted of a run besides its orders, each by a few words that stay the same."""

from collections import Counter

from mmbot.domain.control import Answer, OperatorCommand, Verb
from mmbot.domain.figures import DELAY_NS, NETWORK_NS, Histogram, Labels, Readings
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import Mode
from mmbot.engine import Engine
from mmbot.engine.view import standing

NS_PER_MS = 1_000_000
CHANNELS = ("log", "telegram", "webhook")
_RESULTS = ("failed", "delivered")
_DENIED = "denied_"


class Happened:
    """Counts; `delays` has how late the account's stream is."""

    def __init__(self) -> None:
        self.delays: dict[Labels, Histogram] = {("account",): Histogram(DELAY_NS)}
        self._resyncs = Counter[Labels]()
        self._denied = Counter[Labels]()
        self._commands = Counter[Labels]()
        # Rates need a beginning: what did not happen yet is counted, too.
        levels = [each.name.lower() for each in Severity if each >= Severity.WARNING]
        self._alerts = Counter[Labels](
            {
                (level, channel, result): 0
                for level in levels
                for channel in CHANNELS
                for result in _RESULTS
            }
        )
        self._cancels: dict[Labels, Histogram] = {(): Histogram(NETWORK_NS)}
        self._transitions = Counter[Labels]()
        self._mode = Mode.BOOT

    def resynced(self, symbol: str, reason: str) -> None:
        """A book is read anew."""
        self._resyncs[symbol, _break(reason)] += 1

    def noticed(self, notice: Notice, symbol: str | None) -> None:
        """People are told of something."""
        self.alerted(notice.severity, "log", taken=True)
        if notice.code.startswith(_DENIED) and symbol is not None:
            self._denied[symbol, notice.code.removeprefix(_DENIED)] += 1

    def alerted(self, severity: Severity, channel: str, *, taken: bool) -> None:
        """An alert was sent to people over a channel, or could not be; other news is none."""
        if severity >= Severity.WARNING:
            self._alerts[severity.name.lower(), channel, _RESULTS[taken]] += 1

    def commanded(self, command: OperatorCommand, answer: Answer) -> None:
        """A command was answered."""
        self._commands[str(command.verb), command.who.face, str(answer.result)] += 1
        took_ms = answer.facts.get("took_ms")
        if command.verb is Verb.CANCEL_ALL and isinstance(took_ms, int):
            self._cancels[()].add(took_ms * NS_PER_MS)

    def stands(self, engine: Engine) -> None:
        """See the mode as it is now."""
        mode = standing(engine).mode
        if mode is not self._mode:
            self._transitions[str(self._mode), str(mode), _cause(engine)] += 1
            self._mode = mode

    def readings(self) -> Readings:
        """Return the counts and the times."""
        return Readings(
            counts={
                "state_transitions": self._transitions,
                "book_resyncs": self._resyncs,
                "risk_rejects": self._denied,
                "commands": self._commands,
                "alerts": self._alerts,
            },
            times={"cancel_all_seconds": self._cancels, "feed_delay_seconds": self.delays},
        )


def _cause(engine: Engine) -> str:
    """Return one word for what stands in the way: its texts have numbers and names in them."""
    stops = engine.stops
    if stops.breaker.account_reason() is not None:
        return "breaker"
    names = stops.hindrances.names()
    return names[0][0] if names else "none"


def _break(reason: str) -> str:
    """Return one word for why a book is read anew."""
    if reason.startswith("gap"):
        return "gap"
    if reason.startswith("the ids"):
        return "order"
    return "connection" if "connect" in reason or "clos" in reason else "other"
