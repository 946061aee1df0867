"""Ladder arithmetic in the order of the specification, one step after another."""

import math
from collections.abc import Sequence
from typing import NamedTuple


def price_levels(
    base: float, spread: float, levels: int, best_bid: int, best_ask: int
) -> tuple[list[int], list[int]]:
    spacings = [spread * (level + 1) * 0.5 for level in range(levels)]
    bids = [math.floor(base * (1.0 - spacing)) for spacing in spacings]
    asks = [math.ceil(base * (1.0 + spacing)) for spacing in spacings]
    if best_ask:
        bids = [bid if bid < best_ask else best_ask - 1 for bid in bids]
    if best_bid:
        asks = [ask if ask > best_bid else best_bid + 1 for ask in asks]
    if bids[0] >= asks[0]:
        inner_bid, inner_ask = bids[0] - 1, asks[0] + 1
        bids = [min(bid, inner_bid) for bid in bids]
        asks = [max(ask, inner_ask) for ask in asks]
    return [bid for bid in bids if bid > 0], asks


def stack(
    ticks: Sequence[int],
    lots: Sequence[int],
    cap_lots: int,
    cap_worth: int,
    bounds: tuple[bool, int, int, int],
) -> list[tuple[int, int]]:
    per_tick, least, most, min_lots = bounds

    def worth(price: int, size: int) -> int:
        return price * size if per_tick else size

    merged: dict[int, int] = {}
    for price, size in zip(ticks, lots, strict=True):
        merged[price] = merged.get(price, 0) + size
    prices = list(merged)

    def over() -> bool:
        total = sum(merged.values())
        value = sum(worth(price, size) for price, size in merged.items())
        return -1 < cap_lots < total or -1 < cap_worth < value

    # One lot at a time, always from the outermost level that has any.
    while over():
        outermost = next(price for price in reversed(prices) if merged[price])
        merged[outermost] -= 1
    for price in prices:
        while worth(price, merged[price]) > most:
            merged[price] -= 1
    return [
        (price, merged[price])
        for price in prices
        if merged[price] >= max(min_lots, 1) and worth(price, merged[price]) >= least
    ]


class Rest(NamedTuple):
    """An order as the pairing sees it."""

    ticks: int
    leaves: int


def pair(
    orders: list[Rest],
    levels: Sequence[tuple[int, int]],
    fit: tuple[int, int, float, float],
    price_ratio: float,
) -> tuple[list[Rest], list[tuple[int, int]]]:
    above, below, down, up = fit
    free = [index for index, (ticks, _) in enumerate(orders) if above < ticks < below]
    left = list(range(len(orders)))
    found: dict[int, int] = {}
    for ratio in (0.0, price_ratio):
        for number, (ticks, lots) in enumerate(levels):
            fits = [
                index
                for index in free
                if abs(orders[index][0] - ticks) <= ratio * ticks
                and -down * lots <= orders[index][1] - lots <= up * lots
            ]
            if number not in found and fits:
                found[number] = fits[0]
                free.remove(fits[0])
                left.remove(fits[0])
    unmet = [level for number, level in enumerate(levels) if number not in found]
    return [orders[index] for index in left], unmet
