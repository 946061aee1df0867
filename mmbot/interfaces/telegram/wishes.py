"""What a written command asks for: name, market, reason, key, value, how long. Pure."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mmbot.domain.control import OperatorCommand, Verb, Who
from mmbot.domain.notices import Severity
from mmbot.errors import UsageError
from mmbot.interfaces.telegram.menu import MENU

MOST_REASON = 200
_LEVELS = {"info": Severity.INFO, "warning": Severity.WARNING}
LONGEST_SPAN_S = 7 * 86_400
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?\Z", re.DOTALL)
_SPAN = re.compile(r"([0-9]{1,6})([smhd])\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SET = re.compile(r"(?P<key>\S+)\s+(?P<value>.+?)(?:\s+for\s+(?P<span>\S+))?\Z")


class Written(NamedTuple):
    """A command as written: its name in lower case, and the rest of the line."""

    name: str
    rest: str


def written(text: str, own_name: str) -> Written | None:
    """Return the command of a message, None when it is none or is for another bot."""
    found = _COMMAND.match(text)
    if found is None or (found[2] is not None and found[2].lower() != own_name.lower()):
        return None
    return Written(found[1].lower(), " ".join((found[3] or "").split()))


def persisted(given: Written) -> Written | None:
    """Return a /set that is to be written into the file, without that word; None for any other."""
    rest, _, word = given.rest.rpartition(" ")
    return Written(given.name, rest) if (given.name, word) == ("set", "persist") else None


class _Rest(NamedTuple):
    """What stands behind a command."""

    market: str | None = None
    reason: str = ""
    key: str | None = None
    value: str | None = None
    for_s: float | None = None


def wish_of(given: Written, who: Who, issued_ns: int, symbols: Sequence[str]) -> OperatorCommand:
    """Return what is asked for; UsageError, in words for the one who wrote it, when it is not."""
    verb = MENU[given.name].verb
    if verb is None:
        raise UsageError(f"/{given.name} commands nothing")
    rest = _READ[verb](given.rest, symbols)
    return OperatorCommand(
        verb,
        who,
        issued_ns,
        reason=rest.reason[:MOST_REASON],
        market=rest.market,
        key=rest.key,
        value=rest.value,
        for_s=rest.for_s,
    )


def only_market(rest: str, symbols: Sequence[str]) -> str | None:
    """Return the market that is all of the rest, None for all markets; UsageError."""
    market, more = market_first(rest, symbols)
    if more:
        raise UsageError(f"{more} is not traded here, only {', '.join(symbols)}")
    return market


def market_first(rest: str, symbols: Sequence[str]) -> tuple[str | None, str]:
    """Return the market that the rest begins with, None for all of them, and what follows."""
    first, _, more = rest.partition(" ")
    return (first.upper(), more) if first.upper() in symbols else (None, rest)


def span_s(text: str, most_s: int = LONGEST_SPAN_S) -> int:
    """Return seconds of 90s, 30m, 2h or 1d; UsageError when it is none of them, or too long."""
    found = _SPAN.match(text)
    seconds = 0 if found is None else int(found[1]) * _SECONDS[found[2]]
    if not 0 < seconds <= most_s:
        days = most_s // _SECONDS["d"]
        raise UsageError(f"{text[:40]} is no time: 90s, 30m, 2h or 1d, {days} days at most")
    return seconds


def count_of(text: str, usual: int, most: int) -> int:
    """Return a number of lines, the usual one of an empty text; UsageError."""
    if not text:
        return usual
    if not text.isdecimal() or not 0 < int(text[:9]) <= most:
        raise UsageError(f"{text[:40]} is no number from 1 to {most}")
    return int(text)


def _market_and_reason(rest: str, symbols: Sequence[str]) -> _Rest:
    return _Rest(*market_first(rest, symbols))


def _market(rest: str, symbols: Sequence[str]) -> _Rest:
    return _Rest(only_market(rest, symbols))


def _reason(rest: str, _symbols: Sequence[str]) -> _Rest:
    if not rest:
        raise UsageError("a reason is needed behind it; it is kept")
    return _Rest(reason=rest)


def _nothing(rest: str, _symbols: Sequence[str]) -> _Rest:
    if rest:
        raise UsageError(f"nothing belongs behind it, but there is {rest[:40]}")
    return _Rest()


def muted_by(rest: str) -> tuple[Severity, int]:
    """Return up to which severity is muted, and for how many seconds; UsageError."""
    level, _, span = f"warning {rest}".rpartition(" ")
    severity = _LEVELS.get(level.split()[-1])
    if severity is None:
        raise UsageError("info and warning can be muted; what is critical can be acknowledged")
    if not span:
        raise UsageError("a time is needed, such as /mute 30m")
    return severity, span_s(span)


def _set(rest: str, _symbols: Sequence[str]) -> _Rest:
    found = _SET.match(rest)
    if found is None:
        raise UsageError("a key and a value are needed, such as /set spread.min_bps 8 for 30m")
    for_s = None if found["span"] is None else float(span_s(found["span"]))
    return _Rest(key=found["key"], value=found["value"], for_s=for_s)


def _key(rest: str, _symbols: Sequence[str]) -> _Rest:
    if not rest or " " in rest:
        raise UsageError("one key is needed, such as /unset spread.min_bps")
    return _Rest(key=rest)


def _alert(rest: str, _symbols: Sequence[str]) -> _Rest:
    return _Rest(key=rest or None)


_READ: dict[Verb, Callable[[str, Sequence[str]], _Rest]] = {
    Verb.PAUSE: _market_and_reason,
    Verb.CANCEL_ALL: _market_and_reason,
    Verb.RESUME: _market,
    Verb.FLATTEN: _market,
    Verb.ACK: _alert,
    Verb.SET: _set,
    Verb.UNSET: _key,
    Verb.RELOAD: _nothing,
    Verb.RESET_HALT: _reason,
    Verb.RESET_PNL: _reason,
    Verb.STOP: _nothing,
}
