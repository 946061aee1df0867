"""Keys, the three signature schemes, and the two signers with what they refuse (protocol 5.2).

A signer takes actions as values, checks them, writes the bytes itself and signs those: there is no
way to have bytes signed, and no value for withdraw, transfer or taking a position.
"""

import json
from enum import Enum
from typing import NoReturn

from nacl import bindings
from nacl._sodium import ffi, lib
from nacl.exceptions import BadSignatureError

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.actions import (
    MOST_PARTS,
    AddTrigger,
    Atomic,
    CancelByClientId,
    CancelById,
    CreateSession,
    Envelope,
    Framing,
    PlaceOrder,
    RemoveTrigger,
    RevokeSession,
    SessionAction,
    WalletAction,
    encode,
)
from mmbot.adapters.zo.wire.codec import SIGNATURE_BYTES
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import FillMode
from mmbot.errors import ActionError, SecretError
from mmbot.secrets.redaction import KNOWN

SEED_BYTES = 32
PUBKEY_BYTES = 32
SECRET_BYTES = 64
# Seconds an action stays valid around the engine's time (protocol 5.3).
WINDOW_S = 60
LONGEST_SESSION_S = 31 * 86_400
# The largest size that may rest (protocol 5.6).
MOST_RESTING_LOTS = 2**48 - 1
# PyNaCl's function around this one reads its types from text at every call: a quarter of the time a
# signature takes where none was made a moment before.
_BYTES = ffi.typeof("unsigned char[]")
# Tuples: hashing a member of an enumeration would be half of what the checks cost.
_IMMEDIATE = (FillMode.IOC, FillMode.FOK)


class Scheme(Enum):
    """What of an action is signed."""

    HEX = "hex"
    RAW = "raw"
    SOLANA = "solana"


def scheme_of(action: pb.Action) -> Scheme:
    """Return the scheme an action must be signed with."""
    kind = action.WhichOneof("kind")
    if kind == "create_session":
        framing = action.create_session.signature_framing
        return Scheme.SOLANA if framing == pb.SOLANA_TRANSACTION else Scheme.HEX
    return Scheme.HEX if kind == "revoke_session" else Scheme.RAW


def signed_bytes(scheme: Scheme, raw: bytes, pubkey: bytes) -> bytes:
    """Return what is signed for `raw` (length and payload)."""
    if scheme is Scheme.RAW:
        return raw
    if scheme is Scheme.HEX:
        return raw.hex().encode()
    # A legacy message: one signer, who is also the program; one instruction without accounts.
    instruction = b"\x00" + _compact_u16(0) + _compact_u16(len(raw)) + raw
    keys = _compact_u16(1) + pubkey
    return b"\x01\x00\x00" + keys + bytes(32) + _compact_u16(1) + instruction


def _compact_u16(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def verify(scheme: Scheme, pubkey: bytes, raw: bytes, signature: bytes) -> bool:
    """Tell whether a signature of `raw` is the key's; False for keys and signatures of any size."""
    if len(pubkey) != PUBKEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        bindings.crypto_sign_open(signature + signed_bytes(scheme, raw, pubkey), pubkey)
    except BadSignatureError:
        return False
    return True


class Keypair:
    """An Ed25519 key; only `reveal` shows the secret half, and nothing else may."""

    __slots__ = ("_secret", "public")

    def __init__(self, secret: bytes) -> None:
        """Take a Solana secret key: 32 bytes of seed and 32 of public key, which must match."""
        if len(secret) != SECRET_BYTES:
            raise SecretError(f"a secret key has {SECRET_BYTES} bytes, not {len(secret)}")
        self.public, self._secret = bindings.crypto_sign_seed_keypair(secret[:SEED_BYTES])
        if self._secret != secret:
            raise SecretError("the public half of the secret key does not belong to its seed")

    @classmethod
    def generate(cls) -> "Keypair":
        """Make a new random key, which no output shows from now on."""
        return cls(_known(bindings.crypto_sign_keypair()[1]))

    @classmethod
    def from_text(cls, text: str) -> "Keypair":
        """Read a 64-byte secret key: base58, JSON array of bytes, or hex behind 0x.

        No output shows it from now on.
        """
        return cls(_known(_secret_bytes(text.strip())))

    @property
    def address(self) -> str:
        """The public key in base58."""
        return base58.encode(self.public)

    def reveal(self) -> bytes:
        """Return the 64-byte secret key, for storing it."""
        return self._secret

    def __repr__(self) -> str:
        return f"Keypair({self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")


def _known(secret: bytes) -> bytes:
    """Have redaction know a key, even one that is refused later."""
    KNOWN.add_key(secret, base58.encode(secret), base58.encode(secret[:SEED_BYTES]))
    return secret


def _secret_bytes(text: str) -> bytes:
    # No error may carry the text along.
    try:
        if text.startswith("["):
            return bytes(json.loads(text))
        if text.startswith("0x"):
            return bytes.fromhex(text[2:])
        return base58.decode(text)
    except (ValueError, TypeError, RecursionError):
        pass
    raise SecretError("the secret key is not base58, a JSON array of bytes, or hex behind 0x")


def _signature(message: bytes, secret: bytes) -> bytes:
    signed = ffi.new(_BYTES, SIGNATURE_BYTES + len(message))
    if lib.crypto_sign(signed, ffi.NULL, message, len(message), secret) != 0:
        raise ActionError("libsodium does not sign")
    return bytes(ffi.buffer(signed, SIGNATURE_BYTES))


class SessionSigner:
    """Signs what a market maker sends, for one session and account, and nothing else.

    Enforced for every action: invariant I14 (kinds), I15 (times), and of I13 what needs no market
    data: resting orders have a price, every order a size, no quote sizes.
    """

    __slots__ = ("_keypair", "account_id", "lifetime_s", "session_id")

    def __init__(
        self, keypair: Keypair, session_id: int, account_id: int, lifetime_s: int = WINDOW_S
    ) -> None:
        """Bind a key to its session; `lifetime_s` is how long an action may stay executable."""
        self._keypair = keypair
        self.session_id = session_id
        self.account_id = account_id
        self.lifetime_s = lifetime_s

    def sign(self, action: SessionAction, timestamp_s: int, nonce: int, now_s: int) -> bytes:
        """Return the body of the POST; ActionError when anything about the action is not allowed.

        `timestamp_s` goes into the action, `now_s` is the engine's time now.
        """
        check_times(timestamp_s, now_s, self.lifetime_s)
        check_session_action(action)
        raw = encode(action, Envelope(timestamp_s, nonce, self.session_id, self.account_id))
        return raw + _signature(raw, self._keypair.reveal())

    def __repr__(self) -> str:
        return f"SessionSigner(session {self.session_id}, account {self.account_id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is not pickled or copied")


class WalletSigner:
    """Signs the creation and the revocation of the wallet's own sessions, and nothing else."""

    __slots__ = ("_keypair",)

    framing: Framing | None = None

    def __init__(self, keypair: Keypair) -> None:
        """Take the wallet's key."""
        self._keypair = keypair

    @property
    def pubkey(self) -> bytes:
        """The wallet."""
        return self._keypair.public

    def sign(self, action: WalletAction, timestamp_s: int, nonce: int, now_s: int) -> bytes:
        """Return the body of the POST; ActionError when anything about the action is not allowed.

        `timestamp_s` goes into the action, `now_s` is the engine's time now.
        """
        check_times(timestamp_s, now_s, WINDOW_S)
        scheme = Scheme.HEX
        if isinstance(action, CreateSession):
            check_new_session(action, self.pubkey, now_s)
            if action.framing is Framing.SOLANA_TRANSACTION:
                scheme = Scheme.SOLANA
        elif not isinstance(action, RevokeSession):
            raise ActionError(f"a wallet does not sign {type(action).__name__}")
        raw = encode(action, Envelope(timestamp_s, nonce))
        message = signed_bytes(scheme, raw, self.pubkey)
        return raw + _signature(message, self._keypair.reveal())

    def __repr__(self) -> str:
        return f"WalletSigner({self._keypair.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is not pickled or copied")


def check_new_session(action: CreateSession, pubkey: bytes, now_s: int) -> None:
    """Refuse a session for another wallet, or for longer than the venue allows."""
    if action.user_pubkey != pubkey:
        raise ActionError("the session is for another wallet")
    if not 0 < action.expiry_s - now_s <= LONGEST_SESSION_S:
        raise ActionError(
            f"a session lasts 1 to {LONGEST_SESSION_S} s, not {action.expiry_s - now_s}"
        )


def check_times(timestamp_s: int, now_s: int, lifetime_s: int) -> None:
    """Refuse a timestamp that is in the future, dead, or would keep the action alive too long."""
    age = now_s - timestamp_s
    if age < 0:
        raise ActionError(f"the timestamp is {-age} s in the future")
    if age > WINDOW_S:
        raise ActionError(f"the timestamp is {age} s old, the venue takes {WINDOW_S}")
    if WINDOW_S - age > lifetime_s + 1:
        raise ActionError(f"the action could run for {WINDOW_S - age} s, {lifetime_s} allowed")


def check_session_action(action: SessionAction) -> None:
    """Refuse kinds outside invariant I14 and orders without the price or size they need."""
    if isinstance(action, Atomic):
        _check_batch(action.parts)
    elif isinstance(action, PlaceOrder):
        _check_place(action)
    elif isinstance(action, AddTrigger | RemoveTrigger):
        if action.trigger_ticks is not None and action.trigger_ticks <= 0:
            raise ActionError("a trigger needs a price")
    elif not isinstance(action, CancelById | CancelByClientId):
        raise ActionError(f"a session key does not sign {type(action).__name__}")


def _check_place(order: PlaceOrder) -> bool:
    """Refuse an order without what it needs; tells whether it rests."""
    lots = order.lots
    if lots <= 0:
        raise ActionError("an order needs a size")
    if order.quote_units:
        raise ActionError("quote sizes are not signed: their meaning depends on the schema")
    if order.mode in _IMMEDIATE:
        return False
    if order.ticks <= 0:
        raise ActionError("a resting order needs a price")
    if lots > MOST_RESTING_LOTS:
        raise ActionError(f"{lots} lots cannot rest, {MOST_RESTING_LOTS} allowed")
    return True


def _check_batch(parts: tuple[PlaceOrder | CancelById, ...]) -> None:
    # Per market: cancels, then what trades at once, then what rests (protocol 5.8). A cancel whose
    # market is not known has to come first.
    if len(parts) > MOST_PARTS:
        raise ActionError(f"a batch has at most {MOST_PARTS} parts, not {len(parts)}")
    reached: dict[int | None, int] = {}
    for part in parts:
        # Actions are final, and isinstance is slow to say no of a struct.
        if type(part) is CancelById:
            if reached and (part.market_id is None or part.market_id in reached):
                raise ActionError("a cancel follows an order of its market")
        elif type(part) is PlaceOrder:
            market_id = part.market_id
            step = 2 if _check_place(part) else 1
            if step < reached.get(market_id, 0):
                raise ActionError("an immediate order follows a resting one of its market")
            reached[market_id] = step
        else:
            raise ActionError(f"{type(part).__name__} is no part of a batch")
