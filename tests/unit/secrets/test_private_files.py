"""Files that hold keys: which are read, which are refused, and how they are written."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmbot.errors import SecretError
from mmbot.secrets.private_files import private_folder, read_private, write_private

CANARY = b"canary-5Kd3NBUAdUnhyzenEwVLy9pBKxSw"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a careful user has it."""
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def key(folder: Path) -> Path:
    """A key file as a careful user has it."""
    path = folder / "wallet"
    path.write_bytes(CANARY)
    path.chmod(0o600)
    return path


def refused(path: Path, words: str) -> None:
    with pytest.raises(SecretError, match=words) as caught:
        read_private(path)
    assert CANARY.decode() not in str(caught.value)
    assert str(caught.value).startswith("/")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_private_file_is_read(key: Path, mode: int) -> None:
    key.chmod(mode)
    assert read_private(key) == CANARY


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602, 0o644, 0o666, 0o610, 0o601])
def test_rights_of_others_are_refused(key: Path, mode: int) -> None:
    key.chmod(mode)
    refused(key, "others may read or change it; chmod 600 it")


def test_a_service_credential_may_show_its_group_right(key: Path) -> None:
    key.chmod(0o440)
    assert read_private(key, forbidden=0o027) == CANARY
    key.chmod(0o460)
    with pytest.raises(SecretError, match="others may"):
        read_private(key, forbidden=0o027)


def test_links_are_refused(key: Path) -> None:
    soft = key.with_name("soft")
    soft.symlink_to(key)
    refused(soft, "is a symbolic link")
    key.with_name("hard").hardlink_to(key)
    refused(key, "hard link")


def test_what_is_no_file_is_refused(folder: Path) -> None:
    refused(folder / "nothing", "No such file")
    refused(folder, "is not a regular file")
    os.mkfifo(folder / "pipe", 0o600)
    refused(folder / "pipe", "is not a regular file")
    refused(Path("/dev/null"), "is not a regular file")


def test_a_file_of_four_kibibytes_is_the_largest(key: Path) -> None:
    key.write_bytes(b"x" * 4096)
    assert len(read_private(key)) == 4096
    key.write_bytes(b"x" * 4097)
    refused(key, "more than 4096 bytes")


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_write_to_is_refused(key: Path, folder: Path, mode: int) -> None:
    folder.chmod(mode)
    refused(key, "others may write to this folder")
    with pytest.raises(SecretError, match="others may write to this folder"):
        write_private(folder / "new", CANARY)
    assert not (folder / "new").exists()
    folder.chmod(mode | stat.S_ISVTX)
    assert read_private(key) == CANARY


def test_a_folder_far_above_counts_too_also_behind_a_link(
    key: Path, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert read_private(tmp_path / "link" / "wallet") == CANARY
    tmp_path.chmod(0o777)
    refused(key, "others may write")
    refused(tmp_path / "link" / "wallet", "others may write")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(key: Path, folder: Path) -> None:
    os.chown(key, 12345, 0)
    refused(key, "belongs to another user")
    os.chown(folder, 12345, 0)
    with pytest.raises(SecretError, match="belongs to another user"):
        private_folder(folder)


def leftovers(folder: Path) -> Iterator[str]:
    return (path.name for path in folder.iterdir())


def test_a_written_file_is_private_from_its_first_byte(folder: Path) -> None:
    before = os.umask(0)
    try:
        write_private(folder / "new", CANARY)
        write_private(folder / "new", CANARY + b"2")
    finally:
        os.umask(before)
    path = folder / "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_private(path) == CANARY + b"2"
    assert list(leftovers(folder)) == ["new"]


def test_writing_never_follows_a_link(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"mine")
    (folder / "new").symlink_to(target)
    write_private(folder / "new", CANARY)
    assert target.read_bytes() == b"mine"
    assert not (folder / "new").is_symlink()


def test_writing_leaves_nothing_behind_when_it_fails(folder: Path) -> None:
    (folder / "new").mkdir()
    with pytest.raises(SecretError, match="new"):
        write_private(folder / "new", CANARY)
    assert list(leftovers(folder)) == ["new"]
    with pytest.raises(SecretError, match="No such file"):
        write_private(folder / "missing" / "new", CANARY)


def test_a_private_folder_is_made_and_kept_private(tmp_path: Path) -> None:
    made = private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert private_folder(made) == made
    made.chmod(0o750)
    with pytest.raises(SecretError, match="chmod 700"):
        private_folder(made)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SecretError, match="is not a folder"):
        private_folder(tmp_path / "file")
