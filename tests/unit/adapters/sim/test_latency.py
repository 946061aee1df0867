"""Order latency from tables, constants and feeds."""

from pathlib import Path

import pytest

from mmbot.adapters.sim import latency
from mmbot.errors import DataError

S = 1_000_000_000


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "latency.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_splits_into_entry_and_response(tmp_path: Path) -> None:
    path = write(tmp_path, "req_ts,exch_ts,resp_ts\n1000,1300,1350\n2000,2100,2900\n")
    assert latency.read_table(path) == latency.Delays(
        entry=[(1000, 300), (2000, 100)], response=[(1300, 50), (2100, 800)]
    )
    assert latency.read_table(path, seed=5).seed == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: expected the header"),
        ("a,b,c\n1,2,3\n", ":1: expected the header"),
        ("req_ts,exch_ts,resp_ts\n", "at least one row"),
        ("req_ts,exch_ts,resp_ts\n1,2\n", ":2: expected three"),
        ("req_ts,exch_ts,resp_ts\n1,2,x\n", ":2: expected three"),
        ("req_ts,exch_ts,resp_ts\n1,2,3\n3,2,4\n", ":3: expected req_ts <= exch_ts"),
        ("req_ts,exch_ts,resp_ts\n5,6,7\n1,2,3\n", ":3: time goes backwards"),
        ("req_ts,exch_ts,resp_ts\n5,9,9\n6,7,9\n", ":3: time goes backwards"),
    ],
)
def test_a_faulty_table_is_refused_by_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        latency.read_table(write(tmp_path, text))


def test_a_missing_table_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        latency.read_table(tmp_path / "absent.csv")


def test_constant_delays_hold_at_any_time() -> None:
    assert latency.constant(3, 4) == latency.Delays(entry=[(0, 3)], response=[(0, 4)])


def test_feed_latency_is_sampled_at_the_last_event_of_each_second() -> None:
    # Second 1 ends with an event 7 ns old on receipt, second 3 with one 9 ns old; 100 ns are added.
    times = [(S, S + 5), (S + 10, S + 17), (3 * S - 4, 3 * S + 5)]
    assert latency.from_feed(times, 100) == latency.Delays(
        entry=[(S + 17, 107), (3 * S + 5, 109)],
        response=[(S + 124, 107), (3 * S + 114, 109)],
    )
