"""The lock that keeps a second bot off an account."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmbot.errors import InUse


def lock_file(state: Path, venue: str, account_id: int) -> Path:
    """Return the file that is locked while a bot trades an account."""
    place = venue.partition("://")[2].replace(":", "_").replace("[", "").replace("]", "")
    return state / f"account-{place}-{account_id}.lock"


@contextmanager
def locked_account(state: Path, venue: str, account_id: int) -> Iterator[None]:
    """Hold an account for this process; InUse when another bot on this machine has it.

    The lock ends with the process, however it ends.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = lock_file(state, venue, account_id)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"another bot trades account {account_id} of {venue}: {path}") from None
        yield
    finally:
        os.close(file)
