"""Event files of the reference material as rows of the replay kernel."""

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROW = struct.Struct("<qqqqII")
_PEER_ROW = struct.Struct("<Qqqddqqd")
FLAG_EXCH = 0x80000000
FLAG_LOCAL = 0x40000000
_CHUNK_ROWS = 25_000


def load_npz(path: Path, tick: float, lot: float) -> bytes:
    """Read the array `data` of an events file; prices and sizes become ticks and lots."""
    with zipfile.ZipFile(path) as archive:
        array = archive.read("data.npy")
    start = 10 + int.from_bytes(array[8:10], "little")
    return b"".join(
        ROW.pack(exch, local, round(price / tick), round(size / lot), flags, 0)
        for flags, exch, local, price, size, _, _, _ in _PEER_ROW.iter_unpack(array[start:])
    )


def chunks(rows: bytes, count: int = _CHUNK_ROWS) -> Iterator[bytes]:
    """Cut rows into pieces of `count`."""
    size = count * ROW.size
    return (rows[at : at + size] for at in range(0, len(rows), size))
