"""What of an update is looked at: anything else is nothing, whatever it looks like."""

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.control import Role
from mmbot.interfaces.telegram.access import role_of
from mmbot.interfaces.telegram.params import TelegramParams
from mmbot.interfaces.telegram.updates import Message, Press, read, split

PARAMS = TelegramParams.model_validate(
    {
        "chats": [{"id": 5, "role": "admin"}, {"id": -7, "role": "operator"}],
        "users": {"9": "viewer"},
    }
)
GOOD = {
    "update_id": 1,
    "message": {
        "message_id": 2,
        "date": 3,
        "chat": {"id": 5, "type": "private"},
        "from": {"id": 5, "is_bot": False, "first_name": "x"},
        "text": "/stop",
    },
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def test_a_plain_message_is_read() -> None:
    raw = json.dumps(GOOD).encode()
    assert read(1, raw) == Message(1, 5, True, 5, 3, 2, None, "/stop")
    assert split(b'{"ok": true, "result": [' + raw + b', 7, {"update_id": -1}]}') == [(1, raw)]
    assert split(b'{"ok": false, "error_code": 409}') is None


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(raw: bytes) -> None:
    assert read(1, raw) is None
    split(raw)


@given(st.sampled_from(sorted(GOOD["message"])), JSON)  # type: ignore[call-overload]
def test_one_wrong_field_is_nothing_or_something_as_good(name: str, value: object) -> None:
    raw = json.dumps({**GOOD, "message": {**GOOD["message"], name: value}}).encode()  # type: ignore[dict-item]
    found = read(1, raw)
    if found is not None:
        # Only what says nothing of who or where may have changed.
        assert isinstance(found, Message)
        assert (found.chat_id, found.user_id, found.private) == (5, 5, True)


@given(st.integers(-20, 20), st.integers(1, 20), st.sampled_from(["private", "group", "channel"]))
def test_only_those_who_are_listed_are_anybody(chat: int, user: int, kind: str) -> None:
    place = {"id": chat, "type": kind}
    message = {**GOOD["message"], "chat": place, "from": {"id": user, "is_bot": False}}  # type: ignore[dict-item]
    found = read(1, json.dumps({"update_id": 1, "message": message}).encode())
    role = None if found is None else role_of(PARAMS, found)
    expected = {
        (5, 5, "private"): Role.ADMIN,
        (-7, 5, "group"): Role.OPERATOR,
        (-7, 9, "group"): Role.VIEWER,
    }
    assert role == expected.get((chat, user, kind))


def test_bytes_cut_anywhere_are_nothing_worse() -> None:
    press = {
        "update_id": 1,
        "callback_query": {
            "id": "4",
            "from": {"id": 5, "is_bot": False},
            "data": "yes:0",
            "message": {"message_id": 2, "chat": {"id": 5, "type": "private"}},
        },
    }
    raw = json.dumps(press).encode()
    assert read(1, raw) == Press(1, "4", 5, True, 5, 2, "yes:0")
    chance = random.Random(3)
    for _ in range(2_000):
        place = chance.randrange(len(raw))
        spoiled = raw[:place] + chance.randbytes(1) + raw[place + 1 :]
        found = read(1, spoiled)
        assert found is None or isinstance(found, Press)
