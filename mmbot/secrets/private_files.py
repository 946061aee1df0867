"""Files that hold keys: read only when nobody else could have read or changed them, written so.

The rules are those of reliability 6.1; there is no switch to relax them. Errors are SecretError
and name the file, never what is in it.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmbot.errors import SecretError

LIMIT_BYTES = 4096
OTHERS = 0o077
"""Permission bits that a key file must not have: any for group or others."""

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_private(path: Path, forbidden: int = OTHERS) -> bytes:
    """Return the content of a key file.

    It must be a regular file of one link, no symbolic link, at most 4 KiB, owned by this user or
    root, without any of the `forbidden` permission bits, in folders that others cannot write to.
    """
    with _as_secret_error(path):
        folder = path.parent.resolve(strict=True)
        _check_folders(folder)
        descriptor = os.open(folder / path.name, _READ)
        try:
            _check_file(path, os.fstat(descriptor), forbidden)
            content = os.read(descriptor, LIMIT_BYTES + 1)
        finally:
            os.close(descriptor)
    if len(content) > LIMIT_BYTES:
        raise SecretError(f"{path}: more than {LIMIT_BYTES} bytes, which no key file has")
    return content


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this user can read, all of it or nothing; replaces an older one."""
    with _as_secret_error(path):
        _check_folders(path.parent.resolve(strict=True))
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, _CREATE, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def private_folder(path: Path) -> Path:
    """Return a folder that only this user may enter, made when it is not there."""
    with _as_secret_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.mkdir(mode=0o700)
        found = path.stat()
        if not stat.S_ISDIR(found.st_mode):
            raise SecretError(f"{path}: is not a folder")
        if found.st_uid != os.geteuid():
            raise SecretError(f"{path}: belongs to another user")
        if found.st_mode & OTHERS:
            raise SecretError(f"{path}: others may enter this folder; chmod 700 it")
        _check_folders(path.resolve(strict=True))
    return path


def _check_file(path: Path, found: os.stat_result, forbidden: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SecretError(f"{path}: is not a regular file")
    if found.st_uid not in (os.geteuid(), 0):
        raise SecretError(f"{path}: belongs to another user")
    if found.st_mode & forbidden:
        raise SecretError(f"{path}: others may read or change it; chmod 600 it")
    if found.st_nlink != 1:
        raise SecretError(f"{path}: has more than one name (hard link)")


def _check_folders(folder: Path) -> None:
    for above in (folder, *folder.parents):
        mode = above.stat().st_mode
        # In a sticky folder nobody can rename what is not theirs.
        if mode & 0o022 and not mode & stat.S_ISVTX:
            raise SecretError(f"{above}: others may write to this folder, which holds a key file")


@contextmanager
def _as_secret_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "is a symbolic link" if path.is_symlink() else error.strerror
        raise SecretError(f"{path}: {reason}") from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
