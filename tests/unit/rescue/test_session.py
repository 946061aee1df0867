"""Where the rescue's key comes from, and what it does not say."""

import copy
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.session_files import Role, SessionFolder, StoredSession
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.errors import SecretError
from mmbot.rescue.session import read_session

VENUE = "https://zo-mainnet.n1.xyz"


@pytest.fixture
def stored() -> StoredSession:
    user = Keypair.generate().address
    times = EngineSeconds(2_000_000_000), EngineSeconds(1_900_000_000)
    return StoredSession(VENUE, user, 2**63 + 5, Keypair.generate(), *times)


@pytest.fixture
def path(stored: StoredSession, tmp_path: Path) -> Path:
    return SessionFolder(tmp_path / "sessions").save(stored)


def test_the_file_that_the_product_writes_is_read(stored: StoredSession, path: Path) -> None:
    session = read_session(str(path), {})
    assert str(session.origin) == VENUE
    assert (session.user, session.session_id) == (stored.user, stored.session_id)
    session.check()
    assert session.pen(9).account_id == 9


def test_descriptor_and_credential(stored: StoredSession, path: Path, tmp_path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert read_session(f"fd:{descriptor}", {}).user == stored.user
    finally:
        os.close(descriptor)
    environment = {"CREDENTIALS_DIRECTORY": str(path.parent)}
    assert read_session(f"credential:{path.name}", environment).user == stored.user
    for source in (f"credential:{path.name}", "fd:987", "fd:x", str(tmp_path / "none")):
        with pytest.raises(SecretError):
            read_session(source, {})


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "mmbot.session/2"},
        {"session_id": "0"},
        {"session_id": "x"},
        {"session_id": str(2**64)},
        {"venue": "http://zo-mainnet.n1.xyz"},
        {"venue": "https://a:b@zo-mainnet.n1.xyz"},
        {"venue": "https://zo-mainnet.n1.xyz/path"},
        {"venue": 5},
        {"user": "../x"},
        {"session_secret": None},
    ],
    ids=str,
)
def test_a_file_that_is_not_sound_is_refused(path: Path, change: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(SecretError, match="is not a sound session file"):
        read_session(str(path), {})


def test_a_key_that_is_none_is_refused_before_it_signs(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"session_secret": "1" * 60}))
    with pytest.raises(SecretError):
        read_session(str(path), {}).check()


def test_a_file_that_others_may_read_is_refused(path: Path) -> None:
    path.chmod(0o640)
    with pytest.raises(SecretError, match="chmod 600"):
        read_session(str(path), {})


def test_a_session_does_not_show_its_key(stored: StoredSession, path: Path) -> None:
    session = read_session(str(path), {})
    assert base58.encode(stored.keypair.reveal()) not in repr(session)
    for take in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not pickled"):
            take(session)


def test_bot_and_guard_keep_sessions_of_their_own(stored: StoredSession, tmp_path: Path) -> None:
    bot, guard = SessionFolder(tmp_path), SessionFolder(tmp_path, Role.GUARD)
    tmp_path.chmod(0o700)
    assert bot.save(stored) != guard.path(stored.venue, stored.user)
    assert guard.load(stored.venue, stored.user) is None
    assert list(guard.of_venue(stored.venue)) == []
    guard.save(stored)
    assert [each.user for each in bot.of_venue(stored.venue)] == [stored.user]
    assert [each.user for each in guard.of_venue(stored.venue)] == [stored.user]
    bot.remove(stored)
    assert guard.load(stored.venue, stored.user) is not None
