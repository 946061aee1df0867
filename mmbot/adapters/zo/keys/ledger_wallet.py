"""A Ledger device as the wallet: it signs a new session, and a person confirms it there.

The commands are those of the device's Solana app. It signs Solana messages only, so a session is
framed as one, and what else a wallet signs at 01 it cannot.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple, Protocol

from mmbot.adapters.zo.wire.actions import (
    CreateSession,
    Envelope,
    Framing,
    WalletAction,
    encode,
)
from mmbot.adapters.zo.wire.signing import (
    PUBKEY_BYTES,
    WINDOW_S,
    Scheme,
    check_new_session,
    check_times,
    signed_bytes,
    verify,
)
from mmbot.errors import ActionError, SecretError
from mmbot.secrets.params import LedgerParams

CLASS = 0xE0
GET_PUBKEY, SIGN_MESSAGE = 0x05, 0x06
SILENT, CONFIRM = 0x00, 0x01
EXTEND, MORE = 0x01, 0x02
CHUNK_BYTES = 255
DONE = 0x9000
_HARDENED = 1 << 31
_TROUBLES = {
    0x0000: "it is gone",
    0x6985: "it was declined on the device",
    0x6808: "blind signing is off in the device's Solana app",
    0x6D00: "the Solana app is not open on the device",
    0x6E00: "the Solana app is not open on the device",
    0x6E01: "the Solana app is not open on the device",
    0x5515: "the device is locked",
    0x6B0C: "the device is locked",
}


class Line(Protocol):
    """The way to a device, as ledgercomm offers it."""

    def exchange(self, cla: int, ins: int, p1: int, p2: int, *, cdata: bytes) -> tuple[int, bytes]:
        """Send a command; returns its status and the answer."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Command(NamedTuple):
    """What the device is sent, without the class."""

    kind: int
    confirm: int
    flags: int
    content: bytes


class LedgerWallet:
    """See Wallet. `connect` opens the way to the device, for as long as one question takes."""

    framing: Framing | None = Framing.SOLANA_TRANSACTION

    def __init__(self, connect: Callable[[], Line], derivation_path: str) -> None:
        self._connect = connect
        self._path = _path_bytes(derivation_path)
        self.pubkey = self._asked([Command(GET_PUBKEY, SILENT, 0, self._path)])
        if len(self.pubkey) != PUBKEY_BYTES:
            raise SecretError("the hardware wallet answered no public key")

    def sign(self, action: WalletAction, timestamp_s: int, nonce: int, now_s: int) -> bytes:
        """Have a person confirm it on the device; SecretError when it is not signed there."""
        if not isinstance(action, CreateSession):
            raise ActionError("a hardware wallet signs new sessions only; others end by themselves")
        check_times(timestamp_s, now_s, WINDOW_S)
        check_new_session(action, self.pubkey, now_s)
        raw = encode(action, Envelope(timestamp_s, nonce))
        signature = self.signature(signed_bytes(Scheme.SOLANA, raw, self.pubkey))
        if not verify(Scheme.SOLANA, self.pubkey, raw, signature):
            raise SecretError("the hardware wallet's signature is not that of its key")
        return raw + signature

    def signature(self, message: bytes) -> bytes:
        """Have a Solana message signed on the device, in parts of what a command may carry."""
        content = b"\x01" + self._path + message
        parts = [content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES)]
        last = len(parts) - 1
        commands = [
            Command(SIGN_MESSAGE, CONFIRM, EXTEND * (number > 0) | MORE * (number < last), part)
            for number, part in enumerate(parts)
        ]
        return self._asked(commands)

    def _asked(self, commands: Sequence[Command]) -> bytes:
        """Send commands one after another; returns the answer to the last."""
        answer = b""
        with closing(self._connect()) as line:
            for each in commands:
                try:
                    status, answer = line.exchange(
                        CLASS, each.kind, each.confirm, each.flags, cdata=each.content
                    )
                except OSError as error:
                    raise SecretError(f"hardware wallet: it is gone ({error})") from None
                if status != DONE:
                    why = _TROUBLES.get(status, "it says no")
                    raise SecretError(f"hardware wallet: {why} ({status:#06x})")
        return answer


def ledger_wallet(params: LedgerParams) -> LedgerWallet:
    """Return the device's wallet; SecretError when there is no device, or none that is ready."""
    if find_spec("ledgercomm") is None:
        raise SecretError('a hardware wallet needs: pip install "mmbot[ledger]"')
    return LedgerWallet(partial(_connected, params), params.derivation_path)


def _connected(params: LedgerParams) -> Line:
    from ledgercomm import Transport
    from ledgercomm.interfaces.hid_device import CannotFindDeviceError, HIDAPINotInstalledError

    try:
        line: Line = Transport(interface=params.transport, server="127.0.0.1", port=params.port)
    except (OSError, CannotFindDeviceError, HIDAPINotInstalledError) as error:
        raise SecretError(f"no hardware wallet by {params.transport}: {error}") from None
    return line


def _path_bytes(text: str) -> bytes:
    steps = [int(step.removesuffix("'")) | _HARDENED for step in text.split("/")]
    return bytes([len(steps)]) + b"".join(step.to_bytes(4) for step in steps)
