"""The control socket: the command line's side. It waits, so it is not for a loop."""

import socket
from collections.abc import Iterator
from pathlib import Path

from mmbot.errors import NotRunning, UsageError
from mmbot.interfaces.control_wire import Reply, Request, encode, read_reply

CONNECT_S = 2.0
# The longest command waits for a position to be given back.
REPLY_S = 150.0
MOST_REPLY_BYTES = 16 * 1024 * 1024


class ControlClient:
    """A connection to a running bot; use it in a `with`."""

    def __init__(self, path: Path) -> None:
        """NotRunning when nobody answers there."""
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(CONNECT_S)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            why = error.strerror or str(error)
            raise NotRunning(f"no bot answers at {path}: {why.lower()}") from None
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(self, *problem: object) -> None:
        self._file.close()
        self._socket.close()

    def ask(self, request: Request, within_s: float = REPLY_S) -> Reply:
        """Ask, and wait for the reply; NotRunning when the bot goes, UsageError when it says no."""
        self._socket.settimeout(within_s)
        try:
            self._socket.sendall(encode(request))
            return self._read()
        except TimeoutError:
            raise NotRunning(f"the bot at {self._path} does not answer") from None
        except OSError as error:
            raise NotRunning(f"the bot at {self._path} has gone: {error}") from None

    def follow(self, request: Request) -> Iterator[Reply]:
        """Yield what comes until the bot ends."""
        self._socket.settimeout(None)
        self._socket.sendall(encode(request))
        while True:
            try:
                yield self._read()
            except NotRunning:
                return

    def _read(self) -> Reply:
        line = self._file.readline(MOST_REPLY_BYTES)
        if not line.endswith(b"\n"):
            raise NotRunning(f"the bot at {self._path} has gone")
        reply = read_reply(line)
        if reply.error is not None:
            raise UsageError(reply.error)
        return reply
