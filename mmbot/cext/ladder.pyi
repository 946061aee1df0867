from collections.abc import Sequence
from typing import Protocol, TypeVar, overload

class _Rests(Protocol):
    @property
    def ticks(self) -> int: ...
    @property
    def leaves(self) -> int: ...

_Order = TypeVar("_Order", bound=_Rests)
_Level = TypeVar("_Level", bound=tuple[int, int])

def price_levels(
    base: float, spread: float, levels: int, best_bid: int, best_ask: int
) -> tuple[list[int], list[int]]: ...
@overload
def stack(
    ticks: Sequence[int],
    lots: Sequence[int],
    cap_lots: int,
    cap_worth: int,
    bounds: tuple[bool, int, int, int],
) -> list[tuple[int, int]]: ...
@overload
def stack(
    ticks: Sequence[int],
    lots: Sequence[int],
    cap_lots: int,
    cap_worth: int,
    bounds: tuple[bool, int, int, int],
    kind: type[_Level],
) -> list[_Level]: ...
def pair(
    orders: list[_Order],
    levels: Sequence[_Level],
    fit: tuple[int, int, float, float],
    price_ratio: float,
) -> tuple[list[_Order], list[_Level]]: ...
