"""Tapes: what is written comes back, whatever the crash."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmbot.domain.market import Contract, Market
from mmbot.errors import DataError
from mmbot.tape import FeedOptions, TapeWriter, open_feeds
from mmbot.tape.format import BLOCK_HEAD_BYTES, BLOCK_ROWS
from mmbot.tape.reader import TapeFile, open_tapes
from tests.oracle.capture import BUY, DEPTH, EXCH, LOCAL, sequenced
from tests.unit.tape.lines import BTC, NS, Row, packed, rows_of

PERP = Market(
    "BTCUSD_PERP",
    Decimal("0.5"),
    Decimal(1),
    index=1,
    min_lots=3,
    contract=Contract.INVERSE,
    contract_size=Decimal(100),
)
FLAGS = DEPTH | BUY | EXCH | LOCAL
FILES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def steady(count: int, *, market: int = 0, start: int = 0) -> list[Row]:
    """Rows a nanosecond apart."""
    return [(NS + start + n, NS + start + n + 5, 100 + n, n, FLAGS, market) for n in range(count)]


def write(path: Path, blocks: list[list[Row]], *, append: bool = False) -> Path:
    with TapeWriter(path, [BTC, PERP], source="test", created_ns=NS, append=append) as writer:
        for rows in blocks:
            writer.append(packed(rows))
            writer.flush()
    return path


def read(paths: list[Path], options: FeedOptions | None = None) -> list[list[Row]]:
    feeds = open_tapes(paths, options or FeedOptions())
    return [rows_of(b"".join(feed.chunks())) for feed in feeds]


def fault(paths: list[Path], options: FeedOptions | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read(paths, options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


arrivals = st.lists(
    st.tuples(
        st.integers(0, 50), st.integers(0, 9), st.integers(-(2**40), 2**40), st.integers(0, 1)
    ),
    max_size=30,
)


@FILES
@given(arrivals, st.integers(1, 9))
def test_rows_of_several_markets_come_back(
    tmp_path: Path, steps: list[tuple[int, int, int, int]], flush_every: int
) -> None:
    path = tmp_path / "x.tape"
    path.unlink(missing_ok=True)
    local = 0
    rows: list[Row] = []
    for exch, wait, ticks, market in steps:
        local += wait
        rows.append((exch, local, ticks, abs(ticks), DEPTH | BUY, market))
    parts = [sequenced([row for row in rows if row[5] == market]) for market in (0, 1)]
    with TapeWriter(path, [BTC, PERP], source="test", created_ns=NS) as writer:
        for at in range(0, max(map(len, parts)), flush_every):
            writer.append(packed([row for part in parts for row in part[at : at + flush_every]]))
            writer.flush()
    assert read([path]) == parts
    assert [feed.counts["rows"] for feed in open_tapes([path], FeedOptions())] == [
        len(part) for part in parts
    ]


def test_the_header_tells_the_markets(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tape", [steady(3), steady(2, market=1)])
    tape = TapeFile(path)
    assert (tape.header.source, tape.header.created_ns) == ("test", NS)
    market = open_tapes([path], FeedOptions())[1].market
    told = (market.symbol, market.tick, market.lot, market.min_lots, market.index)
    assert told == ("BTCUSD_PERP", Decimal("0.5"), Decimal(1), 3, 1)
    assert (market.contract, market.contract_size) == (Contract.INVERSE, Decimal(100))


@FILES
@given(st.data())
def test_a_cut_anywhere_leaves_the_whole_blocks(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "x.tape"
    path.unlink(missing_ok=True)
    blocks = [steady(4, start=10 * n) for n in range(3)]
    write(path, blocks)
    whole = path.read_bytes()
    ends = [len(whole)]
    for head in reversed(list(TapeFile(path).heads())):
        ends.append(ends[-1] - head.length - BLOCK_HEAD_BYTES)
    ends.reverse()  # where the header and each block end
    cut = data.draw(st.integers(1, len(whole)))
    path.write_bytes(whole[:cut])
    if cut < ends[0]:
        assert "byte 0: expected" in fault([path])
        return
    kept = sum(end <= cut for end in ends) - 1
    feed = open_tapes([path], FeedOptions())[0]
    assert rows_of(b"".join(feed.chunks())) == [row for rows in blocks[:kept] for row in rows]
    torn = cut - ends[kept]
    assert feed.problems() == (
        [f"{path}: the last block is torn; {torn} bytes at the end left out"] if torn else []
    )
    write(path, [steady(2, start=100)], append=True)
    assert len(read([path])[0]) == 4 * kept + 2
    assert TapeFile(path).size == path.stat().st_size


@FILES
@given(st.data())
def test_damage_in_the_middle_is_an_error_with_its_place(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "x.tape"
    path.unlink(missing_ok=True)
    write(path, [steady(4), steady(4, start=10)])
    heads = list(TapeFile(path).heads())
    content = bytearray(path.read_bytes())
    last = len(content) - heads[1].length - BLOCK_HEAD_BYTES
    first = last - heads[0].length - BLOCK_HEAD_BYTES
    place = data.draw(st.integers(first, last - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    assert f"byte {first}: expected" in fault([path])


def test_a_damaged_header_or_another_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tape", [steady(1)])
    content = bytearray(path.read_bytes())
    content[30] ^= 1
    path.write_bytes(bytes(content))
    assert fault([path]).endswith("byte 0: expected the header to match its checksum")
    path.write_bytes(b"something else entirely")
    assert "byte 0: expected the first bytes of a tape" in fault([path])


@pytest.mark.parametrize("zeros", [3, 500])
def test_zeros_or_lost_bytes_at_the_end_are_a_torn_block(tmp_path: Path, zeros: int) -> None:
    path = write(tmp_path / "x.tape", [steady(4), steady(4, start=10)])
    content = path.read_bytes()
    path.write_bytes(content + bytes(zeros))
    assert len(read([path])[0]) == 8
    path.write_bytes(content[:-3] + bytes(3))
    feed = open_tapes([path], FeedOptions())[0]
    assert feed.counts == {"rows": 4, "blocks": 1}
    assert len(feed.problems()) == 1


def test_large_appends_are_cut_into_blocks(tmp_path: Path) -> None:
    rows = steady(2 * BLOCK_ROWS + 7)
    path = write(tmp_path / "x.tape", [rows])
    assert [head.rows for head in TapeFile(path).heads()] == [BLOCK_ROWS, BLOCK_ROWS, 7]
    assert read([path])[0] == rows


def test_nothing_is_overwritten_and_nothing_half_written_is_left(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tape", [steady(1)])
    before = path.read_bytes()
    with pytest.raises(DataError, match="exists already and is not overwritten"):
        write(path, [steady(2)])
    assert path.read_bytes() == before
    other = tmp_path / "y.tape"
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(other)
    assert [found.name for found in tmp_path.iterdir()] == ["x.tape"]


def _write_and_fail(path: Path) -> None:
    with TapeWriter(path, [BTC], source="test", created_ns=NS) as writer:
        writer.append(packed(steady(5)))
        assert not path.exists()
        raise ZeroDivisionError


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    writer = TapeWriter(path, [BTC], source="test", created_ns=NS)
    path.write_text("mine")
    with pytest.raises(DataError, match="exists already"):
        writer.close()
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("mine", 1)


def test_a_recording_grows_in_place_and_can_be_resumed(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tape", [steady(2)], append=True)
    write(path, [steady(2, start=10)], append=True)
    assert read([path])[0] == steady(2) + steady(2, start=10)
    with pytest.raises(DataError, match="expected a tape of BTCUSDT on the same grids"):
        TapeWriter(path, [BTC], source="test", created_ns=NS, append=True)


def test_a_recording_begins_in_an_empty_file_and_is_readable_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    path.touch()
    writer = TapeWriter(path, [BTC], source="test", created_ns=NS, append=True)
    assert read([path]) == [[]]
    writer.append(packed(steady(2)))
    writer.flush()
    assert read([path]) == [steady(2)]
    writer.close()


def test_rows_out_of_order_are_not_written(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "x.tape", [BTC], source="test", created_ns=NS) as writer:
        writer.append(packed(steady(3)))
        with pytest.raises(ValueError, match="exchange time goes back"):
            writer.append(packed(steady(1)))
        with pytest.raises(ValueError, match="expected a market below 1 in row 0, found 4"):
            writer.append(packed(steady(1, market=4)))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        write(tmp_path / "nowhere" / "x.tape", [])


def test_tapes_of_one_symbol_follow_one_another(tmp_path: Path) -> None:
    late = write(tmp_path / "1.tape", [steady(3, start=100)])
    early = write(tmp_path / "2.tape", [steady(3), steady(2, market=1)])
    assert read([late, early]) == [steady(3) + steady(3, start=100), steady(2, market=1)]
    overlapping = write(tmp_path / "3.tape", [steady(3, start=1)])
    assert "3.tape: local time goes back" in fault([early, overlapping])


def test_grids_must_agree(tmp_path: Path) -> None:
    path = write(tmp_path / "1.tape", [steady(3)])
    other = Market("BTCUSDT", Decimal("0.5"), Decimal("0.001"))
    options = FeedOptions(grids={"BTCUSDT": other})
    assert "expected tick 0.5 and lot 0.001 of BTCUSDT, found 0.1 and 0.001" in fault(
        [path], options
    )
    with TapeWriter(tmp_path / "2.tape", [other], source="test", created_ns=NS) as writer:
        writer.append(packed(steady(3, start=10)))
    assert "expected the same grid and contract" in fault([path, tmp_path / "2.tape"])


def test_a_window_of_a_tape(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tape", [steady(5)])
    (feed, _) = open_feeds([path], "auto", FeedOptions(start_ns=NS + 2, end_ns=NS + 4))
    rows = rows_of(b"".join(feed.chunks()))
    # Lots 0 removes the level, so the book at the start is the one row of NS + 1.
    assert [(row[0] - NS, row[2], row[3]) for row in rows] == [
        (2, 101, 1),
        (2, 102, 2),
        (3, 103, 3),
    ]
