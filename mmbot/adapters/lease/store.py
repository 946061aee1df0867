"""What the keeper of leases is asked for, by whoever keeps them."""

from typing import NamedTuple, Protocol

HALTED = "halted"
"""The holder of a lease that a halted bot has left behind: nobody else trades until it is over."""


class Seen(NamedTuple):
    """What stands there after a request: the holder, None when the lease is free, and its epoch.

    `newest` is the highest epoch ever granted; `left_ms` how long the lease still holds.
    """

    holder: str | None
    epoch: int
    newest: int
    left_ms: int

    def held_by(self, holder: str, epoch: int) -> bool:
        """Whether it is the lease of this holder, and none was granted after it."""
        return (self.holder, self.epoch, self.newest) == (holder, epoch, epoch)


class LeaseStore(Protocol):
    """Keeps the one lease of an account.

    Every method raises Unavailable when nobody answers in time, and InUse when what stands there
    is no lease of ours: then there is none to be had.
    """

    async def look(self) -> Seen:
        """Say what stands there."""
        ...

    async def take(self, holder: str, known: int, own: int) -> Seen:
        """Take the lease if it is free, with an epoch above all that is known here or there.

        What a bot that halted left behind is free for the one whose last epoch, `own`, it was.
        """
        ...

    async def extend(self, holder: str, epoch: int) -> Seen:
        """Let it hold from now on, if it is this holder's, or free with no later epoch granted."""
        ...

    async def release(self, holder: str, epoch: int, *, halted: bool) -> Seen:
        """Give it back; `halted`: to nobody, so that a halt holds for both of a pair."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...
