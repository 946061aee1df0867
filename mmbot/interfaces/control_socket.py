"""The control socket: the bot's side. Only the owner may connect, and nobody holds the loop up.

Requests are short, clients few; one that is slow or talks nonsense is hung up on.
"""

import asyncio
import os
import pwd
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path

import msgspec

from mmbot.domain.control import OperatorCommand, Role, Who
from mmbot.domain.events import Fill
from mmbot.errors import InUse, UsageError
from mmbot.interfaces.control_wire import MOST_BYTES, Ask, Reply, Request, encode, read_request
from mmbot.ports import Control, Told

MOST_CLIENTS = 16
MOST_FOLLOWED = 500
REQUEST_S = 60.0
WRITE_S = 5.0
_PROBE_S = 0.2
_PEER = struct.Struct("3i")
_FACE = "cli"


class ControlSocket:
    """A socket file that is ours; `run` serves it, `close` takes it away."""

    def __init__(self, path: Path) -> None:
        """InUse when another bot answers there, OSError when there can be no such socket."""
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        # Between bind and chmod nobody else may connect either.
        before = os.umask(0o177)
        try:
            self._socket.bind(str(path))
            self._socket.listen(MOST_CLIENTS)
        except OSError:
            self._socket.close()
            raise
        finally:
            os.umask(before)
        self._inode = path.stat().st_ino
        self._clients: set[asyncio.StreamWriter] = set()

    async def run(self, control: Control) -> None:
        """Serve until cancelled; another control may be served after that."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(control, reader, writer)

        # The server closes what it is given.
        listening = self._socket.dup()
        server = await asyncio.start_unix_server(serve, sock=listening, limit=MOST_BYTES)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            for writer in tuple(self._clients):
                writer.close()

    def close(self) -> None:
        """Take the file away, unless somebody else's is there by now."""
        self._socket.close()
        with suppress(OSError):
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()

    async def _serve(
        self, control: Control, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            if len(self._clients) >= MOST_CLIENTS:
                await _send(writer, Reply(error="too many clients"))
                return
            self._clients.add(writer)
            who = _peer(writer)
            while line := await asyncio.wait_for(reader.readline(), REQUEST_S):
                await _answer(control, who, line, writer)
        except (ValueError, TimeoutError, OSError):
            # Too long a line, a silent client, one that reads nothing or has gone.
            pass
        finally:
            self._clients.discard(writer)
            writer.close()


async def _answer(control: Control, who: Who, line: bytes, writer: asyncio.StreamWriter) -> None:
    try:
        request = read_request(line)
    except UsageError as error:
        await _send(writer, Reply(error=str(error)))
        return
    if request.ask is Ask.FOLLOW:
        await _follow(control, writer)
    else:
        await _send(writer, await _reply(control, who, request))


async def _reply(control: Control, who: Who, request: Request) -> Reply:
    if request.ask is Ask.STATUS:
        return Reply(status=control.status())
    if request.ask is Ask.EXPLAIN:
        return Reply(explained=control.explain(request.market))
    wish = request.wish
    if wish is None:
        return Reply(error="submit needs a wish")
    command = OperatorCommand(who=who, **msgspec.structs.asdict(wish))
    return Reply(answer=await control.submit(command))


async def _follow(control: Control, writer: asyncio.StreamWriter) -> None:
    subscription = control.subscribe(MOST_FOLLOWED)
    try:
        while True:
            told = await subscription.next()
            await _send(writer, _told(told, subscription.dropped))
    finally:
        subscription.close()


def _told(told: Told, dropped: int) -> Reply:
    if type(told) is Fill:
        return Reply(fill=told, dropped=dropped)
    return Reply(notice=told, dropped=dropped)  # type: ignore[arg-type]


async def _send(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(encode(reply))
    await asyncio.wait_for(writer.drain(), WRITE_S)


def _peer(writer: asyncio.StreamWriter) -> Who:
    """Who is at the other end, by the kernel's word and not by theirs."""
    found = writer.get_extra_info("socket")
    raw = found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    _, uid, _ = _PEER.unpack(raw)
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid{uid}"
    return Who(_FACE, name, Role.ADMIN)


def _clear(path: Path) -> None:
    """Remove what a bot that died has left; InUse when one lives."""
    if not path.exists() and not path.is_symlink():
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise FileExistsError(f"{path} is there and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except TimeoutError:
            pass
    raise InUse(f"another bot of this instance runs: it answers at {path}")
