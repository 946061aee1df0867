"""One recorder for a folder: a lock that ends with the process, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmbot.errors import DataError

LOCK_NAME = ".recording.lock"


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a folder; DataError when another process, or this one, holds it already."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    file = os.open(folder / LOCK_NAME, flags, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{folder}: another recording is writing to this folder") from None
        yield
    finally:
        os.close(file)
