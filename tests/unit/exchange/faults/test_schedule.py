"""The schedule of faults: when they strike, what they cover, and that a seed repeats them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.exchange.faults.entries import FaultError, Where
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.faults.table import KNOBS, Mode

MS = 1_000_000
MARKETS = {"BTCUSD": 0, "ETHUSD": 1}


class Clock:
    """Engine time in milliseconds, moved by hand."""

    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms * MS


def _faults(*entries: dict[str, Any], seed: int = 1) -> tuple[Faults, Clock]:
    clock = Clock()
    faults = Faults(seed, clock, MARKETS)
    faults.put(list(entries))
    return faults, clock


def _strikes(faults: Faults, count: int, knob: str = "act.drop_req") -> list[int]:
    return [turn for turn in range(1, count + 1) if faults.fire(knob) is not None]


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"every_n": 3}, [3, 6]),
        ({"next_n": 2}, [1, 2]),
        ({"every_n": 3, "next_n": 1}, [3]),
        ({"p": 1.0}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"p": 0.0}, []),
    ],
)
def test_it_strikes_when_it_was_said(when: dict[str, Any], struck: list[int]) -> None:
    faults, _ = _faults({"knob": "act.drop_req", **when})
    assert _strikes(faults, 8) == struck


def test_it_lives_from_at_ms_for_for_ms() -> None:
    faults, clock = _faults({"knob": "act.drop_req", "at_ms": 100, "for_ms": 50})
    seen = []
    for clock.ms in (0, 99, 100, 149, 150, 1000):
        seen.append(faults.fire("act.drop_req") is not None)
    assert seen == [False, False, True, True, False, False]
    faults.forget_past()
    assert list(faults) == []


def test_a_moment_without_a_length_strikes_once() -> None:
    faults, clock = _faults({"knob": "act.drop_req", "at_ms": 100})
    assert _strikes(faults, 2) == []
    clock.ms = 500
    assert _strikes(faults, 3) == [1]


def test_a_state_holds_as_long_as_it_was_said_and_the_newest_counts() -> None:
    faults, clock = _faults(
        {"knob": "eng.session_cap", "n": 5}, {"knob": "eng.session_cap", "n": 2, "for_ms": 10}
    )
    assert faults.holds("eng.session_cap") == {"n": 2}
    clock.ms = 10
    assert faults.holds("eng.session_cap") == {"n": 5}
    faults.clear("eng")
    assert faults.holds("eng.session_cap") is None


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ({}, True),
        ({"market": "BTCUSD"}, True),
        ({"market": 0}, True),
        ({"market": "ETHUSD"}, False),
        ({"account": 7}, True),
        ({"account": 8}, False),
        ({"session": 3}, True),
        ({"session": 4}, False),
        ({"kind": "place"}, True),
        ({"kind": "cancel"}, False),
        ({"direction": "in"}, True),
        ({"direction": "out"}, False),
        ({"market": "BTCUSD", "account": 8}, False),
    ],
)
def test_it_covers_what_it_names(scope: dict[str, Any], covers: bool) -> None:
    faults, _ = _faults({"knob": "act.drop_req", **scope})
    at = Where(frozenset(("place", "atomic")), 0, 7, 3, "in")
    assert (faults.fire("act.drop_req", at) is not None) is covers


def test_the_third_place_of_an_account_can_be_named() -> None:
    faults, _ = _faults(
        {"knob": "act.drop_resp", "kind": "place", "account": 7, "every_n": 3, "next_n": 1}
    )
    ours, other = Where(frozenset(("place",)), account=7), Where(frozenset(("place",)), account=8)
    told = [faults.fire("act.drop_resp", at) is not None for at in (ours, other, ours, other, ours)]
    assert told == [False, False, False, False, True]
    assert faults.fire("act.drop_resp", ours) is None


@given(st.integers(0, 2**63), st.floats(0.05, 0.95))
def test_chances_depend_on_seed_knob_and_count_alone(seed: int, p: float) -> None:
    alone, _ = _faults({"knob": "act.drop_req", "p": p}, seed=seed)
    beside, _ = _faults({"knob": "act.drop_req", "p": p}, {"knob": "md.drop", "p": p}, seed=seed)
    first = _strikes(alone, 40)
    for turn in range(40):
        beside.fire("md.drop")
        assert (beside.fire("act.drop_req") is not None) is (turn + 1 in first)


def test_chances_are_about_what_was_asked_for() -> None:
    faults, _ = _faults({"knob": "act.drop_req", "p": 0.25})
    assert 400 < len(_strikes(faults, 2000)) < 600


def test_a_swarm_is_the_same_for_the_same_seed() -> None:
    def drawn(seed: int) -> list[tuple[str, int, int | None, float | None]]:
        faults, _ = _faults()
        faults.swarm({"seed": seed, "count": 30, "over_ms": 1000, "knobs": ["md", "ws.close"]})
        return [(each.knob, each.from_ns, each.until_ns, each.p) for each in faults]

    assert drawn(1) == drawn(1) != drawn(2)
    knobs = {knob for knob, *_ in drawn(1)}
    assert len(knobs) > 5
    assert all(knob.startswith("md.") or knob == "ws.close" for knob in knobs)
    assert all(0 <= at < 1000 * MS for _, at, *_ in drawn(1))


def test_what_cannot_be_set_leaves_everything_as_it_was() -> None:
    faults, _ = _faults({"knob": "md.drop"})
    with pytest.raises(FaultError) as wrong:
        faults.put([{"knob": "md.dup"}, {"knob": "md.dup", "n": 0}])
    assert wrong.value.path == ("1", "n")
    assert [each.knob for each in faults] == ["md.drop"]
    with pytest.raises(FaultError):
        faults.put([{"knob": "md.drop"}] * 1000)
    assert len(list(faults)) == 1


def test_faults_are_cleared_by_number_knob_group_or_all() -> None:
    faults, _ = _faults(*({"knob": knob} for knob in ("md.drop", "md.dup", "act.drop_req")))
    numbers = {each.knob: each.number for each in faults}
    assert faults.clear(numbers["md.dup"]) == 1
    assert faults.clear("act.drop_req") == 1
    assert faults.clear("m") == 0
    assert faults.clear("md") == 1
    faults.put([{"knob": "md.drop"}])
    assert faults.clear(None) == 1
    assert not faults.armed("")


@pytest.mark.parametrize("knob", KNOBS.values(), ids=KNOBS)
def test_every_knob_can_be_set_as_the_table_shows_it(knob: Any) -> None:
    needed = {name: "x" for name, takes in knob.takes.items() if takes.default is None}
    faults, _ = _faults({"knob": knob.name, **needed})
    if knob.mode is Mode.WHILE:
        found = faults.holds(knob.name)
    elif knob.mode is Mode.EACH:
        found = faults.fire(knob.name)
    else:
        (fault,) = faults.deeds(knob.name)
        found = fault.values
        assert list(faults.deeds(knob.name)) == []
    assert found is not None
    assert set(found) == set(knob.takes)
