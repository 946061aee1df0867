"""The state file: what was written comes back, and damage costs no more than what it hit."""

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.errors import DataError
from mmbot.exchange.running.journal import Journal, Kind, Record, read

_RECORDS = st.lists(
    st.tuples(st.sampled_from(sorted(set(Kind) - {Kind.SNAPSHOT})), st.binary(max_size=40)),
    max_size=8,
)


def _written(path: Path, snapshot: bytes, records: list[tuple[Kind, bytes]]) -> None:
    journal = Journal(path, snapshot)
    for kind, content in records:
        journal.append(kind, content)
        journal.flush()
    journal.close()


@given(st.binary(max_size=60), _RECORDS, st.integers(0, 10_000))
def test_a_file_cut_anywhere_gives_whole_records_only(
    snapshot: bytes, records: list[tuple[Kind, bytes]], cut: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        _written(path, snapshot, records)
        whole = path.read_bytes()
        given_records = [Record(Kind.SNAPSHOT, snapshot), *(Record(*each) for each in records)]
        contents = read(path)
        assert contents is not None
        assert (contents.records, contents.torn_bytes) == (given_records, 0)
        sizes = [9 + len(record.content) for record in given_records]
        kept = cut % (len(whole) + 1)
        path.write_bytes(whole[:kept])
        complete = sum(8 + sum(sizes[:count]) <= kept for count in range(1, len(sizes) + 1))
        if complete == 0:
            with pytest.raises(DataError):
                read(path)
            return
        contents = read(path)
        assert contents is not None
        assert contents.records == given_records[:complete]
        assert contents.torn_bytes == kept - 8 - sum(sizes[:complete])


@given(_RECORDS, st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_ends_the_reading_there(
    records: list[tuple[Kind, bytes]], place: int, change: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        _written(path, b"snapshot", records)
        data = bytearray(path.read_bytes())
        first = 8 + 9 + len(b"snapshot")
        if len(data) == first:
            return
        place = first + place % (len(data) - first)
        data[place] ^= change
        path.write_bytes(data)
        contents = read(path)
        assert contents is not None
        good = [Record(*each) for each in records]
        assert contents.records[1:] == good[: len(contents.records) - 1]
        assert len(contents.records) - 1 < len(good)


def test_a_rotation_starts_anew_and_leaves_one_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    journal = Journal(path, b"one")
    journal.append(Kind.ACT, b"x" * 100)
    journal.flush()
    assert not journal.is_long
    journal.append(Kind.ROWS, bytes(17 * 1024 * 1024))
    journal.flush()
    assert journal.is_long
    journal.rotate(b"two")
    assert not journal.is_long
    journal.append(Kind.ACT, b"after")
    journal.flush()
    contents = read(path)
    assert contents is not None
    assert contents.records == [Record(Kind.SNAPSHOT, b"two"), Record(Kind.ACT, b"after")]
    journal.close()
    assert os.listdir(tmp_path) == ["state"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_rotation_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    journal = Journal(path, b"one")
    (tmp_path / ".state.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        journal.rotate(b"two")
    journal.append(Kind.ACT, b"after")
    journal.flush()
    contents = read(path)
    assert contents is not None
    assert contents.records == [Record(Kind.SNAPSHOT, b"one"), Record(Kind.ACT, b"after")]
    journal.close()


@given(_RECORDS, _RECORDS)
def test_what_comes_while_a_snapshot_is_written_stands_behind_it(
    before: list[tuple[Kind, bytes]], after: list[tuple[Kind, bytes]]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        journal = Journal(path, b"one")
        for kind, content in before:
            journal.append(kind, content)
        journal.begin_rotation(b"two")
        old = [Record(Kind.SNAPSHOT, b"one"), *(Record(*each) for each in before)]
        new = [Record(Kind.SNAPSHOT, b"two")]
        for kind, content in after:
            # At every moment the file is one of the two, whole.
            assert _records(path) in (old, new)
            journal.append(kind, content)
            journal.flush()
            old.append(Record(kind, content))
            new.append(Record(kind, content))
        _settled(journal, path)
        assert _records(path) == new
        journal.close()
        assert os.listdir(folder) == ["state"]


def _records(path: Path) -> list[Record]:
    contents = read(path)
    assert contents is not None
    assert contents.torn_bytes == 0
    return contents.records


def _settled(journal: Journal, path: Path) -> None:
    """Let a snapshot under way come to its end."""
    deadline = time.monotonic() + 10
    while _records(path)[0].content == b"one" and time.monotonic() < deadline:
        journal.flush()
        time.sleep(0.001)


def test_a_snapshot_under_way_gives_way_to_a_newer_one_and_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "state"
    journal = Journal(path, b"one")
    journal.begin_rotation(b"two")
    journal.rotate(b"three")
    journal.append(Kind.ACT, b"after")
    journal.flush()
    journal.begin_rotation(b"four")
    journal.close()
    contents = read(path)
    assert contents is not None
    assert contents.records == [Record(Kind.SNAPSHOT, b"three"), Record(Kind.ACT, b"after")]
    assert os.listdir(tmp_path) == ["state"]


def test_a_snapshot_that_fails_beside_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    journal = Journal(path, b"one")
    (tmp_path / ".state.part").mkdir()
    journal.begin_rotation(b"two")
    journal.append(Kind.ACT, b"after")
    with pytest.raises(OSError, match="directory"):
        _settled(journal, path)
    contents = read(path)
    assert contents is not None
    assert contents.records == [Record(Kind.SNAPSHOT, b"one"), Record(Kind.ACT, b"after")]
    journal.close()


def test_a_missing_file_is_no_state_and_another_file_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "none") is None
    other = tmp_path / "other"
    other.write_bytes(b"something else")
    with pytest.raises(DataError, match="not the state"):
        read(other)
