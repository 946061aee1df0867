from collections.abc import Iterable, Mapping
from typing import final

@final
class Flow:
    def __init__(
        self,
        params: Mapping[str, float],
        *,
        seed: int,
        market: int,
        start_ns: int,
        latency_ns: int,
        substeps: int,
    ) -> None: ...
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
