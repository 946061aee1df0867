"""`--profile`: the time of work is counted, that of waiting is not."""

import pstats
import time
from pathlib import Path

import pytest

from mmbot.cli.profiling import profiled

WORK_S, WAIT_S = 0.2, 0.4


def work() -> None:
    until = time.thread_time() + WORK_S
    while time.thread_time() < until:
        pass


def test_work_is_counted_and_waiting_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "session.prof"
    with profiled(path):
        time.sleep(WAIT_S)
        work()
    total_s = pstats.Stats(str(path)).total_tt  # type: ignore[attr-defined]
    assert WORK_S <= total_s < WORK_S + WAIT_S
    told = capsys.readouterr().err
    assert "(work)" in told
    assert str(path) in told


def test_a_file_that_cannot_be_written_is_known_before(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), profiled(tmp_path / "not there" / "x.prof"):
        pytest.fail("the session began")
