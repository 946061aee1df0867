"""Ladder arithmetic in the order of the specification, one step after another."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple


def price_levels(
    base: float, spread: float, levels: int, best_bid: int, best_ask: int, growth: float = 0.0
) -> tuple[list[int], list[int]]:
    halves = [growth**level if growth else level + 1 for level in range(levels)]
    spacings = [spread * half * 0.5 for half in halves]
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


def grid_levels(
    base: float, spread: float, levels: int, touch: tuple[int, int], step: int
) -> tuple[list[int], list[int]]:
    bids, asks = price_levels(base, spread, 1, *touch)
    # Every price of the grid that is not inside the quotes, the nearest first.
    below = [price for price in range(0, bids[0] + 1, step) if price > 0] if bids else []
    above = [price for price in range(0, asks[0] + (levels + 1) * step, step) if price >= asks[0]]
    return below[::-1][:levels], above[:levels]


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


class Rungs:
    """The steps above one after another, sizes by division in between."""

    def __init__(
        self,
        levels: int,
        max_lots: int,
        bounds: tuple[bool, int, int, int],
        kind: type,
        growth: float = 0.0,
    ) -> None:
        self.growth = growth
        self.step = 0
        self.levels = levels
        self.max_lots = max_lots
        self.bounds = bounds
        self.kind = kind

    def quotes(
        self,
        base: float,
        spread: float,
        touch: tuple[int, int],
        worths: tuple[int, ...],
        side_worth: int,
        rooms: tuple[int, int],
    ) -> tuple[tuple[tuple[int, int], ...], ...]:
        sides = []
        prices = price_levels(base, spread, self.levels, *touch, self.growth)
        if self.step:
            prices = grid_levels(base, spread, self.levels, touch, self.step)
        both = (worths[: self.levels], worths[-self.levels :])
        for ticks, room, own in zip(prices, rooms, both, strict=True):
            units = [price if self.bounds[0] else 1 for price in ticks]
            lots = [
                min(worth // unit, self.max_lots) for worth, unit in zip(own, units, strict=False)
            ]
            levels = stack(ticks, lots, room, side_worth, self.bounds) if room > 0 else []
            sides.append(tuple(self.kind(*level) for level in levels))
        return tuple(sides)


class Rest(NamedTuple):
    """An order as the pairing sees it."""

    side: int
    ticks: int
    leaves: int


def pair(
    orders: list[Rest],
    bids: Sequence[tuple[int, int]],
    asks: Sequence[tuple[int, int]],
    slack: tuple[float, float, float, float, float],
) -> tuple[list[Rest], list[tuple[int, int]], list[tuple[int, int]]]:
    price_ratio, down, bid_up, ask_up, growth = slack
    own_bids = sorted((one for one in orders if one.side > 0), key=lambda one: -one.ticks)
    own_asks = sorted((one for one in orders if one.side < 0), key=lambda one: one.ticks)
    highest = asks[0][0] if asks else math.inf
    lowest = bids[0][0] if bids else 0
    unfit_bids, bids_left = _pair_side(
        own_bids, bids, lambda one: one.ticks < highest, (price_ratio, growth, down, bid_up)
    )
    unfit_asks, asks_left = _pair_side(
        own_asks, asks, lambda one: one.ticks > lowest, (price_ratio, growth, down, ask_up)
    )
    return unfit_bids + unfit_asks, bids_left, asks_left


def _pair_side(
    orders: list[Rest],
    levels: Sequence[tuple[int, int]],
    allowed: Callable[[Rest], bool],
    slack: tuple[float, float, float, float],
) -> tuple[list[Rest], list[tuple[int, int]]]:
    price_ratio, growth, down, up = slack
    free = [index for index, order in enumerate(orders) if allowed(order)]
    left = list(range(len(orders)))
    found: set[int] = set()
    for ratio in (0.0, price_ratio):
        for number, (ticks, lots) in enumerate(levels):
            fits = [
                index
                for index in free
                if abs(orders[index].ticks - ticks) <= ratio * growth**number * ticks
                and -down * lots <= orders[index].leaves - lots <= up * lots
            ]
            if number not in found and fits:
                found.add(number)
                free.remove(fits[0])
                left.remove(fits[0])
    unmet = [level for number, level in enumerate(levels) if number not in found]
    return [orders[index] for index in left], unmet
