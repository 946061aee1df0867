"""Pages, newest first: a cursor is the key of the first record of the next page (protocol 3.2).

Keys never change and new records have larger ones, so a reader who follows the cursors sees every
record that was there at the start exactly once, whatever is appended meanwhile.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from mmbot.exchange.views.asked import U8, U64, Asked, bad_query

PAGE_SIZE = 50
# Records of one action are told apart in the low digits of their key.
_IN_ACTION = 4096


class Timed(Protocol):
    """A record with an engine time."""

    @property
    def time_ns(self) -> int: ...


class OfAction(Timed, Protocol):
    """A record written by an action."""

    @property
    def action_id(self) -> int: ...


_T = TypeVar("_T")
_TimedT = TypeVar("_TimedT", bound=Timed)
_OfActionT = TypeVar("_OfActionT", bound=OfAction)


class Limits(NamedTuple):
    """Where a page begins (the largest key it may show, None for the newest) and how long it is."""

    start: int | None
    size: int


class Keyed(NamedTuple, Generic[_T]):
    """A record with a key that no other record of its history has."""

    key: int
    time_ns: int
    row: _T


def limits(asked: Asked, default: int = PAGE_SIZE, most: int = PAGE_SIZE) -> Limits:
    """Read cursor and page size; a size above `most` means `most`, none at all is a bad query."""
    size = asked.integer("pageSize", U8)
    if size == 0:
        bad_query()
    return Limits(asked.integer("startInclusive", U64), min(size or default, most))


def page(
    asked: Asked,
    rows: Sequence[_T],
    key: Callable[[_T], int],
    show: Callable[[_T], object],
    *,
    keep: Callable[[_T], bool] | None = None,
    within: Limits | None = None,
) -> dict[str, object]:
    """Answer with a page of `rows`, which are oldest first with rising keys; `keep` filters."""
    start, size = within or limits(asked)
    end = len(rows) if start is None else bisect_right(rows, start, key=key)
    found: list[object] = []
    following = None
    for row in map(rows.__getitem__, range(end - 1, -1, -1)):
        if keep is not None and not keep(row):
            continue
        if len(found) == size:
            following = asked.id(key(row))
            break
        found.append(show(row))
    return {"items": found, "nextStartInclusive": following}


def in_time(asked: Asked, rows: Sequence[_TimedT]) -> Sequence[_TimedT]:
    """Keep the rows from `since` on and before `until` of the query.

    Every row is looked at: engine time can jump back, so rows need not be in order of time.
    """
    since, until = asked.time_ns("since"), asked.time_ns("until")
    if since is not None:
        rows = [row for row in rows if row.time_ns >= since]
    if until is not None:
        rows = [row for row in rows if row.time_ns < until]
    return rows


def keyed(rows: Iterable[_OfActionT]) -> list[Keyed[_OfActionT]]:
    """Give the records of one owner, oldest first, keys from their action and place in it."""
    found: list[Keyed[_OfActionT]] = []
    last = place = -1
    for row in rows:
        place = place + 1 if row.action_id == last else 0
        last = row.action_id
        found.append(Keyed(last * _IN_ACTION + place, row.time_ns, row))
    return found


def key_of(keyed_row: Keyed[_T]) -> int:
    """Return the key, for `page`."""
    return keyed_row.key
