from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.order import Level
from mmbot.domain.quotes import Quotes, Room
from mmbot.risk.reducing import cut, reducing_room, within


def test_only_the_reducing_side_has_room() -> None:
    assert reducing_room(7) == Room(0, 7, 0)
    assert reducing_room(-7) == Room(7, 0, 0)
    assert reducing_room(0) == Room(0, 0, 0)


def test_levels_are_cut_from_the_outside() -> None:
    levels = (Level(10, 4), Level(9, 4), Level(8, 4))
    assert cut(levels, 6, 1) == (Level(10, 4), Level(9, 2))
    assert cut(levels, 6, 3) == (Level(10, 4),)
    assert cut(levels, 0, 1) == ()


def test_the_reason_tells_why_a_side_is_empty() -> None:
    both = Quotes((Level(10, 4),), (Level(12, 4),))
    assert within(both, Room(0, 3), 1, "why") == Quotes((), (Level(12, 3),), "why")
    assert within(both, Room(9, 9), 1, "why") == both


@given(st.lists(st.integers(1, 9), max_size=5), st.integers(0, 30), st.integers(1, 4))
def test_never_more_than_there_is_to_close(sizes: list[int], lots: int, least: int) -> None:
    levels = tuple(Level(100 - at, size) for at, size in enumerate(sizes))
    kept = cut(levels, lots, least)
    assert sum(level.lots for level in kept) <= lots
    assert all(
        least <= level.lots <= whole.lots for level, whole in zip(kept, levels, strict=False)
    )
