"""Storm limits: a model of windows says which lines come out; no line is lost without a count."""

import logging
import re

from hypothesis import given
from hypothesis import strategies as st

from mmbot.logs.storms import INFO_S, WARNING_S, Storms


def record(
    text: str, at_s: float, level: int = logging.WARNING, **extra: object
) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "mmbot.bot", "levelno": level, "msg": text, "created": at_s, **extra}
    )


def written(storms: Storms, *records: logging.LogRecord) -> list[str]:
    return [each.getMessage() for one in records for each in storms.passed(one)]


def test_the_same_line_again_is_counted_whatever_its_numbers() -> None:
    storms = Storms()
    told = written(storms, *(record(f"no book for {n}.5 s", 100 + n) for n in range(30)))
    assert told == ["no book for 0.5 s"]
    told = written(storms, record("something else", 100 + WARNING_S))
    assert told == ["no book for 29.5 s (29 times since it was told)", "something else"]
    # A single repetition needs no count, and begins no window of its own.
    assert written(storms, record("something else", 101 + WARNING_S)) == []
    assert [each.getMessage() for each in storms.rest()] == ["something else"]


def test_markets_and_levels_are_lines_of_their_own() -> None:
    storms = Storms()
    records = [
        record("stale", 1, market="BTCUSD"),
        record("stale", 2, market="ETHUSD"),
        record("stale", 3, logging.ERROR, market="BTCUSD"),
        record("stale", 4, market="BTCUSD"),
    ]
    assert written(storms, *records) == ["stale"] * 3


def test_details_and_steady_lines_pass() -> None:
    storms = Storms()
    records = [record("sent", n, logging.DEBUG) for n in range(5)]
    records += [record("status", n, logging.INFO, steady=True) for n in range(5)]
    assert len(written(storms, *records)) == 10


LINES = st.tuples(
    st.sampled_from("abc"),
    st.sampled_from([logging.INFO, logging.WARNING]),
    st.floats(0, 400),
)


@given(st.lists(LINES, max_size=60))
def test_every_line_is_written_or_counted(came: list[tuple[str, int, float]]) -> None:
    storms, now_s = Storms(), 1_000.0
    told: list[tuple[float, str, int]] = []
    count = {"a": 0, "b": 0, "c": 0}
    for text, level, later_s in came:
        now_s += later_s
        count[text] += 1
        told += [
            (now_s, each.getMessage(), each.levelno)
            for each in storms.passed(record(text, now_s, level))
        ]
    told += [(now_s, each.getMessage(), each.levelno) for each in storms.rest()]
    assert len(told) + storms.suppressed == len(came)
    for text, times in count.items():
        ours = [each for _, each, _ in told if each[0] == text]
        assert sum(int((re.findall(r"\((\d+) times", each) or ["1"])[0]) for each in ours) == times
    # Never more than two a window: the line itself, and its count.
    for text in count:
        for level, window_s in ((logging.INFO, INFO_S), (logging.WARNING, WARNING_S)):
            moments = [
                at_s
                for at_s, each, its in told[: -len(count) * 2 or None]
                if (each[0], its) == (text, level)
            ]
            for early, late in zip(moments, moments[2:], strict=False):
                assert late - early >= window_s or late in (early, now_s)
