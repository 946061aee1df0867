"""Wire the streams of accounts to the lines they are recorded on.

A line is `{"receipt_ns":N,"message":M}` with the message as it came, or instead of the message
`"opened":true` or `"closed":"why"`; what happened between a close and the next open was not heard.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from mmbot.adapters.web.connection import Connection, ConnectionParams
from mmbot.adapters.zo.market_terms import Outside
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.streams import subscriptions
from mmbot.assemble.recording.books import DiskGuard, RecordedMarket
from mmbot.tape.daily_lines import DailyLines

FOLDER = "accounts"
# An account may be silent for days; the book that comes along shows that the connection lives.
SILENT_S = 120.0


class RecordedAccount(Struct, frozen=True):
    """What was recorded of one account."""

    account_id: int
    messages: int
    gaps: int
    size_bytes: int
    paths: tuple[Path, ...]


class _Account(Struct):
    account_id: int


class _Told(Struct):
    account: _Account | None = None


class _Tape:
    """The lines of one account."""

    def __init__(self, folder: Path, account_id: int) -> None:
        self.lines = DailyLines(folder, f"account-{account_id}")
        self.messages = 0

    def add(self, what: str, content: bytes, now_ns: int) -> None:
        self.lines.add(b'{"receipt_ns":%d,"%s":%s}' % (now_ns, what.encode(), content), now_ns)


class AccountRecording:
    """Records what is told of accounts until it is cancelled; one connection for all of them."""

    def __init__(
        self,
        streams: tuple[Origin, str],
        accounts: Sequence[int],
        folder: Path,
        outside: Outside,
        guard: DiskGuard,
    ) -> None:
        """`streams`: the place, and a market whose book shows life.

        ValueError: an id below 1, one given twice, or more than a connection may carry.
        """
        origin, symbol = streams
        names = [subscriptions.account(number) for number in accounts]
        url = subscriptions.stream_url(str(origin), [*names, subscriptions.deltas(symbol)])
        params = ConnectionParams(silent_s=SILENT_S)
        self.connection = Connection(url, self, params, outside.clock, outside.rng)
        self.gaps = 0
        self._guard = guard
        (folder / FOLDER).mkdir(exist_ok=True)
        self._tapes = {number: _Tape(folder / FOLDER, number) for number in accounts}

    async def run(self) -> None:
        """See Part."""
        try:
            await self.connection.run()
        finally:
            with self._guard.kept():
                for tape in self._tapes.values():
                    tape.lines.close()

    def flush(self) -> None:
        """See Part."""
        with self._guard.kept():
            for tape in self._tapes.values():
                tape.lines.flush()

    def markets(self) -> list[RecordedMarket]:
        """See Part: accounts are no markets."""
        return []

    def accounts(self) -> list[RecordedAccount]:
        """Say what was recorded so far."""
        return [
            RecordedAccount(
                number, tape.messages, self.gaps, tape.lines.size_bytes, tuple(tape.lines.paths)
            )
            for number, tape in self._tapes.items()
        ]

    def opened(self, now_ns: int) -> None:
        """See Listener."""
        self._mark("opened", b"true", now_ns)

    def closed(self, reason: str, now_ns: int) -> None:
        """See Listener."""
        self.gaps += 1
        self._mark("closed", msgspec.json.encode(reason), now_ns)

    def frame(self, frame: bytes, now_ns: int) -> None:
        """See Listener. Only JSON of an account is kept."""
        if frame.startswith(b'{"delta":'):
            return
        try:
            told = msgspec.json.decode(frame, type=_Told)
            msgspec.json.decode(frame)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise ValueError("expected a message of an account") from None
        tape = None if told.account is None else self._tapes.get(told.account.account_id)
        if tape is None:
            return
        tape.messages += 1
        with self._guard.kept():
            # A line break in JSON is only ever space between its parts.
            tape.add("message", frame.replace(b"\r", b" ").replace(b"\n", b" "), now_ns)

    def _mark(self, what: str, content: bytes, now_ns: int) -> None:
        with self._guard.kept():
            for tape in self._tapes.values():
                tape.add(what, content, now_ns)
