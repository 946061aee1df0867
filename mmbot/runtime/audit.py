"""What is written down of every command: who asked for what, and what became of it."""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mmbot.domain.control import Answer, OperatorCommand
from mmbot.secrets.redaction import redacted

# A row of the journal has room for all of these together.
LONGEST_TEXT, LONGEST_WORD = 600, 200


class Audited(Struct, frozen=True, omit_defaults=True):
    """What is kept of a command."""

    face: str
    user: str
    role: str
    verb: str
    issued_ns: int
    result: str
    message: str
    before: str
    after: str
    market: str | None = None
    key: str | None = None
    value: str | None = None
    for_s: float | None = None
    reason: str = ""
    dry_run: bool = False


def without_secrets(command: OperatorCommand) -> OperatorCommand:
    """Return a command whose reason may be shown and kept: people paste into it."""
    return replace(command, reason=redacted(command.reason))


def audited(command: OperatorCommand, answer: Answer) -> Audited:
    """Return the row of a command."""
    return Audited(
        face=command.who.face,
        user=command.who.user[:LONGEST_WORD],
        role=command.who.role.name.lower(),
        verb=command.verb,
        issued_ns=command.issued_ns,
        result=answer.result,
        message=answer.message[:LONGEST_TEXT],
        before=answer.before[:LONGEST_WORD],
        after=answer.after[:LONGEST_WORD],
        market=_short(command.market),
        key=_short(command.key),
        # An address is a secret, and refused: it must not be kept for that.
        value=None if (command.key or "").endswith("_url") else _short(command.value),
        for_s=command.for_s,
        reason=command.reason[:LONGEST_WORD],
        dry_run=command.dry_run,
    )


def journal_words(text: str) -> str:
    """Return the text of a command in the journal for people; some were given without a bot."""
    try:
        return command_words(msgspec.json.decode(text, type=Audited))
    except msgspec.DecodeError:
        return text


def command_words(row: Audited) -> str:
    """Return the row of a command for people."""
    asked = [row.verb, row.market, row.key, row.value]
    if row.for_s is not None:
        asked.append(f"for {row.for_s:g} s")
    wish = " ".join(word for word in asked if word)
    tried = " (tried only)" if row.dry_run else ""
    why = f" because: {row.reason}" if row.reason else ""
    who = f"{row.face}:{row.user} ({row.role})"
    became = f" [{row.before} -> {row.after}]" if row.before != row.after else ""
    return f"{wish}{tried} by {who}{why}: {row.result}, {row.message}{became}"


def _short(word: str | None) -> str | None:
    return None if word is None else word[:LONGEST_WORD]
