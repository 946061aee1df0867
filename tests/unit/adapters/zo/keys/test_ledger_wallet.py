"""A hardware wallet over the TCP transport, played by a device that checks every byte."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from nacl.signing import SigningKey

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.ledger_wallet import LedgerWallet, ledger_wallet
from mmbot.adapters.zo.keys.session import session_request
from mmbot.adapters.zo.wire.actions import CreateSession, RevokeSession
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.errors import ActionError, SecretError
from mmbot.secrets.params import LedgerParams
from tests.fakes.ledger_device import DECLINED, KEY, OK, PUBKEY, Device, plugged_in

NOW = EngineSeconds(1_795_363_800)


@contextmanager
def wallet_on(answer: Callable[[bytes], bytes]) -> Iterator[LedgerWallet]:
    with plugged_in(answer) as port:
        yield ledger_wallet(LedgerParams(transport="tcp", port=port))


def test_a_session_that_the_device_has_signed() -> None:
    device = Device()
    with wallet_on(device.answer) as wallet:
        assert wallet.pubkey == PUBKEY
        request = session_request(wallet, NOW, 3600)
    payload, signature = request.body[:-64], request.body[-64:]
    (message,) = device.seen
    # A legacy Solana message: one signer, who is also the program; no recent block; one instruction
    # without accounts that carries the action.
    size = len(payload)
    written = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    head = b"\x01\x00\x00" + b"\x01" + PUBKEY + bytes(32)
    assert message == head + b"\x01" + b"\x00\x00" + written + payload
    KEY.verify_key.verify(message, signature)
    # Longer than a command may be, so it came in parts.
    assert len(message) + 18 <= 255 * len(device.chunks)
    action = pb.Action()
    prefix = 2 if payload[0] & 128 else 1
    action.ParseFromString(payload[prefix:])
    assert action.create_session.user_pubkey == PUBKEY
    assert action.create_session.signature_framing == pb.SOLANA_TRANSACTION
    assert action.create_session.expiry_timestamp == NOW + 3600


def test_a_long_message_goes_in_parts() -> None:
    device = Device()
    with wallet_on(device.answer) as wallet:
        message = bytes(600)
        signature = wallet.signature(message)
    assert device.seen == [message]
    assert device.chunks == [2, 3, 1]
    KEY.verify_key.verify(message, signature)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (DECLINED, "declined on the device"),
        (b"\x6e\x00", "Solana app is not open"),
        (b"\x55\x15", "locked"),
        (b"\x68\x08", "blind signing is off"),
        (b"\x6f\x42", "0x6f42"),
    ],
)
def test_what_the_device_refuses(status: bytes, words: str) -> None:
    device = Device()
    with wallet_on(device.answer) as wallet:
        device.status = status
        with pytest.raises(SecretError, match=words):
            session_request(wallet, NOW, 3600)


def test_a_device_with_another_key_or_without_sense() -> None:
    device = Device()
    with wallet_on(device.answer) as wallet:
        device.key = SigningKey(bytes([78]) * 32)
        with pytest.raises(SecretError, match="not that of its key"):
            session_request(wallet, NOW, 3600)
    with pytest.raises(SecretError, match="no public key"), wallet_on(lambda _: b"abc" + OK):
        pass


# The library leaves the socket that found nobody to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_device() -> None:
    with pytest.raises(SecretError, match="no hardware wallet by tcp"):
        ledger_wallet(LedgerParams(transport="tcp", port=9))


def test_it_signs_nothing_else() -> None:
    device = Device()
    with wallet_on(device.answer) as wallet:
        with pytest.raises(ActionError, match="new sessions only"):
            wallet.sign(RevokeSession(5), NOW, 1, NOW)
        with pytest.raises(ActionError, match="in the future"):
            wallet.sign(wallet_action(wallet), NOW + 5, 1, NOW)
        with pytest.raises(ActionError, match="another wallet"):
            wallet.sign(wallet_action(wallet, bytes(32)), NOW, 1, NOW)
    assert device.seen == []


def wallet_action(wallet: LedgerWallet, pubkey: bytes | None = None) -> CreateSession:
    return CreateSession(pubkey or wallet.pubkey, bytes(32), NOW + 60, wallet.framing)
