"""Which updates were taken already: known to the next start, so that nothing is done twice."""

from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct

# After a week without updates Telegram counts from a number of its own choice.
FORGOTTEN_NS = 6 * 86_400 * 1_000_000_000


class _Seen(Struct, frozen=True):
    number: int
    ts_ns: int


class Memory:
    """The highest number taken. `keep` puts bytes on the disk, False when they are not there."""

    def __init__(
        self,
        kept: bytes | None,
        keep: Callable[[bytes], Awaitable[bool]],
        clock: Callable[[], int],
    ) -> None:
        self._taken = None if kept is None else msgspec.json.decode(kept, type=_Seen)
        self._kept = self._taken
        self._keep = keep
        self._clock = clock

    def after(self) -> int | None:
        """Return the number after which updates are new, None when any may be."""
        taken = self._taken
        if taken is None or self._clock() - taken.ts_ns > FORGOTTEN_NS:
            return None
        return taken.number

    def take(self, number: int) -> bool:
        """Take an update; False when it, or a later one, was taken before."""
        after = self.after()
        if after is not None and number <= after:
            return False
        self._taken = _Seen(number, self._clock())
        return True

    async def remember(self, number: int) -> bool:
        """Have it on the disk that everything up to this number is taken."""
        kept, now_ns = self._kept, self._clock()
        if kept is None or number > kept.number or now_ns - kept.ts_ns > FORGOTTEN_NS:
            self._kept = kept = _Seen(number, now_ns)
        return await self._keep(msgspec.json.encode(kept))
