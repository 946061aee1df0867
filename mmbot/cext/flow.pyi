from collections.abc import Iterable, Mapping
from typing import Self, final

@final
class Flow:
    def __new__(
        cls, params: Mapping[str, float], *, seed: int, market: int, clock: tuple[int, int, int]
    ) -> Self: ...
    def chunk(
        self,
        best_bid: int | None,
        best_ask: int | None,
        prints: Iterable[tuple[int, int, int, int]],
        substeps: int,
    ) -> bytes: ...
    @property
    def finished(self) -> bool: ...
    @property
    def next_ns(self) -> int: ...
    @property
    def reference(self) -> float: ...
    @property
    def last_touches(self) -> list[tuple[int, int, int, int, int]]: ...
