from collections.abc import Sequence

def price_levels(
    base: float, spread: float, levels: int, best_bid: int, best_ask: int
) -> tuple[list[int], list[int]]: ...
def stack(
    ticks: Sequence[int],
    lots: Sequence[int],
    cap_lots: int,
    cap_ticklots: int,
    min_lots: int,
) -> list[tuple[int, int]]: ...
def pair(
    orders: list[tuple[int, int]],
    levels: Sequence[tuple[int, int]],
    fit: tuple[int, int, float, float],
    price_ratio: float,
) -> list[int]: ...
