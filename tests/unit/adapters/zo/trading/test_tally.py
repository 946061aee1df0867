"""What was told of executions waits for the audit: compared whole, bounded, given up by proof."""

from mmbot.adapters.zo.trading.tally import Booked, Tally


def test_the_oldest_are_compared_together_when_too_many_wait() -> None:
    tally = Tally(1, most_spans=3)
    for action in range(1, 11):
        tally.book((action - 1, action), 0, Booked(1, -10, 2))
    first = tally.told(1, 0)
    assert first is not None
    assert (first.low, first.high) == (0, 8)
    assert first.booked == Booked(8, -80, 16)
    assert tally.told(7, 0) is first
    assert tally.told(9, 0) is not first
    tally.audited(first, 0)
    assert tally.told(5, 0) is None
    assert tally.lots == [10]


def test_what_the_list_has_gone_past_is_given_up_once() -> None:
    tally = Tally(2)
    tally.book((0, 4), 0, Booked(3))
    tally.book((4, 9), 0, Booked(5))
    tally.book((0, 4), 1, Booked(7))
    (gone,) = tally.passed(0, 9)
    assert (gone.high, gone.booked.lots) == (4, 3)
    assert tally.passed(0, 9) == []
    assert [tally.gave_up(at, 0) for at in (0, 1, 4, 5)] == [False, True, True, False]
    assert not tally.gave_up(4, 1)
    assert tally.told(4, 1) is not None
    assert tally.lots == [8, 7]


def test_what_was_told_before_the_last_listed_has_to_be_listed() -> None:
    tally = Tally(2)
    tally.book((0, 4), 0, Booked(3))
    tally.book((4, 9), 0, Booked(5))
    assert not tally.lacking(0, [2, 7], 12)
    assert tally.lacking(0, [2], 12)
    assert tally.lacking(0, [7], 12)
    # Nothing is known yet of the update that the last one listed is of.
    assert not tally.lacking(0, [2], 9)
    assert not tally.lacking(1, [], 12)
