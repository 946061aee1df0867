"""Quotes: leaving things alone and wanting nothing are never the same answer."""

from mmbot.domain.order import Level
from mmbot.domain.quotes import HOLD, NO_ROOM, Hold, Quotes, Room


def test_hold_is_no_set_of_quotes() -> None:
    nothing = Quotes((), ())
    assert isinstance(HOLD, Hold)
    assert not isinstance(nothing, Hold)
    assert nothing.reason is None


def test_quotes_compare_by_their_levels() -> None:
    assert Quotes((Level(5, 1),), ()) == Quotes(((5, 1),), ())  # type: ignore[arg-type]
    assert Quotes((Level(5, 1),), ()) != Quotes((), (Level(5, 1),))


def test_no_room_is_none_on_either_side() -> None:
    assert Room(bid_lots=0, ask_lots=0) == NO_ROOM
