"""Sessions at a venue that loses requests and answers: one session each, or an honest error."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.engine_time import EngineClock, EngineSeconds
from mmbot.adapters.zo.keys import session as sessions
from mmbot.adapters.zo.keys.session import (
    check_usable,
    read_engine_time,
    revoke,
    session_request,
    submit,
)
from mmbot.adapters.zo.keys.session_files import StoredSession
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.answers import User, VenueSession
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.signing import Keypair, WalletSigner
from mmbot.errors import (
    ActionError,
    OutcomeUnknown,
    SecretError,
    SessionExpired,
    Unavailable,
    VenueError,
)
from tests.fakes.venue import SessionVenue, serving
from tests.keys import keypair

T = TypeVar("T")
NOW = EngineSeconds(1_780_000_000)
DAY_S = 86_400
KEYPAIR = keypair(202)
WALLET = WalletSigner(KEYPAIR)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a hundredth of what a person would."""
    monkeypatch.setattr(sessions, "_PAUSES_S", tuple(each / 100 for each in sessions._PAUSES_S))


def at(venue: SessionVenue, asked: Callable[[ZoHttp], Awaitable[T]]) -> T:
    async def run() -> T:
        async with serving(venue.answer) as url, open_http(VenueParams(http_url=url)) as http:
            return await asked(http)

    return asyncio.run(run())


def make(venue: SessionVenue, ttl_s: int = DAY_S) -> StoredSession:
    request = session_request(WALLET, EngineSeconds(venue.now_s), ttl_s)
    return at(venue, lambda http: submit(http, "http://venue", request))


def test_a_session_is_made_once_with_its_own_key() -> None:
    venue = SessionVenue(NOW)
    made = make(venue)
    assert venue.known == {KEYPAIR.public: {1: (made.keypair.address, NOW + DAY_S)}}
    assert (made.session_id, made.user, made.venue) == (1, KEYPAIR.address, "http://venue")
    assert (made.expiry_s, made.created_s) == (NOW + DAY_S, NOW)
    assert made.keypair.public != KEYPAIR.public
    assert make(venue).keypair.public != made.keypair.public


@settings(max_examples=12, derandomize=True, deadline=None)
@given(st.integers(0, 2), st.integers(0, 2), st.booleans())
def test_lost_requests_and_replies_still_make_exactly_one(
    requests: int, replies: int, shows_keys: bool
) -> None:
    pauses, sessions._PAUSES_S = sessions._PAUSES_S, (0.0,) * 5
    try:
        venue = SessionVenue(NOW)
        venue.lose_requests, venue.lose_replies = requests, replies
        venue.show_keys = shows_keys
        if replies and not shows_keys:
            # Its id is only in the lost reply and in a list that does not say whose is whose.
            with pytest.raises(OutcomeUnknown, match="session list"):
                make(venue)
        else:
            made = make(venue)
            assert venue.known[KEYPAIR.public][made.session_id][0] == made.keypair.address
        assert len(venue.known[KEYPAIR.public]) == 1
        assert len(set(venue.bodies)) == 1
    finally:
        sessions._PAUSES_S = pauses


def test_a_venue_that_never_answers_leaves_it_open() -> None:
    venue = SessionVenue(NOW)
    venue.lose_requests = 99
    with pytest.raises(OutcomeUnknown, match="nobody can say"):
        make(venue)


@pytest.mark.parametrize(
    ("number", "error", "words"),
    [
        (pb.SIGNATURE_VERIFICATION, SecretError, r"SIGNATURE_VERIFICATION \(217\)"),
        (pb.EXPIRY_TIMESTAMP_IN_PAST, SecretError, "EXPIRY_TIMESTAMP_IN_PAST"),
        (pb.USER_NOT_FOUND, SecretError, "no account before its first deposit"),
        (pb.TIMESTAMP_OUT_OF_THRESHOLD, VenueError, "TIMESTAMP_OUT_OF_THRESHOLD"),
        (pb.DECODE_FAILURE, VenueError, "DECODE_FAILURE"),
    ],
)
def test_a_refusal_is_final_and_named(number: int, error: type[Exception], words: str) -> None:
    venue = SessionVenue(NOW)
    venue.refuse = [number]
    with pytest.raises(error, match=words):
        make(venue)
    assert len(venue.bodies) == 1


def test_maintenance_is_waited_for() -> None:
    venue = SessionVenue(NOW)
    venue.refuse = [pb.MAINTENANCE]
    # The venue's duplicate rule takes the second copy for an earlier one: nothing is proven then.
    with pytest.raises(OutcomeUnknown):
        make(venue)
    assert len(set(venue.bodies)) == 1


def test_nobody_there_means_nothing_sent() -> None:
    async def run() -> None:
        async with serving(SessionVenue(NOW).answer) as url:
            pass
        async with open_http(VenueParams(http_url=url)) as http:
            with pytest.raises(Unavailable):
                await submit(http, url, session_request(WALLET, NOW, DAY_S))

    asyncio.run(run())


@pytest.mark.parametrize("ttl_s", [0, -1, 31 * DAY_S + 1, 24 * 3600 * 1_000_000])
def test_a_lifetime_beyond_a_month_is_never_signed(ttl_s: int) -> None:
    # The last one is a day in microseconds, as a client once sent it.
    with pytest.raises(ActionError, match="a session lasts"):
        session_request(WALLET, NOW, ttl_s)
    assert session_request(WALLET, NOW, 31 * DAY_S).expiry_s == NOW + 31 * DAY_S


def test_revoking() -> None:
    venue = SessionVenue(NOW)
    first, second = make(venue), make(venue)

    def end(session_id: int) -> bool:
        return at(venue, lambda http: revoke(http, WALLET, NOW, session_id))

    assert end(first.session_id) is True
    assert list(venue.known[KEYPAIR.public]) == [second.session_id]
    assert end(first.session_id) is False
    venue.lose_replies = 1
    assert end(second.session_id) is True
    assert venue.known[KEYPAIR.public] == {}


def test_the_engines_time_is_what_the_venue_says() -> None:
    venue = SessionVenue(NOW)
    clock = EngineClock()
    assert at(venue, lambda http: read_engine_time(http, clock)) == NOW


def stored(expiry_s: int) -> StoredSession:
    key = Keypair.generate()
    return StoredSession("http://v", KEYPAIR.address, 5, key, EngineSeconds(expiry_s), NOW)


@pytest.mark.parametrize(
    ("left_s", "listed", "words"),
    [
        (0, True, "has expired"),
        (-5, True, "has expired"),
        (6 * 3600, True, r"ends in 6\.0 h"),
        (6 * 3600 + 1, False, "does not know session 5"),
        (6 * 3600 + 1, True, ""),
    ],
)
def test_what_makes_a_session_worth_keeping(left_s: int, listed: bool, words: str) -> None:
    kept = stored(NOW + left_s)
    user = User((7,), (VenueSession(5, kept.keypair.address, None),) if listed else ())
    if words:
        with pytest.raises(SessionExpired, match=words):
            check_usable(kept, user, NOW, 6 * 3600)
    else:
        check_usable(kept, user, NOW, 6 * 3600)


def test_a_venue_that_hides_keys_is_believed_one_that_shows_another_key_is_not() -> None:
    kept = stored(NOW + DAY_S)
    check_usable(kept, User((), (VenueSession(5, None, None),)), NOW, 0)
    with pytest.raises(SessionExpired):
        check_usable(kept, User((), (VenueSession(5, KEYPAIR.address, None),)), NOW, 0)
    with pytest.raises(SessionExpired):
        check_usable(kept, None, NOW, 0)
