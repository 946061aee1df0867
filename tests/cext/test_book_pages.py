"""The shared C book with prices far apart: many pages, emptied, filled again and cleared."""

import random

import pytest

from mmbot.cext.orderbook import OrderBook
from mmbot.domain.order import Side

BID, ASK = int(Side.BID), int(Side.ASK)
FARTHEST = 2**63 - 2


def listed(levels: dict[int, int], side: int) -> list[tuple[int, int]]:
    return sorted(levels.items(), key=lambda level: -level[0] * side)


@pytest.mark.parametrize("side", [BID, ASK])
@pytest.mark.parametrize("spread", [50, 80_000, FARTHEST])
def test_levels_far_apart_come_back_in_order(side: int, spread: int) -> None:
    dice = random.Random(spread)
    book, levels = OrderBook(), dict[int, int]()
    for turn in range(4):
        prices = [dice.randint(1, spread) for _ in range(700)]
        for ticks in prices:
            levels[ticks] = dice.randint(1, 9)
            book.set_level(side, ticks, levels[ticks])
        for ticks in dice.sample(sorted(levels), len(levels) * turn // 4):
            book.set_level(side, ticks, 0)
            del levels[ticks]
        assert book.levels(side, 5000) == listed(levels, side)
        assert book.levels(-side, 5) == []


@pytest.mark.parametrize("side", [BID, ASK])
def test_a_cleared_book_keeps_nothing(side: int) -> None:
    dice = random.Random(5)
    book = OrderBook()
    prices = [dice.randint(1, 60_000) for _ in range(500)]
    for ticks in prices:
        book.set_level(side, ticks, 3)
    book.clear()
    assert book.levels(side, 5000) == []
    assert not any(book.lots_at(side, ticks) for ticks in prices)
    again = dict.fromkeys(sorted(set(prices))[::7], 2)
    for ticks, lots in again.items():
        book.set_level(side, ticks, lots)
    assert book.levels(side, 5000) == listed(again, side)
    book.set_level(side, listed(again, side)[0][0], 0)
    assert book.lots_within(side, 0) == 2
