"""Base58 against the implementation of the Solana library."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from mmbot.adapters.zo.wire import base58

CHECKED = settings(max_examples=200, deadline=None, derandomize=True)


@CHECKED
@given(st.binary(min_size=32, max_size=32))
@example(bytes(32))
@example(bytes(31) + b"\x01")
@example(b"\xff" * 32)
def test_keys_are_written_as_the_library_writes_them(key: bytes) -> None:
    text = base58.encode(key)
    assert text == str(Pubkey(key))
    assert base58.decode(text) == key


@CHECKED
@given(st.binary(max_size=64))
def test_there_and_back(data: bytes) -> None:
    assert base58.decode(base58.encode(data)) == data


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "a b", "é", "1" * 129])
def test_what_is_no_base58(text: str) -> None:
    with pytest.raises(ValueError, match=r"base58|no key") as refused:
        base58.decode("secret" + text)
    assert "secret" not in str(refused.value)
