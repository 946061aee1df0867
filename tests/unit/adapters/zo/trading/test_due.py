"""When the account is looked at again; the times are worked out by hand."""

from hypothesis import given
from hypothesis import strategies as st

from mmbot.adapters.zo.trading.due import Due

MS = 1_000_000


def looks(due: Due, from_ms: int, to_ms: int, *, soon: bool = False) -> list[int]:
    """Look whenever it is due, asking each 100 ms; every look's figures are told."""
    found = []
    for now_ms in range(from_ms, to_ms + 1, 100):
        if due.now(now_ms * MS, soon=soon):
            due.viewed(now_ms * MS, told=True)
            found.append(now_ms)
    return found


def test_nothing_seen_yet_is_due_and_then_regularly() -> None:
    due = Due(5_000, 500)
    assert looks(due, 0, 16_000) == [0, 5_000, 10_000, 15_000]


def test_figures_that_were_late_are_followed_by_quick_ones() -> None:
    due = Due(5_000, 500)
    due.viewed(0, told=True)
    # Held up until 11.0 s, by a pause of the machine or because nobody answered.
    assert looks(due, 11_000, 24_000) == [11_000, 11_500, 12_000, 12_500, 17_500, 22_500]


def test_what_is_only_a_little_late_is_not() -> None:
    due = Due(5_000, 500)
    due.viewed(0, told=True)
    assert looks(due, 7_500, 13_000) == [7_500, 12_500]


def test_figures_that_wait_to_be_explained_are_late_when_they_are_told() -> None:
    due = Due(5_000, 500)
    due.viewed(0, told=True)
    due.viewed(5_000 * MS, told=False)
    assert not due.now(9_900 * MS, soon=False)
    due.viewed(10_000 * MS, told=True)
    assert looks(due, 10_100, 17_000) == [10_500, 11_000, 11_500, 16_500]


def test_somebody_who_waits_is_served_soon() -> None:
    due = Due(5_000, 500)
    due.viewed(0, told=True)
    assert looks(due, 100, 1_700, soon=True) == [500, 1_000, 1_500]


@given(st.lists(st.integers(0, 30_000), max_size=20))
def test_three_good_ones_in_a_row_never_take_long(silences: list[int]) -> None:
    due = Due(5_000, 500)
    due.viewed(0, told=True)
    now = 0
    for silence in silences:
        now += 100 * (silence // 100)
        found = looks(due, now, now + 7_000)
        if silence > 7_600:
            # The second and third after the first that came, at most half a second each.
            assert found[2] - found[0] <= 1_000
        now = found[-1]
