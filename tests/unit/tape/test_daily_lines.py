from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.tape.daily_lines import DailyLines, cut_torn_line

DAY_NS = 86_400 * 10**9
# 2026-11-22.
NOON = 20_779 * DAY_NS + DAY_NS // 2


def test_every_day_has_its_file_and_a_restart_goes_on(tmp_path: Path) -> None:
    first = DailyLines(tmp_path, "account-7")
    first.add(b"1", NOON)
    first.add(b"2", NOON + DAY_NS)
    # A clock that went back does not open yesterday again.
    first.add(b"3", NOON)
    first.close()
    again = DailyLines(tmp_path, "account-7")
    again.add(b"4", NOON + DAY_NS)
    again.flush()
    days = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert days == {
        "account-7_2026-11-22.jsonl": b"1\n",
        "account-7_2026-11-23.jsonl": b"2\n3\n4\n",
    }
    assert first.size_bytes == 8
    again.close()


@given(st.binary(max_size=40), st.sampled_from([0, 65_536, 70_000, 200_000]))
def test_what_stands_behind_the_last_whole_line_is_cut_off(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, torn: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "lines"
    path.write_bytes(start + b"x" * torn)
    cut_torn_line(path)
    assert path.read_bytes() == start[: start.rfind(b"\n") + 1]
