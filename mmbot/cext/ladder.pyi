from collections.abc import Sequence
from typing import Generic, Protocol, Self, TypeVar, final

class _Rests(Protocol):
    @property
    def side(self) -> int: ...
    @property
    def ticks(self) -> int: ...
    @property
    def leaves(self) -> int: ...

_Order = TypeVar("_Order", bound=_Rests)
_Level = TypeVar("_Level", bound=tuple[int, int])

def price_levels(
    base: float, spread: float, levels: int, best_bid: int, best_ask: int
) -> tuple[list[int], list[int]]: ...
def stack(
    ticks: Sequence[int],
    lots: Sequence[int],
    cap_lots: int,
    cap_worth: int,
    bounds: tuple[bool, int, int, int],
) -> list[tuple[int, int]]: ...

@final
class Rungs(Generic[_Level]):
    def __new__(
        cls,
        levels: int,
        max_lots: int,
        bounds: tuple[bool, int, int, int],
        kind: type[_Level],
        growth: float = ...,
    ) -> Self: ...
    step: int
    def quotes(
        self,
        base: float,
        spread: float,
        touch: tuple[int, int],
        worths: tuple[int, ...],
        side_worth: int,
        rooms: tuple[int, int],
    ) -> tuple[tuple[_Level, ...], tuple[_Level, ...]]: ...

def pair(
    orders: list[_Order],
    bids: tuple[_Level, ...],
    asks: tuple[_Level, ...],
    slack: tuple[float, float, float, float, float],
) -> tuple[list[_Order], list[_Level], list[_Level]]: ...
