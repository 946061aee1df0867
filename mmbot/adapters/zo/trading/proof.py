"""When snapshots prove that nothing of ours is left: two in a row, and nothing under way."""

from msgspec import Struct

from mmbot.adapters.zo.rest.answers import RestingOrder

_CLEAN_IN_A_ROW = 2


class Look(Struct):
    """A snapshot: what of ours rests, when it was asked for and came.

    `settled`: nothing that had been in flight could still land when it was asked for.
    """

    own: list[RestingOrder]
    update_id: int
    asked_ns: int
    came_ns: int
    settled: bool


class Proof:
    """Counts clean looks in a row."""

    def __init__(self) -> None:
        self._clean = 0
        self._next_ns = 0
        self._newest = 0

    def note(self, look: Look) -> bool:
        """Take a look; True when it completes the proof. A stale one proves nothing."""
        if look.update_id < self._newest:
            return False
        self._newest = look.update_id
        if look.own or not look.settled:
            self._clean = 0
        elif look.asked_ns >= self._next_ns or not self._clean:
            self._clean += 1
            self._next_ns = look.came_ns
        return self._clean >= _CLEAN_IN_A_ROW
