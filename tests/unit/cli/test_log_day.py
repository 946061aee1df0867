"""A day of a bot: what its engine says in an hour, 24 times over, with an hour of faults."""

import logging
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from mmbot.assemble import RunOptions, synthetic_run
from mmbot.cli.run_log import STATUS_EVERY_S, RunLog
from mmbot.config.loader import load
from mmbot.domain.notices import Notice, Severity
from mmbot.interfaces.terminal import Seen, status_line
from mmbot.logs.storms import Storms
from mmbot.runtime.replay import replay
from tests.unit.interfaces.test_terminal import MARKETS, VIEW

HOUR_S, HOURS, BAD_HOUR = 3_600, 24, 13
NS_PER_S = 10**9
# What the synthetic market has none of: the venue's refusals that a quiet maker meets.
QUIET = (
    (97, Severity.INFO, "would_have_taken", "the market had moved to the price of a new quote"),
    (41, Severity.INFO, "held_back", "held back by the limits"),
    (600, Severity.INFO, "reconnected", "the streams are back after {} ms"),
)
# Faults that come again every second, their numbers always others.
FAULTS = (
    (1, Severity.WARNING, "stale", "no book for {} ms"),
    (2, Severity.WARNING, "unavailable", "the venue cannot be reached, attempt {}"),
    (7, Severity.INFO, "recovering", "{} of 5 fresh updates"),
)


class Day(logging.Handler):
    """Takes what is logged as of a moment of the day, through the limits of storms."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.given = 0
        self.written: list[tuple[int, int, str]] = []
        self._storms = Storms()

    def emit(self, record: logging.LogRecord) -> None:
        """See Handler."""
        record.created = self.now_s
        record.msg, record.args = record.getMessage(), None
        self.given += 1
        self._keep(self._storms.passed(record))

    def end(self) -> None:
        """Write what is counted still."""
        self._keep(self._storms.rest())

    def _keep(self, records: Iterator[logging.LogRecord]) -> None:
        hour = int(self.now_s // HOUR_S)
        self.written += [(hour, each.levelno, each.getMessage()) for each in records]


@pytest.fixture
def day() -> Iterator[Day]:
    found = Day()
    ours = logging.getLogger("mmbot")
    ours.addHandler(found)
    ours.setLevel(logging.INFO)
    yield found
    ours.removeHandler(found)
    ours.setLevel(logging.NOTSET)


def hour_of_notices() -> list[tuple[float, Notice]]:
    """What the engine really says in an hour of a volatile market, by seconds from its start."""
    run = synthetic_run(load([], ["simulate.type=volatile"]).config, None, RunOptions())
    start_ns = run.venue.now_ns
    end_ns = start_ns + HOUR_S * NS_PER_S
    replay(run.engine, run.venue, run.watch, keep_going=lambda: run.venue.now_ns < end_ns)
    return [((each.ts_ns - start_ns) / NS_PER_S, each) for each in run.engine.take_notices()]


def repeated(of: tuple[tuple[int, Severity, str, str], ...]) -> list[tuple[float, Notice]]:
    return [
        (float(second), Notice(0, severity, code, 0, text.format(second)))
        for every_s, severity, code, text in of
        for second in range(0, HOUR_S, every_s)
    ]


def test_a_day_is_short_at_info_and_nothing_is_lost_silently(day: Day) -> None:
    log = RunLog()
    log.about(lambda: VIEW, MARKETS)
    said = hour_of_notices()
    assert said
    for hour in range(HOURS):
        told = [*said, *repeated(QUIET), *(repeated(FAULTS) if hour == BAD_HOUR else [])]
        steps = [(at_s, [each]) for at_s, each in told]
        steps += [(float(at_s), []) for at_s in range(0, HOUR_S, int(STATUS_EVERY_S))]
        for at_s, notices in sorted(steps, key=lambda step: step[0]):
            day.now_s = hour * HOUR_S + at_s
            if notices:
                log.notices(notices)
            else:
                log.say(status_line(Seen(VIEW, MARKETS)))
    day.end()
    info = Counter(hour for hour, level, _ in day.written if level == logging.INFO)
    assert max(info.values()) <= 60
    assert min(info.values()) >= HOUR_S / STATUS_EVERY_S
    warnings = Counter(hour for hour, level, _ in day.written if level > logging.INFO)
    # Two faults that come every second: the line and its count, once a minute.
    assert warnings[BAD_HOUR] - warnings[BAD_HOUR - 2] <= 2 * 2 * 60 + 4
    counted = sum(
        int((re.findall(r"\((\d+) times since it was told\)", text) or ["1"])[0])
        for _, _, text in day.written
    )
    assert counted == day.given
