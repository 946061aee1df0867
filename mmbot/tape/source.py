"""Bytes of an input file, plain or gzip, in blocks of bounded size; every fault names its place."""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from mmbot.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
_READ_BYTES = 1 << 17
_BLOCK_BYTES = 1 << 20


class Source:
    """One input file read from its start; `consumed` counts its bytes as they lie on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = file_size(path)
        self.consumed = 0

    def blocks(self) -> Iterator[bytes]:
        """Yield the content in blocks of about a megabyte, unpacked if it is gzip.

        DataError: unreadable, damaged or cut short.
        """
        self.consumed = 0
        with open_binary(self.path) as file:
            packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
            file.seek(0)
            yield from self._inflated(file) if packed else self._plain(file)

    def _plain(self, file: BinaryIO) -> Iterator[bytes]:
        while block := file.read(_BLOCK_BYTES):
            self.consumed += len(block)
            yield block

    def _inflated(self, file: BinaryIO) -> Iterator[bytes]:
        member = zlib.decompressobj(wbits=31)
        waiting = b""
        while block := waiting or file.read(_READ_BYTES):
            if not waiting:
                self.consumed += len(block)
            try:
                text = member.decompress(block, _BLOCK_BYTES)
            except zlib.error as error:
                raise DataError(
                    f"{self.path}, near byte {self.consumed - len(block)}:"
                    f" damaged gzip data ({error})"
                ) from error
            waiting = member.unconsumed_tail
            if member.eof:
                # Files of a recorder that was restarted are several gzip members in a row.
                waiting = member.unused_data.lstrip(b"\0")
                if waiting or self.consumed < self.size:
                    member = zlib.decompressobj(wbits=31)
            if text:
                yield text
        if not member.eof:
            raise DataError(
                f"{self.path}, byte {self.consumed}: the gzip data is cut short;"
                " expected its end mark, found the end of the file"
            )


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading; DataError when it cannot be."""
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def file_size(path: Path) -> int:
    """Return a file's bytes on the disk; DataError when it is missing, empty or no file."""
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if path.is_dir():
        raise DataError(f"{path}: expected a file, found a folder")
    if status.st_size == 0:
        raise DataError(f"{path}: the file is empty")
    return status.st_size


def sha256_of(paths: Sequence[Path]) -> str:
    """Return the sha256 of the files' bytes, one behind the other."""
    digest = hashlib.sha256()
    for path in paths:
        with open_binary(path) as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()
