"""Sessions on disk: what is written is read back, what is not sound is refused without a word."""

import dataclasses
import json
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.session_files import (
    SessionFolder,
    SessionRequest,
    StoredSession,
    read_carried,
    read_session,
    session_folder,
    write_request,
    write_session,
)
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.errors import SecretError
from tests.keys import keypair

USER = keypair(205).address
KEYPAIR = keypair(206)
SECRET = base58.encode(KEYPAIR.reveal())
VENUE = "https://zo-mainnet.n1.xyz"
ID = 2**64 - 1


def session(venue: str = VENUE, user: str = USER) -> StoredSession:
    return StoredSession(
        venue, user, ID, KEYPAIR, EngineSeconds(1_780_086_400), EngineSeconds(1_780_000_000)
    )


def same(one: StoredSession, other: StoredSession) -> bool:
    first, second = (msgspec.structs.asdict(each) for each in (one, other))
    keys = [each.pop("keypair").reveal() for each in (first, second)]
    return first == second and keys[0] == keys[1]


def test_a_session_is_stored_privately_and_found_again(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / "state" / "sessions")
    assert folder.load(VENUE, USER) is None
    path = folder.save(session())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    found = folder.load(VENUE, USER)
    assert found is not None
    assert same(found, session())
    folder.remove(found)
    folder.remove(found)
    assert folder.load(VENUE, USER) is None


def test_venues_and_wallets_do_not_mix(tmp_path: Path) -> None:
    folder, other = SessionFolder(tmp_path / "s"), Keypair.generate().address
    places = [VENUE, "http://127.0.0.1:80", "http://127.0.0.1:8080", "http://[::1]:8080"]
    for place in places:
        folder.save(session(place))
    folder.save(session(VENUE, other))
    assert len({folder.path(place, USER) for place in places}) == 4
    for place in places[1:]:
        assert [each.venue for each in folder.of_venue(place)] == [place]
    assert sorted(each.user for each in folder.of_venue(VENUE)) == sorted([USER, other])
    assert list(SessionFolder(tmp_path / "none").of_venue(VENUE)) == []
    # A file that was copied to another's name is not taken for that other's.
    folder.path(places[1], USER).write_bytes(folder.path(VENUE, USER).read_bytes())
    with pytest.raises(SecretError, match="another venue or wallet"):
        folder.load(places[1], USER)


def test_a_loose_session_is_refused(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / "s")
    path = folder.save(session())
    path.chmod(0o640)
    with pytest.raises(SecretError, match="chmod 600"):
        folder.load(VENUE, USER)
    path.chmod(0o600)
    path.parent.chmod(0o755)
    with pytest.raises(SecretError, match="chmod 700"):
        folder.load(VENUE, USER)
    path.parent.chmod(0o700)
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(SecretError, match="symbolic link"):
        folder.load(VENUE, USER)


def test_a_request_is_carried_with_its_bytes(tmp_path: Path) -> None:
    body = bytes(range(150))
    expiry, stamp = EngineSeconds(1_780_086_400), EngineSeconds(1_780_000_000)
    write_request(tmp_path / "r", SessionRequest(USER, KEYPAIR, expiry, stamp, body))
    found = read_carried(tmp_path / "r")
    assert isinstance(found, SessionRequest)
    assert (found.user, found.expiry_s, found.stamp_s) == (USER, expiry, stamp)
    assert (found.body, found.keypair.reveal()) == (body, KEYPAIR.reveal())
    with pytest.raises(SecretError, match="never submitted"):
        read_session(tmp_path / "r")
    write_session(tmp_path / "s", session())
    carried = read_carried(tmp_path / "s")
    assert isinstance(carried, StoredSession)
    assert same(carried, session())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", "mmbot.session/2"),
        ("schema", None),
        ("session_id", "0"),
        ("session_id", str(2**64)),
        ("session_id", "-1"),
        ("session_id", 5),
        ("session_secret", SECRET[:-1]),
        ("session_secret", SECRET[:-2] + "11"),
        ("session_secret", None),
        ("user", "x"),
        ("user", USER[:-3]),
        ("expiry_s", 1.5),
        ("expiry_s", "soon"),
        ("created_s", None),
        ("more", 1),
    ],
)
def test_a_file_that_is_not_sound_is_refused_without_being_quoted(
    name: str, value: Any, tmp_path: Path
) -> None:
    path = tmp_path / "s"
    write_session(path, session())
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    with pytest.raises(SecretError, match="is not a sound session file") as caught:
        read_session(path)
    assert caught.value.__cause__ is None
    assert SECRET[8:16] not in str(caught.value)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(SecretError, match="is not a sound session file"):
        read_session(path)


def test_nothing_shows_the_secret() -> None:
    stamp = EngineSeconds(1_780_000_000)
    request = SessionRequest(USER, KEYPAIR, stamp, stamp, b"signed bytes of the wallet")
    for each in (session(), request, KEYPAIR):
        shown = f"{each!r} {each!s}"
        for secret in (SECRET, KEYPAIR.reveal().hex(), KEYPAIR.reveal()[:32].hex(), "signed bytes"):
            assert secret not in shown
        with pytest.raises(TypeError):
            msgspec.json.encode(each)
    assert not dataclasses.is_dataclass(session())


@pytest.mark.parametrize(
    ("configured", "env", "expected"),
    [
        ("/x/y", {"STATE_DIRECTORY": "/var/lib/mmbot"}, "/x/y"),
        (None, {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, "/var/lib/a/sessions"),
        (None, {"XDG_STATE_HOME": "/home/u/state"}, "/home/u/state/mmbot/sessions"),
        (None, {}, str(Path.home() / ".local/state/mmbot/sessions")),
    ],
)
def test_where_sessions_are_kept(
    configured: str | None, env: dict[str, str], expected: str
) -> None:
    assert session_folder(configured, env).path(VENUE, USER).parent == Path(expected)
