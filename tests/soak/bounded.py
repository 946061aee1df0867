"""Containers of the harness that would grow for ever in a soak, cut to their newest entries."""

from collections import deque
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")
NEWEST = 20_000


class NewestKeys(set[K]):
    """A set that forgets what was added longest ago."""

    def __init__(self, most: int = NEWEST) -> None:
        super().__init__()
        self._most = most
        self._order: deque[K] = deque()

    def add(self, key: K) -> None:
        if key not in self:
            super().add(key)
            self._order.append(key)
            if len(self._order) > self._most:
                self.discard(self._order.popleft())


class Newest(dict[K, V]):
    """A dict that forgets the keys that were set longest ago."""

    def __init__(self, most: int = NEWEST) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self._cut()

    def setdefault(self, key: K, default: V) -> V:
        found = super().setdefault(key, default)
        self._cut()
        return found

    def _cut(self) -> None:
        while len(self) > self._most:
            del self[next(iter(self))]
