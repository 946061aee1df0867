"""The links between updates of one market or account (protocol 4.3): what follows what."""

from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple

RESTART = 0


class Place(Enum):
    """Where an update stands in the chain."""

    NEXT = auto()
    OLD = auto()
    BEYOND = auto()


def place(last_id: int | None, update_id: int, reached: int) -> Place:
    """Place an update when the chain is known up to `reached`.

    Ids are not consecutive, only the link counts. Without a link nothing can be checked, and a
    link of zero is a restart of the chain; both follow when they are newer.
    """
    if update_id <= reached:
        return Place.OLD
    return Place.NEXT if last_id in (None, RESTART, reached) else Place.BEYOND


class Held(NamedTuple):
    """An update that waits, with the frame it came in."""

    last_id: int | None
    update_id: int
    frame: bytes


def follow(held: Iterable[Held], snapshot_id: int) -> tuple[list[Held], int] | None:
    """Return what of the waiting updates follows a snapshot, in order, and the id it leads to.

    The first of them may straddle the snapshot. None when something is missing in between: then
    the snapshot is older than the updates, or one of them was lost, and a newer one is needed.
    """
    newer = sorted(
        {each.update_id: each for each in held if each.update_id > snapshot_id}.values(),
        key=lambda each: each.update_id,
    )
    reached = snapshot_id
    for number, each in enumerate(newer):
        straddles = number == 0 and each.last_id is not None and each.last_id < snapshot_id
        if not straddles and place(each.last_id, each.update_id, reached) is Place.BEYOND:
            return None
        reached = each.update_id
    return newer, reached
