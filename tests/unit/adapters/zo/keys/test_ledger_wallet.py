"""A hardware wallet over the TCP transport, played by a device that checks every byte."""

import socket
import threading
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

KEY = SigningKey(bytes([77]) * 32)
PUBKEY = bytes(KEY.verify_key)
NOW = EngineSeconds(1_795_363_800)
# 44'/501'/0'/0' as the Solana app is sent it: a count, then each step, hardened, big-endian.
PATH = bytes.fromhex("048000002c800001f58000000080000000")
OK, DECLINED = b"\x90\x00", b"\x69\x85"


class Device:
    """Answers commands as the Solana app does; `seen` are the messages it was asked to sign."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.chunks: list[int] = []
        self.key = KEY
        self.status = OK
        self._begun = b""

    def answer(self, command: bytes) -> bytes:
        cla, ins, p1, p2, size = command[:5]
        content = command[5:]
        assert (cla, size) == (0xE0, len(content))
        if self.status != OK:
            return self.status
        if ins == 0x05:
            assert (p1, p2, content) == (0, 0, PATH)
            return PUBKEY + OK
        assert (ins, p1) == (0x06, 1)
        self.chunks.append(p2)
        # The first part has no 'extend' flag, the last one no 'more'.
        assert bool(p2 & 1) == bool(self._begun)
        self._begun += content
        if p2 & 2:
            return OK
        signers, path, message = self._begun[:1], self._begun[1:18], self._begun[18:]
        assert (signers, path) == (b"\x01", PATH)
        self._begun = b""
        self.seen.append(message)
        return self.key.sign(message).signature + OK


@contextmanager
def wallet_on(answer: Callable[[bytes], bytes]) -> Iterator[LedgerWallet]:
    """Serve with the transport's framing, a length before each direction, one caller at a time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as commands:
                    while length := commands.read(4):
                        told = answer(commands.read(int.from_bytes(length)))
                        connection.sendall((len(told) - 2).to_bytes(4) + told)

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        try:
            yield ledger_wallet(LedgerParams(transport="tcp", port=port))
        finally:
            ended.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join(10)


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
