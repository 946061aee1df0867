import struct
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.errors import DataError
from mmbot.tape import FeedOptions
from mmbot.tape.events import open_events
from tests.oracle.capture import BUY, DEPTH, EXCH, LOCAL
from tests.unit.tape.lines import BTC, NS, Row, rows_of

DESCRIPTION = (
    "[('ev', '<u8'), ('exch_ts', '<i8'), ('local_ts', '<i8'), ('px', '<f8'), ('qty', '<f8'),"
    " ('order_id', '<u8'), ('ival', '<i8'), ('fval', '<f8')]"
)
FLAGS = DEPTH | BUY | EXCH | LOCAL


def array(prices: list[float], *, start: int = 0, declared: int | None = None) -> bytes:
    """A numpy array of depth events a nanosecond apart, as numpy writes it."""
    count = len(prices) if declared is None else declared
    text = f"{{'descr': {DESCRIPTION}, 'fortran_order': False, 'shape': ({count},), }}"
    header = text.ljust(310).encode() + b"\n"
    rows = (
        struct.pack("<QqqddQqd", FLAGS, NS + start + n, NS + start + n, price, 0.5, 0, 0, 0.0)
        for n, price in enumerate(prices)
    )
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"".join(rows)


def npz(path: Path, content: bytes, name: str = "data.npy") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path


def npy(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def read(paths: list[Path], options: FeedOptions | None = None) -> list[Row]:
    (feed,) = open_events(paths, options or FeedOptions())
    return rows_of(b"".join(feed.chunks()))


def fault(paths: list[Path], options: FeedOptions | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read(paths, options)
    assert "\n" not in str(caught.value)
    assert str(paths[0]) in str(caught.value)
    return str(caught.value)


def test_npz_and_npy_read_alike_on_a_grid_of_their_own(tmp_path: Path) -> None:
    content = array([100.5, 102.0, 103.5])
    packed = npz(tmp_path / "btcusdt_1.npz", content)
    expected = [
        (NS + n, NS + n, ticks, 1, FLAGS, 0) for n, ticks in enumerate([67, 68, 69])
    ]  # tick 1.5, lot 0.5
    assert read([packed]) == read([npy(tmp_path / "btcusdt_2.npy", content)]) == expected
    (feed,) = open_events([packed], FeedOptions())
    assert (feed.market.symbol, feed.market.tick) == ("BTCUSDT", Decimal("1.5"))
    assert feed.notes() == [
        "BTCUSDT: grid inferred from the numbers seen: tick 1.5, lot 0.5, linear contract of 1"
    ]


def test_a_given_grid_is_used_and_kept_to(tmp_path: Path) -> None:
    path = npz(tmp_path / "btcusdt.npz", array([100.5, 100.25]))
    options = FeedOptions(grids={"BTCUSDT": BTC})
    assert fault([path], options).endswith("row 1: expected a price on the grid, found 100.25")


def test_files_follow_one_another_in_time(tmp_path: Path) -> None:
    late = npz(tmp_path / "btcusdt_a.npz", array([2.0, 3.0], start=10))
    early = npz(tmp_path / "btcusdt_b.npz", array([1.0]))
    assert [row[2] for row in read([late, early])] == [1, 2, 3]
    (feed,) = open_events([late, early], FeedOptions())
    list(feed.chunks())
    assert (feed.progress(), feed.counts) == (1, {"rows": 3})
    clash = npz(tmp_path / "btcusdt_c.npz", array([1.0], start=5))
    long = npz(tmp_path / "btcusdt_d.npz", array([1.0] * 9))
    assert "local time goes back" in fault([clash, long])


def test_damaged_files(tmp_path: Path) -> None:
    content = array([1.0, 2.0])
    short = npy(tmp_path / "short.npy", content[:-10])
    assert fault([short]).endswith("row 1: expected 2 rows, found the end")
    assert "expected event rows, found none" in fault([npy(tmp_path / "none.npy", array([]))])
    cut = tmp_path / "cut.npz"
    cut.write_bytes(npz(tmp_path / "x.npz", content).read_bytes()[:-30])
    assert "damaged npz file" in fault([cut])
    other = npz(tmp_path / "other.npz", b"no array")
    assert "expected a numpy array, found b'no arr'" in fault([other])
    unnamed = npz(tmp_path / "unnamed.npz", b"", name="readme")
    assert "expected the array data.npy, found readme" in fault([unnamed])


def test_a_flipped_byte_fails_the_checksum(tmp_path: Path) -> None:
    path = npz(tmp_path / "x.npz", array([float(n) for n in range(1, 500)]))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(bytes(content))
    fault([path])


@pytest.mark.parametrize(
    ("old", "other", "why"),
    [
        (b"'<f8'), ('qty'", b"'<f4'), ('qty'", "expected one column of event rows"),
        (b"'fortran_order': False", b"'fortran_order': True ", "expected one column of event rows"),
        (b"{'descr'", b"['descr'", "expected the header of a numpy array"),
    ],
)
def test_arrays_of_something_else(tmp_path: Path, old: bytes, other: bytes, why: str) -> None:
    assert why in fault([npy(tmp_path / "x.npy", array([1.0]).replace(old, other))])
