"""The journal of a run: everything sent and told, one JSON object a line, in the engine's order.

`{"kind": "run", ...}` comes first and says what is traded; then `batch` for what was sent, and an
event's kind and the event itself. Times are Unix ns. A last line cut short by a crash is left out.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from mmbot.domain.actions import Action, Batch, Cancel, Place
from mmbot.domain.events import (
    BookGap,
    Event,
    Fill,
    FundingPayment,
    Hindrance,
    Operator,
    OrderUpdate,
    Restatement,
    Transfer,
)
from mmbot.errors import DataError

SCHEMA = "mmbot.journal/1"
_KINDS: dict[type[Event], str] = {
    OrderUpdate: "order",
    Fill: "fill",
    Hindrance: "hindrance",
    BookGap: "book_gap",
    FundingPayment: "funding",
    Restatement: "restatement",
    Transfer: "transfer",
    Operator: "operator",
}
_EVENTS = {kind: event for event, kind in _KINDS.items()}


class Begun(Struct, frozen=True, kw_only=True):
    """The first line. `symbols` are the markets by index, `lots` the positions it began with.

    `own_in_book`: the recorded books contain the run's own orders.
    """

    schema: str = SCHEMA
    ts_ns: int
    mode: str
    symbols: tuple[str, ...]
    lots: tuple[int, ...]
    equity_uusd: int
    own_in_book: bool


class _Action(Struct, frozen=True, omit_defaults=True):
    place: Place | None = None
    cancel: Cancel | None = None


class _Line(Struct, frozen=True):
    kind: str
    event: msgspec.Raw = msgspec.Raw(b"null")
    ts_ns: int = 0
    actions: tuple[_Action, ...] = ()


class Journal:
    """Writes the lines; what it does not keep (books, timers, snapshots) it passes over."""

    def __init__(self, begun: Begun, write: Callable[[bytes], object]) -> None:
        """Begin with the first line; `write` is given whole lines."""
        self._write = write
        self._put("run", begun)

    def event(self, event: Event) -> None:
        """Take in what the engine was told."""
        kind = _KINDS.get(type(event))
        if kind is not None:
            self._put(kind, event)

    def batch(self, batch: Batch) -> None:
        """Take in what was sent."""
        actions = tuple(
            _Action(place=action) if isinstance(action, Place) else _Action(cancel=action)
            for action in batch.actions
        )
        line = {"kind": "batch", "ts_ns": batch.ts_ns, "actions": actions}
        self._write(msgspec.json.encode(line) + b"\n")

    def _put(self, kind: str, event: Struct) -> None:
        line = {"kind": kind, "event": event}
        self._write(msgspec.json.encode(line) + b"\n")


class Journalled(NamedTuple):
    """What a journal says: how it began, and batches and events in their order."""

    begun: Begun
    entries: tuple[Batch | Event, ...]


def read_journal(path: Path) -> Journalled:
    """Read a whole journal. DataError: file, line and what was expected."""
    try:
        with path.open("rb") as file:
            return journalled(file, f"{path}")
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise DataError(f"{path}: expected the journal of a run: {reason}") from error


def journalled(lines: Iterable[bytes], name: str) -> Journalled:
    """Read the lines of a journal; `name` is for errors, see `read_journal`."""
    begun: Begun | None = None
    entries: list[Batch | Event] = []
    for number, text in enumerate(lines, 1):
        if not text.endswith(b"\n"):
            break
        try:
            line = msgspec.json.decode(text, type=_Line)
            if number == 1:
                begun = _first(line)
            else:
                entries += _entries(line)
        except (msgspec.DecodeError, msgspec.ValidationError, ValueError) as error:
            raise DataError(f"{name}, line {number}: {error}") from error
    if begun is None:
        raise DataError(f"{name}: expected the journal of a run, found nothing")
    return Journalled(begun, tuple(entries))


def _first(line: _Line) -> Begun:
    if line.kind != "run":
        raise ValueError(f"expected the line of kind run, found {line.kind}")
    begun = msgspec.json.decode(line.event, type=Begun)
    if begun.schema != SCHEMA:
        raise ValueError(f"expected {SCHEMA}, found {begun.schema}")
    return begun


def _entries(line: _Line) -> Iterator[Batch | Event]:
    if line.kind == "batch":
        actions: list[Action] = []
        for each in line.actions:
            action = each.place or each.cancel
            if action is None:
                raise ValueError("expected a place or a cancel")
            actions.append(action)
        yield Batch(line.ts_ns, tuple(actions))
    elif line.kind in _EVENTS:
        yield msgspec.json.decode(line.event, type=_EVENTS[line.kind])
