"""No spelling of a key or token survives, and what is public does."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.secrets.redaction import KnownSecrets, looks_secret, redacted
from tests.fakes.spellings import key_spellings

KEY = bytes(range(101, 165))
SEED = KEY[:32]
B58, HEX = base58.encode, bytes.hex
TOKEN = "7654321098:AAF-xYz_0123456789abcdefghijklmnopqrs"
PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAA\n-----END PRIVATE KEY-----"


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"wallet {B58(KEY)}.", "wallet [removed]."),
        (f"key={HEX(KEY)}", "key=[removed]"),
        (f"0x{HEX(KEY).upper()}", "[removed]"),
        (f"seed {HEX(SEED)} here", "seed [removed] here"),
        (f"b64 {b64(KEY)}", "b64 [removed]"),
        (f"b64 {b64(SEED)}", "b64 [removed]"),
        (json.dumps(list(KEY)), "[removed]"),
        (json.dumps(list(SEED), indent=1), "[removed]"),
        (f"x{json.dumps(list(KEY), separators=(',', ':'))}x", "x[removed]x"),
        (
            f"https://api.telegram.org/bot{TOKEN}/getMe",
            "https://api.telegram.org/bot[removed]/getMe",
        ),
        ("Authorization: Bearer abc.def-ghi", "Authorization: [removed]"),
        ('{"authorization": "Basic dXNlcg=="}', '{"authorization": "[removed]"}'),
        ("X-Api-Key: short-but-ours", "X-Api-Key: [removed]"),
        ("token=0123456789abcdef&x=1", "token=[removed]&x=1"),
        ("AKIAIOSFODNN7EXAMPLE", "[removed]"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = [removed]"),
        ("redis://user:pass-word@10.0.0.1/0", "redis://[removed]@10.0.0.1/0"),
        (f"a {PEM} b", "a [removed] b"),
    ],
)
def test_what_looks_like_a_secret_goes(text: str, left: str) -> None:
    assert redacted(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "zoau54n5U24GHNKqyoziVaVxgsiQYnPMx33fKmLLCT5",
        "wallet 5VArop76EkCmTY826YqJKKsQXsGZiRoqTKZD3ziBiHzr, session 7",
        "token: USDC, decimals 6",
        "2026-11-30T08:47:33.123456Z bid 99,940.2 x 0.0010",
        "order 1152921504606846975 of account 12:34:56",
        json.dumps(list(range(40))),
        "commit 4684ea04684ea04684ea04684ea04684ea04684e",
        "https://zo-mainnet.n1.xyz/ws/deltas@BTCUSD",
    ],
)
def test_what_is_public_stays(text: str) -> None:
    assert redacted(text) == text
    assert not looks_secret(text)


@given(st.binary(min_size=32, max_size=32), st.text("abc xyz0189[]", max_size=20))
def test_a_known_key_goes_in_every_spelling(seed: bytes, around: str) -> None:
    pair = Keypair.from_text(f"0x{(seed + public_of(seed)).hex()}")
    known = KnownSecrets()
    known.add_key(pair.reveal(), base58.encode(pair.reveal()), base58.encode(seed))
    for text in key_spellings(pair.reveal()):
        left = known.removed_from(f"{around} {text} {around}")
        assert text not in left
        assert "[removed]" in left
    # The wallet's address is public.
    assert known.removed_from(pair.address) == pair.address


def public_of(seed: bytes) -> bytes:
    from nacl.signing import SigningKey

    return bytes(SigningKey(seed).verify_key)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=8, max_size=60))
def test_a_known_text_goes_in_every_spelling(token: str) -> None:
    # Part of what is put in its place it would still be there.
    assume(token not in "<[removed]>")
    known = KnownSecrets()
    known.add_text(token)
    for text in (token, quote(token, safe=""), json.dumps(token)[1:-1], repr(token)[1:-1]):
        assert text not in known.removed_from(f"<{text}>")
    assert token.encode().hex() not in known.removed_from(token.encode().hex())


def test_a_key_that_is_loaded_or_made_is_known() -> None:
    made = Keypair.generate()
    loaded = Keypair.from_text(json.dumps(list(Keypair.generate().reveal())))
    for pair in (made, loaded):
        seed = base58.encode(pair.reveal()[:32])
        assert redacted(f"a seed in base58 looks like an address: {seed}").endswith(": [removed]")
        assert redacted(pair.address) == pair.address


def test_a_long_text_takes_no_time_to_speak_of() -> None:
    # The worst of what a regular expression may be given: almost a key, again and again.
    almost = "[" + "1,2,3," * 20_000 + "x" + "A" * 83 + " " + "de" * 63 + "a" + " 1" * 50_000
    assert redacted(almost) == almost
