"""Recognising, listing, verifying, converting and importing recordings."""

from pathlib import Path

import pytest

from mmbot.errors import DataError
from mmbot.tape import FeedOptions, Format, open_feeds, recognise
from mmbot.tape.catalog import list_recordings, verify
from mmbot.tape.convert import Target, convert, import_recordings
from tests.unit.tape.lines import BTC, NS, depth, small_capture, snapshot, trade, write
from tests.unit.tape.test_bars import HEAD, ROW
from tests.unit.tape.test_events import array, npz

OPTIONS = FeedOptions(grids={"BTCUSDT": BTC})


class Shares:
    """Progress as reported."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def __call__(self, share: float) -> None:
        self.seen.append(share)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of each format, and one that is none."""
    inside = tmp_path / "recordings"
    inside.mkdir()
    write(inside / "a.gz", small_capture())
    npz(inside / "btcusdt_b.npz", array([1.0, 2.0]))
    (inside / "c.csv").write_text(HEAD + ROW)
    target = Target(created_ns=NS, on_progress=Shares())
    convert([inside / "a.gz"], "auto", inside / "d.tape", OPTIONS, target)
    (inside / "notes.txt").write_text("remember the milk")
    return inside


def test_formats_are_recognised_by_content(folder: Path) -> None:
    files: list[Format] = [recognise(path) for path in sorted(folder.iterdir())[:4]]
    assert files == ["binance", "events", "bars", "tape"]
    with pytest.raises(DataError, match=r"notes\.txt, byte 0: expected a raw Binance capture"):
        recognise(folder / "notes.txt")


def test_listing_tells_symbols_rows_and_times(folder: Path) -> None:
    found = list_recordings([folder], FeedOptions())
    assert [(entry.path.name, entry.format, entry.rows) for entry in found] == [
        ("a.gz", "binance", 12),
        ("btcusdt_b.npz", "events", 2),
        ("c.csv", "bars", 1),
        ("d.tape", "tape", 12),
    ]
    first = found[0]
    assert first.market is not None
    assert (first.market.symbol, first.first_ns - NS, first.last_ns - NS) == (
        "BTCUSDT",
        5_000_000,
        39_000_000,
    )
    assert all(entry.problem is None for entry in found)


def test_a_file_that_cannot_be_read_is_listed_with_its_problem(folder: Path) -> None:
    cut = folder / "a.gz"
    cut.write_bytes(cut.read_bytes()[:-8])
    found = list_recordings([cut], FeedOptions())
    assert (found[0].rows, found[0].market) == (0, None)
    assert "cut short" in str(found[0].problem)


def test_verifying_a_good_recording(folder: Path) -> None:
    progress = Shares()
    (result,) = verify([folder / "a.gz"], "auto", OPTIONS, progress)
    assert result.problems == ()
    assert (result.rows, result.trades, result.longest_silence_ns) == (12, 2, 10_000_000)
    assert (result.crossed_share, result.one_sided_share) == (0, 0)
    assert progress.seen[-1] == 1


def test_verifying_finds_what_is_wrong(tmp_path: Path) -> None:
    lines = [
        snapshot(10, 5, 100, [("100.0", "1")], [("100.1", "1")]),
        trade((11, 6), 1, "100.0", "1"),
        trade((12, 7), 3, "100.0", "1"),
        depth(13, 8, (101, 110, 100), [("100.2", "1")]),
        depth(14, 9, (121, 130, 120), [("99.0", "1")]),
    ]
    path = write(tmp_path / "x.gz", lines)
    (result,) = verify([path], "auto", OPTIONS, Shares())
    # Three moments: snapshot, crossed at 100.2, one-sided behind the gap.
    assert (result.crossed_share, result.one_sided_share) == (1 / 3, 1 / 3)
    assert result.problems == (
        "BTCUSDT: 1 trade ids are missing",
        f"{path}, line 5: gap in the depth ids, expected 110, found 120;"
        " the book is empty until it is known again",
        "BTCUSDT: the book is crossed at 33.33% of its changes; expected at most 0.1%",
    )


def test_verifying_a_damaged_tape_tells_the_block(folder: Path) -> None:
    path = folder / "d.tape"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    (result,) = verify([path], "tape", OPTIONS, Shares())
    assert (result.rows, result.first_ns) == (0, 0)
    assert "the last block is torn" in result.problems[0]
    assert result.problems[1] == f"{path}: expected rows of BTCUSDT, found none"


def test_verifying_a_folder_goes_on_behind_a_bad_file(folder: Path) -> None:
    cut = folder / "a.gz"
    (folder / "c.csv").unlink()
    cut.write_bytes(cut.read_bytes()[:-8])
    write(folder / "aa.gz", small_capture())
    progress = Shares()
    found = verify([folder, folder / "gone.gz"], "auto", FeedOptions(), progress)
    assert [(result.paths[0].name, result.symbol, result.rows) for result in found] == [
        ("a.gz", "", 0),
        ("aa.gz", "BTCUSDT", 12),
        ("btcusdt_b.npz", "BTCUSDT", 2),
        ("d.tape", "BTCUSDT", 12),
        ("gone.gz", "", 0),
    ]
    assert [len(result.problems) for result in found] == [1, 0, 0, 0, 1]
    assert progress.seen == sorted(progress.seen)


def test_converting_keeps_every_row(folder: Path, tmp_path: Path) -> None:
    progress = Shares()
    target = Target(created_ns=NS, on_progress=progress)
    out = tmp_path / "both.tape"
    eth = write(tmp_path / "eth.gz", [depth(1, 1, (1, 2, 0), [("3.0", "1")], symbol="ETHUSDT")])
    done = convert([eth, folder / "a.gz"], "binance", out, FeedOptions(), target)
    assert (done.symbols, done.rows, done.path) == (("ETHUSDT", "BTCUSDT"), 13, out)
    assert done.size_bytes == out.stat().st_size
    assert "ETHUSDT: no snapshot; a level is unknown until first touched" in done.notes
    assert progress.seen[-1] == 1
    before = open_feeds([eth, folder / "a.gz"], "auto", FeedOptions())
    after = open_feeds([out], "auto", FeedOptions())
    for one, other in zip(before, after, strict=True):
        assert b"".join(one.chunks()) == b"".join(other.chunks())


def test_a_failed_conversion_leaves_nothing(tmp_path: Path) -> None:
    lines = [trade((1, 20_000), 1, "99", "1"), trade((2, 0), 2, "99", "1")]
    bad = write(tmp_path / "bad.gz", lines)
    target = Target(created_ns=NS, on_progress=Shares())
    with pytest.raises(DataError, match="exchange time goes back"):
        convert([bad], "auto", tmp_path / "x.tape", OPTIONS, target)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.gz"]


def test_importing_names_tapes_by_symbol_and_time(folder: Path, tmp_path: Path) -> None:
    target = Target(created_ns=NS, on_progress=Shares())
    into = tmp_path / "deep" / "tapes"
    (done,) = import_recordings([folder / "a.gz"], "auto", into, OPTIONS, target)
    assert done.path == into / "BTCUSDT_20240808T235415Z.tape"
    assert done.rows == 12
    with pytest.raises(DataError, match="exists already and is not overwritten"):
        import_recordings([folder / "a.gz"], "auto", into, OPTIONS, target)


def test_inputs_that_cannot_be_opened(folder: Path, tmp_path: Path) -> None:
    def fault(paths: list[Path], fmt: Format = "auto") -> str:
        with pytest.raises(DataError) as caught:
            open_feeds(paths, fmt, OPTIONS)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    empty = tmp_path / "empty.gz"
    empty.touch()
    bare = tmp_path / "bare"
    bare.mkdir()
    gone = tmp_path / "gone.gz"
    assert fault([empty]) == f"{empty}: the file is empty"
    assert fault([gone]) == f"{gone}: cannot be read (No such file or directory)"
    assert fault([bare]) == f"{bare}: expected market data in this folder, found none"
    assert fault([]) == "expected at least one file of market data, found none"
    assert "expected an order book's events, found bars" in fault([folder / "c.csv"])
    assert "expected files of one format, found binance in" in fault([folder])
    assert "expected a numpy array, found b" in fault([folder / "a.gz"], "events")
    assert "expected the first bytes of a tape" in fault([folder / "a.gz"], "tape")
    assert "expected 19 digits" in fault([folder / "notes.txt"], "binance")
