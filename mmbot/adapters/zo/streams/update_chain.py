"""The links between updates of one market or account (protocol 4.3): what follows what."""

from collections.abc import Iterable
from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

Content = TypeVar("Content")
RESTART = 0


class Place(Enum):
    """Where an update stands in the chain."""

    NEXT = auto()
    OLD = auto()
    BEYOND = auto()


# Members of an enum are slow to look up.
NEXT, OLD, BEYOND = Place.NEXT, Place.OLD, Place.BEYOND


def place(last_id: int | None, update_id: int, reached: int, *, joining: bool) -> Place:
    """Place an update when everything up to `reached` is known.

    Ids are not consecutive, only the link counts. Without a link nothing can be checked, and a
    link of zero is a restart of the chain; both follow when they are newer. The first one that
    joins a snapshot may begin before it: its values are absolute.
    """
    if update_id <= reached:
        return OLD
    if last_id is None or last_id in (RESTART, reached):
        return NEXT
    return NEXT if joining and last_id < reached else BEYOND


class Held(NamedTuple, Generic[Content]):
    """An update that waits, with what it says."""

    last_id: int | None
    update_id: int
    content: Content


class Waiting(Generic[Content]):
    """Updates that wait for a snapshot; when they are too many all are forgotten.

    Nothing is lost by that but time: the snapshot must then be newer than what was forgotten.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self.held: list[Held[Content]] = []
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0

    def add(self, held: Held[Content], size: int = 0) -> None:
        """Keep an update of `size` bytes."""
        self._bytes += size
        if len(self.held) >= self._most or self._bytes > self._most_bytes:
            self.clear()
            self._bytes = size
        self.held.append(held)

    def clear(self) -> None:
        """Forget all of them."""
        self.held.clear()
        self._bytes = 0


def follow(held: Iterable[Held[Content]], snapshot_id: int) -> list[Held[Content]] | None:
    """Return those of the waiting updates that follow a snapshot, in order.

    None when something is missing in between: then the snapshot is older than the updates, or one
    of them was lost, and a newer snapshot is needed.
    """
    newer = {each.update_id: each for each in held if each.update_id > snapshot_id}
    found: list[Held[Content]] = []
    reached = snapshot_id
    for update_id in sorted(newer):
        each = newer[update_id]
        if place(each.last_id, update_id, reached, joining=not found) is BEYOND:
            return None
        found.append(each)
        reached = update_id
    return found
