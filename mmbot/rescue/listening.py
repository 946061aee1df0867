"""The Unix socket where a bot says that it is alive: open to this user alone.

Whoever said a beat last is the bot; others may come and go without meaning anything.
"""

import os
import selectors
import socket
from pathlib import Path

from mmbot.errors import UsageError
from mmbot.rescue.watch import Beat, read_beat

MOST_LINE_BYTES = 4096
MOST_PEERS = 8
# Paths of Unix sockets stop at 107 bytes on Linux.
MOST_PATH_BYTES = 107


class AlreadyGuarded(UsageError):  # noqa: N818 - it says what is the case
    """Another guard listens there."""

    exit_code = 7


class Ear:
    """Listens for the bot."""

    def __init__(self, path: Path) -> None:
        """Listen at a path; AlreadyGuarded when somebody does, UsageError when it cannot be."""
        self._path = path
        self._selector = selectors.DefaultSelector()
        self._listener = _listener(path)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._rests: dict[socket.socket, bytes] = {}
        self._bot: socket.socket | None = None

    def hear(self, within_s: float) -> tuple[list[Beat], bool]:
        """Wait for words; returns them, and whether the bot's connection is lost after them."""
        heard: list[Beat] = []
        lost = False
        for key, _ in self._selector.select(within_s):
            if key.fileobj is self._listener:
                self._welcome()
                continue
            peer = next(each for each in self._rests if each is key.fileobj)
            part = _received(peer)
            beats = self._beats(peer, part)
            if beats:
                heard += beats
                self._bot = peer
                lost = False
            if part == b"":
                lost = lost or peer is self._bot
                self._hang_up(peer)
        return heard, lost

    def close(self) -> None:
        """Listen no more."""
        for peer in list(self._rests):
            self._hang_up(peer)
        self._selector.close()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _welcome(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:
            return
        if len(self._rests) >= MOST_PEERS:
            peer.close()
            return
        peer.setblocking(False)
        self._rests[peer] = b""
        self._selector.register(peer, selectors.EVENT_READ)

    def _beats(self, peer: socket.socket, part: bytes) -> list[Beat]:
        *lines, rest = (self._rests[peer] + part).split(b"\n")
        self._rests[peer] = rest[-MOST_LINE_BYTES:]
        found = (read_beat(line) for line in lines)
        return [beat for beat in found if beat is not None]

    def _hang_up(self, peer: socket.socket) -> None:
        self._selector.unregister(peer)
        peer.close()
        del self._rests[peer]
        if peer is self._bot:
            self._bot = None


def _received(peer: socket.socket) -> bytes:
    try:
        return peer.recv(65_536)
    except OSError:
        return b""


def _listener(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > MOST_PATH_BYTES:
        raise UsageError(f"{path}: a socket's path has at most {MOST_PATH_BYTES} bytes")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path.parent}: {error.strerror}") from None
    if path.is_socket():
        _check_forsaken(path)
        path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(os.fspath(path))
        listener.listen(4)
    except OSError as error:
        listener.close()
        raise UsageError(f"{path}: {error.strerror}") from None
    finally:
        os.umask(before)
    listener.setblocking(False)
    return listener


def _check_forsaken(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or 'no answer'}") from None
    raise AlreadyGuarded(f"{path}: another guard listens here already")
