"""Signers: what they sign is valid, what they must not sign they refuse, keys do not leak."""

import copy
import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair as LibraryKeypair
from solders.message import Message

from mmbot.adapters.zo.wire.actions import (
    AddTrigger,
    Atomic,
    CancelByClientId,
    CancelById,
    CreateSession,
    Framing,
    PlaceOrder,
    RemoveTrigger,
    RevokeSession,
    SessionAction,
    TriggerKind,
)
from mmbot.adapters.zo.wire.codec import action_raw, parse_action, split_body
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.signing import (
    Keypair,
    Scheme,
    SessionSigner,
    WalletSigner,
    scheme_of,
    signed_bytes,
    verify,
)
from mmbot.domain.order import FillMode, Side
from mmbot.errors import ActionError, SecretError
from tests.keys import keypair

CHECKED = settings(max_examples=100, deadline=None, derandomize=True)
NOW = 1_767_531_506
LIBRARY = LibraryKeypair.from_seed(bytes(range(32)))
KEY = Keypair(bytes(LIBRARY))
OTHER = keypair(201)
SIGNER = SessionSigner(KEY, session_id=826020953252, account_id=227)
WALLET = WalletSigner(KEY)
BID, ASK = Side.BID, Side.ASK
LIMIT, POST, IOC, FOK = FillMode
STOP = TriggerKind.STOP_LOSS


def resting(market: int = 0, **changes: int) -> PlaceOrder:
    return PlaceOrder(market, BID, POST, changes.get("ticks", 555247), changes.get("lots", 864177))


def taking(market: int = 0, mode: FillMode = IOC, ticks: int = 0) -> PlaceOrder:
    return PlaceOrder(market, ASK, mode, ticks, 100, reduce_only=True)


def signed(action: SessionAction, signer: SessionSigner = SIGNER) -> pb.Action:
    """Sign now; the signature is checked by another library."""
    raw, signature = split_body(signer.sign(action, NOW, 1, now_s=NOW))
    assert bytes(LIBRARY.sign_message(raw)) == signature
    return parse_action(raw).action


ALLOWED: list[SessionAction] = [
    resting(),
    resting(lots=2**48 - 1),
    PlaceOrder(0, BID, LIMIT, 1, 1),
    taking(),
    taking(mode=FOK),
    taking(ticks=5),
    PlaceOrder(0, BID, IOC, 0, 2**48),
    CancelById(5),
    CancelByClientId(5),
    AddTrigger(0, ASK, STOP, 5),
    RemoveTrigger(0, ASK, STOP),
    RemoveTrigger(0, ASK, STOP, 5),
    Atomic((CancelById(1), CancelById(2), resting(), resting())),
    Atomic((CancelById(1, 0), taking(), resting(), CancelById(2, 1))),
    Atomic((resting(0), CancelById(1, 1), resting(1), resting(0))),
    Atomic((resting(0), taking(1), resting(1))),
]


@pytest.mark.parametrize("action", ALLOWED)
def test_what_a_market_maker_sends_is_signed(action: SessionAction) -> None:
    made = signed(action)
    assert made.current_timestamp == NOW
    kind = made.WhichOneof("kind")
    assert kind is not None
    assert getattr(made, kind).session_id == 826020953252


REFUSED: list[tuple[object, str]] = [
    (resting(ticks=0), "needs a price"),
    (PlaceOrder(0, BID, LIMIT, 0, 5), "needs a price"),
    (resting(ticks=-5), "needs a price"),
    (resting(lots=0), "needs a size"),
    (PlaceOrder(0, BID, IOC, 5, 0), "needs a size"),
    (resting(lots=2**48), "cannot rest"),
    (PlaceOrder(0, BID, IOC, 0, 5, quote_units=9), "quote sizes"),
    (AddTrigger(0, ASK, STOP, 0), "needs a price"),
    (RemoveTrigger(0, ASK, STOP, 0), "needs a price"),
    (Atomic(()), "1 to 4"),
    (Atomic((CancelById(1),) * 5), "at most 4"),
    (Atomic((CancelById(1), resting(ticks=0))), "needs a price"),
    (Atomic((resting(0), CancelById(1, 0))), "cancel follows"),
    (Atomic((resting(0), CancelById(1))), "cancel follows"),
    (Atomic((taking(1), CancelById(1, 1))), "cancel follows"),
    (Atomic((resting(0), taking(0))), "immediate order follows"),
    (Atomic((CancelByClientId(1),)), "no part"),  # type: ignore[arg-type]
    (Atomic((Atomic((CancelById(1),)),)), "no part"),  # type: ignore[arg-type]
    (CreateSession(KEY.public, OTHER.public, NOW + 9), "does not sign CreateSession"),
    (RevokeSession(5), "does not sign RevokeSession"),
    (pb.Withdraw(session_id=5, amount=1), "does not sign Withdraw"),
    (pb.Transfer(session_id=5, amount=1), "does not sign Transfer"),
    (pb.TakePosition(session_id=5, size=1), "does not sign TakePosition"),
    (pb.Action(cancel_order_by_id=pb.CancelOrderById(session_id=5)), "does not sign Action"),
    (action_raw(pb.Action(withdraw=pb.Withdraw(session_id=5))), "does not sign bytes"),
]


@pytest.mark.parametrize(("action", "reason"), REFUSED)
def test_everything_else_is_refused(action: SessionAction, reason: str) -> None:
    with pytest.raises(ActionError, match=reason):
        SIGNER.sign(action, NOW, 1, now_s=NOW)


@pytest.mark.parametrize(
    ("age", "lifetime", "allowed"),
    [
        (-1, 60, False),
        (0, 60, True),
        (60, 60, True),
        (61, 60, False),
        (0, 59, True),
        (0, 58, False),
        (54, 5, True),
        (53, 5, False),
        (60, 5, True),
        (61, 5, False),
    ],
)
def test_times_invariant_i15(age: int, lifetime: int, allowed: bool) -> None:
    """Never from the future; ts + 60 - now <= lifetime + 1; nothing the venue would refuse."""
    signer = SessionSigner(KEY, 5, 7, lifetime_s=lifetime)
    if allowed:
        assert signer.sign(CancelById(1), NOW - age, 1, now_s=NOW)
        return
    with pytest.raises(ActionError):
        signer.sign(CancelById(1), NOW - age, 1, now_s=NOW)


def test_equal_actions_differ_by_their_nonce_only() -> None:
    """A retry is byte-identical (protocol 5.3)."""
    bodies = [SIGNER.sign(resting(), NOW, nonce, now_s=NOW + 3) for nonce in (1, 1, 2)]
    assert bodies[0] == bodies[1] != bodies[2]


@pytest.mark.parametrize("framing", [None, *Framing])
def test_the_wallet_signs_its_own_sessions(framing: Framing | None) -> None:
    action = CreateSession(KEY.public, OTHER.public, NOW + 31 * 86_400, framing)
    raw, signature = split_body(WALLET.sign(action, NOW, 3, now_s=NOW))
    solana = framing is Framing.SOLANA_TRANSACTION
    scheme = Scheme.SOLANA if solana else Scheme.HEX
    message = signed_bytes(Scheme.SOLANA, raw, KEY.public) if solana else raw.hex().encode()
    assert scheme_of(parse_action(raw).action) is scheme
    assert bytes(LIBRARY.sign_message(message)) == signature
    assert verify(scheme, KEY.public, raw, signature)


def test_the_solana_message_is_the_librarys() -> None:
    """Built by the Solana library: one signer, its key as the program, no accounts."""
    for length in (3, 127, 128, 300):
        instruction = Instruction(LIBRARY.pubkey(), bytes(length), [])
        message = Message.new_with_blockhash([instruction], LIBRARY.pubkey(), Hash.default())
        assert signed_bytes(Scheme.SOLANA, bytes(length), KEY.public) == bytes(message)


def test_the_wallet_revokes_a_session() -> None:
    raw, signature = split_body(WALLET.sign(RevokeSession(5), NOW, 3, now_s=NOW))
    assert verify(Scheme.HEX, KEY.public, raw, signature)


@pytest.mark.parametrize(
    ("action", "timestamp_s", "reason"),
    [
        (CreateSession(KEY.public, OTHER.public, NOW), NOW, "a session lasts"),
        (CreateSession(KEY.public, OTHER.public, NOW), NOW - 9, "a session lasts"),
        (CreateSession(KEY.public, OTHER.public, NOW + 31 * 86_400 + 1), NOW, "a session lasts"),
        (CreateSession(OTHER.public, OTHER.public, NOW + 9), NOW, "another wallet"),
        (CreateSession(KEY.public, OTHER.public, NOW + 9), NOW + 1, "future"),
        (RevokeSession(0), NOW, "session id 0"),
        (RevokeSession(1), NOW - 61, "old"),
        (resting(), NOW, "does not sign PlaceOrder"),
        (CancelById(1), NOW, "does not sign CancelById"),
        (pb.Withdraw(amount=1), NOW, "does not sign Withdraw"),
    ],
)
def test_what_the_wallet_refuses(action: RevokeSession, timestamp_s: int, reason: str) -> None:
    with pytest.raises(ActionError, match=reason):
        WALLET.sign(action, timestamp_s, 1, now_s=NOW)


@CHECKED
@given(st.binary(min_size=1, max_size=300), st.sampled_from(Scheme), st.data())
def test_verification_notices_every_flipped_bit(
    raw: bytes, scheme: Scheme, data: st.DataObject
) -> None:
    signature = bytes(LIBRARY.sign_message(signed_bytes(scheme, raw, KEY.public)))
    assert verify(scheme, KEY.public, raw, signature)
    parts = [KEY.public, raw, signature]
    which = data.draw(st.integers(0, 2))
    bit = data.draw(st.integers(0, 8 * len(parts[which]) - 1))
    flipped = int.from_bytes(parts[which]) ^ 1 << bit
    parts[which] = flipped.to_bytes(len(parts[which]))
    assert not verify(scheme, *parts)


@pytest.mark.parametrize(
    ("pubkey", "signature"), [(b"", bytes(64)), (bytes(31), bytes(64)), (bytes(33), bytes(64))]
)
def test_keys_and_signatures_of_any_size(pubkey: bytes, signature: bytes) -> None:
    assert not verify(Scheme.RAW, pubkey, b"raw", signature)
    assert not verify(Scheme.RAW, bytes(32), b"raw", bytes(64))
    good = bytes(LIBRARY.sign_message(b"raw"))
    assert verify(Scheme.RAW, KEY.public, b"raw", good)
    assert not verify(Scheme.RAW, KEY.public + b"x", b"raw", good)
    assert not verify(Scheme.RAW, KEY.public, b"raw", good + b"x")
    assert not any(verify(Scheme.RAW, KEY.public, b"raw", bytes(n)) for n in (0, 63, 65))


def test_keys_are_read_as_the_library_writes_them() -> None:
    secret = bytes(LIBRARY)
    for text in (
        str(LIBRARY),
        LIBRARY.to_json(),
        f" {json.dumps(list(secret))}\n",
        f"0x{secret.hex()}",
    ):
        owner = Keypair.from_text(text)
        assert owner.public == bytes(LIBRARY.pubkey())
        assert owner.address == str(LIBRARY.pubkey())
        assert owner.reveal() == secret


SECRET = bytes(LIBRARY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "[]",
        "[1, 2",
        "[256" + ", 1" * 63 + "]",
        "[" * 100_000,
        f"0x{SECRET.hex()}zz",
        SECRET.hex(),
        f"0x{SECRET[:32].hex()}",
        json.dumps(list(SECRET[:32])),
        json.dumps(list(SECRET[:32] + OTHER.public)),
        str(LIBRARY)[:-1],
        str(LIBRARY) + "1",
        "9" * 10_000,
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(SecretError) as refused:
        Keypair.from_text(text)
    error = refused.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert len(str(error)) < 100
    assert not any(text[at : at + 12] in str(error) for at in range(2, max(2, len(text) - 12)))


@pytest.mark.parametrize("holder", [KEY, SIGNER, WALLET])
def test_keys_do_not_leak(holder: object) -> None:
    shown = f"{holder!r} {holder} {holder!s}"
    forms = [str(LIBRARY), SECRET.hex(), SECRET[:32].hex(), repr(SECRET[:8])[2:-1]]
    assert not any(form in shown for form in forms)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(holder, protocol)
    for make in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            make(holder)
    with pytest.raises(TypeError):
        vars(holder)


def test_generated_keys_differ_and_sign() -> None:
    assert OTHER.public != Keypair.generate().public
    assert Keypair(OTHER.reveal()).public == OTHER.public
