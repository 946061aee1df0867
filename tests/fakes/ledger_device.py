"""A Ledger device with the Solana app, over the TCP transport; it checks every byte it is sent."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nacl.signing import SigningKey

KEY = SigningKey(bytes([77]) * 32)
PUBKEY = bytes(KEY.verify_key)
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
def plugged_in(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """Serve with the transport's framing, a length before each direction; yields the port."""
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
            yield port
        finally:
            ended.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join(10)
