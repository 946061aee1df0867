"""Telling: notices and fills to whoever has subscribed. Nobody who is slow holds anything up."""

import asyncio
from collections import deque
from collections.abc import Sequence

from mmbot.domain.events import Fill
from mmbot.domain.notices import Notice
from mmbot.ports import Told

KNOWN_FILLS = 200


class Reader:
    """Subscription that keeps so many for a slow reader."""

    def __init__(self, telling: "Telling", most: int) -> None:
        self.dropped = 0
        self._telling = telling
        self._waiting: deque[Told] = deque(maxlen=most)
        self._some = asyncio.Event()

    def take(self, told: Told) -> None:
        """Keep one; the oldest goes when there are too many."""
        waiting = self._waiting
        self.dropped += len(waiting) == waiting.maxlen
        waiting.append(told)
        self._some.set()

    async def next(self) -> Told:
        """See Subscription."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._waiting.popleft()

    def close(self) -> None:
        """See Subscription."""
        self._telling.readers.discard(self)


class Telling:
    """Hands on what it hears; a fill is told once, though it may come twice (see events.Fill)."""

    def __init__(self) -> None:
        self.readers: set[Reader] = set()
        self._known: deque[tuple[int, int]] = deque(maxlen=KNOWN_FILLS)

    def subscribe(self, most: int) -> Reader:
        """Return a reader of all that comes from now on."""
        reader = Reader(self, most)
        self.readers.add(reader)
        return reader

    def notices(self, notices: Sequence[Notice]) -> None:
        """Hand on notices."""
        for reader in self.readers:
            for notice in notices:
                reader.take(notice)

    def fill(self, fill: Fill) -> bool:
        """Hand on a fill; False when it was told before."""
        key = (fill.market, fill.trade_id)
        if key in self._known:
            return False
        self._known.append(key)
        for reader in self.readers:
            reader.take(fill)
        return True
