"""A soak finds what grows, and the bot's few minutes of one are found good."""

import pytest

from tests.soak.bounded import Newest, NewestKeys
from tests.soak.series import Sample, failures, growth, memory_slope, summary
from tests.soak.simulated import Soak
from tests.soak.weight import weigh

MINUTES = 120


def samples(**changes: float) -> list[Sample]:
    """A soak whose figures change by so much an hour; reconnects shake tasks a little."""
    found = []
    for minute in range(1, MINUTES + 1):
        values = {
            "rss_mb": 80.0 + 10 / minute,
            "own_mb": 3.0 + minute % 2 / 10,
            "tasks": 36 + minute % 3,
            "fds": 11,
            "fills": 7 * minute,
        }
        for name, per_hour in changes.items():
            values[name] = values.get(name, 0) + round(per_hour * minute / 60, 6)
        found.append(Sample(minute=minute, **values))  # type: ignore[arg-type]
    return found


def test_what_stays_as_it_is_is_good() -> None:
    assert failures(samples(), "own_mb") == []
    assert abs(memory_slope(samples(), "own_mb")) < 0.1
    assert summary(samples())["tasks_growth"] == 0


@pytest.mark.parametrize("name", ["own_mb", "tasks", "fds", "sockets", "timers", "waiting"])
def test_what_grows_is_found(name: str) -> None:
    (found,) = failures(samples(**{name: 4.0}), "own_mb")
    assert name in found


def test_growth_of_memory_is_told_by_the_hour() -> None:
    assert memory_slope(samples(own_mb=2.5), "own_mb") == pytest.approx(2.5, abs=0.1)
    assert growth(samples(tasks=8.0), "tasks") > 2


def test_not_quoting_is_found() -> None:
    quiet = [*samples()[:100], *[Sample(minute=100 + n, rss_mb=80, quoting=0) for n in range(20)]]
    assert any("quoting" in each for each in failures(quiet, "rss_mb"))


class Keeper:
    """Something that grows."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.call = lambda: self.kept


def test_weight_is_what_hangs_on_an_object() -> None:
    found = Keeper()
    before = weigh(found)
    found.kept += [bytes(1_000) for _ in range(50)]
    after = weigh(found)
    assert 50_000 < after.size - before.size < 60_000
    assert after.kinds["bytes"] - before.kinds["bytes"] >= 1


def test_the_harness_forgets_the_oldest() -> None:
    keys, values = NewestKeys[int](3), Newest[int, str](3)
    for number in range(10):
        keys.add(number)
        values[number] = "x"
        assert values.setdefault(number, "y") == "x"
    assert keys == {7, 8, 9}
    assert list(values) == [7, 8, 9]


def test_two_minutes_of_the_bot() -> None:
    soak = Soak(1, 2 / 60, lambda _: None)
    soak.run("real")
    assert soak.violations == []
    assert soak.codes == (0,)
    assert len(soak.samples) == 2
    assert soak.samples[-1].quoting > 0.95
    assert soak.samples[-1].tasks < 60
    assert soak.samples[-1].placed > 200
