"""When a bot counts as dead or wedged."""

import pytest

from mmbot.rescue.watch import Alarm, Beat, Watch, read_beat

SILENT_S = 3.0
QUOTING = Beat("quoting", 6, 100, 4, 5)


def watch() -> Watch:
    return Watch(SILENT_S, 60, 0.0)


def test_a_bot_that_beats_is_left_alone() -> None:
    seen = watch()
    for tick in range(100):
        seen.hear(QUOTING, tick * 0.5)
        assert seen.alarm(tick * 0.5 + 0.4) is None


def test_silence_is_death_until_the_bot_speaks_again() -> None:
    seen = watch()
    seen.hear(QUOTING, 1.0)
    assert seen.alarm(4.0) is None
    first = seen.alarm(4.1)
    assert first == Alarm(1, "the bot is silent for 3 s", 4, 5)
    assert seen.alarm(100.0) == first
    seen.hear(QUOTING, 101.0)
    assert seen.alarm(101.0) is None
    again = seen.alarm(105.0)
    assert again is not None
    assert again.number == 2


def test_a_lost_connection_is_death_at_once() -> None:
    seen = watch()
    seen.hear(QUOTING, 1.0)
    seen.lose()
    found = seen.alarm(1.0)
    assert found is not None
    assert found.reason == "the bot is gone without a goodbye"


def test_a_goodbye_is_believed() -> None:
    seen = watch()
    seen.hear(QUOTING._replace(mode="goodbye", orders=0), 1.0)
    seen.lose()
    assert seen.alarm(1000.0) is None
    seen.hear(QUOTING._replace(mode="goodbye", orders=2), 1001.0)
    assert seen.alarm(1001.0) is not None


def test_a_bot_without_a_session_cannot_help_itself() -> None:
    seen = watch()
    seen.hear(QUOTING._replace(mode="keyless", orders=0), 1.0)
    assert seen.alarm(1.0) is None
    seen.hear(QUOTING._replace(mode="keyless"), 1.5)
    found = seen.alarm(1.5)
    assert found is not None
    assert found.reason == "the bot has no session any more, and 6 orders rest"
    # What was answered and rests all the same is answered again, but not at once.
    seen.answered(2.0)
    seen.hear(QUOTING._replace(mode="keyless"), 2.5)
    assert seen.alarm(2.5) is None
    seen.hear(QUOTING._replace(mode="keyless"), 5.1)
    assert seen.alarm(5.1) is not None
    seen.hear(QUOTING, 5.5)
    assert seen.alarm(5.5) is None


def test_a_bot_that_never_comes_is_missed() -> None:
    seen = watch()
    assert seen.alarm(3.0) is None
    # Nobody knows which run it was, nor how long its actions live.
    assert seen.alarm(3.1) == Alarm(1, "no bot has appeared", None, 60)


def test_a_halted_bot_has_a_while_for_its_orders() -> None:
    seen = watch()
    halted = QUOTING._replace(mode="halted")
    for tick in range(7):
        seen.hear(halted, tick * 0.5)
        assert seen.alarm(tick * 0.5) is None
    seen.hear(halted, 3.5)
    assert seen.alarm(3.5) is not None
    seen.answered(3.6)
    assert seen.alarm(3.6) is None
    seen.hear(halted._replace(orders=0), 4.0)
    seen.hear(halted, 5.0)
    assert seen.alarm(7.9) is None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"5",
        b'"text"',
        b"\xff",
        b'{"mode":"quoting","orders":-1,"pid":1,"epoch":1,"landing_s":5}',
        b'{"mode":"quoting","orders":1.5,"pid":1,"epoch":1,"landing_s":5}',
        b'{"mode":"quoting","orders":true,"pid":1,"epoch":1,"landing_s":5}',
        b'{"mode":7,"orders":1,"pid":1,"epoch":1,"landing_s":5}',
        b"[" * 4000,
    ],
)
def test_a_line_that_is_no_beat_is_none(line: bytes) -> None:
    assert read_beat(line) is None


def test_a_beat_may_say_more_than_is_known() -> None:
    line = b'{"mode":"quoting","orders":6,"pid":100,"epoch":4,"landing_s":5,"more":1}'
    assert read_beat(line) == QUOTING
