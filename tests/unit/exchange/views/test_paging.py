"""Pages: following the cursors gives every record once, whatever is appended meanwhile."""

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from mmbot.exchange.exchange import Exchange
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.views.asked import Asked, ViewRules
from mmbot.exchange.views.paging import in_time, key_of, keyed, page

EXCHANGE = Exchange(ExchangeParams(), 0)


class _Row(NamedTuple):
    action_id: int
    time_ns: int


def _asked(**query: str) -> Asked:
    return Asked(EXCHANGE, ViewRules(), [], query)


def _walk(rows: list[int], size: int, between: Callable[[], None]) -> list[int]:
    found: list[int] = []
    query = {"pageSize": str(size)}
    for _ in range(200):
        answer: Any = page(_asked(**query), rows, lambda row: row, lambda row: row)
        found += answer["items"]
        if answer["nextStartInclusive"] is None:
            return found
        query["startInclusive"] = str(answer["nextStartInclusive"])
        between()
    raise AssertionError("there is no last page")


@given(st.sets(st.integers(0, 10**6), max_size=60), st.integers(1, 12), st.integers(0, 3))
def test_pages_together_are_the_list_whatever_is_appended(
    keys: set[int], size: int, appended: int
) -> None:
    rows = sorted(keys)

    def append() -> None:
        rows.extend(10**6 + len(rows) + place for place in range(1, appended + 1))

    assert _walk(rows, size, append) == sorted(keys, reverse=True)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 7))
def test_filters_leave_full_pages_and_no_holes(kept: list[bool], size: int) -> None:
    rows = list(range(len(kept)))
    expected = [row for row in reversed(rows) if kept[row]]
    found: list[int] = []
    query = {"pageSize": str(size)}
    for _ in range(200):
        answer: Any = page(
            _asked(**query), rows, lambda row: row, lambda row: row, keep=lambda row: kept[row]
        )
        found += answer["items"]
        if answer["nextStartInclusive"] is None:
            break
        assert len(answer["items"]) == size
        query["startInclusive"] = str(answer["nextStartInclusive"])
    assert found == expected


@given(st.lists(st.integers(0, 5), max_size=40))
def test_records_of_one_action_get_keys_of_their_own_that_never_change(steps: list[int]) -> None:
    actions = [sum(steps[: place + 1]) for place in range(len(steps))]
    rows = [_Row(action, 0) for action in actions]
    keys = [key_of(each) for each in keyed(rows)]
    assert keys == sorted(set(keys))
    assert [key_of(each) for each in keyed(rows[: len(rows) // 2])] == keys[: len(rows) // 2]


@given(st.lists(st.integers(0, 9)), st.none() | st.integers(0, 9), st.none() | st.integers(0, 9))
def test_since_is_inclusive_and_until_exclusive_in_any_order_of_time(
    seconds: list[int], since: int | None, until: int | None
) -> None:
    rows = [_Row(place, second * 10**9) for place, second in enumerate(seconds)]
    query = {}
    if since is not None:
        query["since"] = f"1970-01-01T00:00:0{since}Z"
    if until is not None:
        query["until"] = f"1970-01-01T00:00:0{until}.0Z"
    low, high = since or 0, 10 if until is None else until
    expected = [place for place, second in enumerate(seconds) if low <= second < high]
    assert [row.action_id for row in in_time(_asked(**query), rows)] == expected


def test_a_page_size_above_the_limit_is_the_limit() -> None:
    for size, length in [("", 50), ("50", 50), ("51", 50), ("255", 50), ("7", 7)]:
        answer: Any = page(_asked(pageSize=size), range(200), lambda row: row, lambda row: row)
        assert len(answer["items"]) == length
        assert answer["nextStartInclusive"] == 199 - length
