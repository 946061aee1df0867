"""Knobs that act on connections: closed, reset, half open, slow, refused, few."""

import asyncio
from collections.abc import Callable, Mapping
from socket import SO_LINGER, SOL_SOCKET
from struct import pack

from mmbot.exchange.faults.entries import ANYWHERE, Values, Where
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.running.sockets import Hub, Subscriber

_AT_ONCE = pack("ii", 1, 0)


class SocketFaults:
    """Applies what is set of the ws. and net. knobs to the connections there are and come."""

    def __init__(self, hub: Hub, faults: Faults, markets: Mapping[str, int]) -> None:
        self._hub = hub
        self._faults = faults
        self._markets = markets
        self._touched = False
        self._swallowed: list[tuple[str, asyncio.Future[None]]] = []

    def apply(self) -> None:
        """Close, silence and slow down whom it is due."""
        armed = self._faults.armed("ws.", "net.", "md.silence")
        if not (armed or self._touched):
            return
        self._touched = armed
        self._let_go()
        for fault in self._faults.deeds("ws.close"):
            for subscriber in self._covered(fault.covers):
                subscriber.close(fault.values["code"])
        for fault in self._faults.deeds("ws.rst"):
            for subscriber in self._covered(fault.covers):
                reset(subscriber.transport)
                subscriber.end()
        for subscriber in self._hub:
            self._state(subscriber)

    def _covered(self, covers: Callable[[Where], bool]) -> list[Subscriber]:
        return [each for each in self._hub if any(map(covers, self.about(each)))]

    def _state(self, subscriber: Subscriber) -> None:
        if self.cut("ws"):
            subscriber.abort()
        subscriber.deaf = self._holds("ws.half_open", subscriber) is not None or self.black("ws")
        slow = self._holds("ws.slow_reader", subscriber)
        subscriber.bytes_per_s = 0 if slow is None else slow["bytes_per_s"]

    def answers_pings(self, subscriber: Subscriber) -> bool:
        """Tell whether a connection's pings are answered."""
        silent = self._holds("md.silence", subscriber)
        return self._holds("ws.no_pong", subscriber) is None and (
            silent is None or bool(silent["keep_pong"])
        )

    def refusal(self, streams: tuple[str, ...]) -> int | None:
        """Return what a handshake gets: a status, 0 for a reset, None for the welcome."""
        at = Where(frozenset(("ws", *(stream.partition("@")[0] for stream in streams))))
        most = self._faults.holds("ws.max_conn", at)
        if self.cut("ws") or self._faults.fire("ws.refuse", at) is not None:
            return 0
        status = self._faults.fire("ws.handshake_status", at)
        if status is not None:
            return int(status["status"])
        return 503 if most is not None and len(self._hub) >= most["n"] else None

    def cut(self, part: str) -> bool:
        """Tell whether a part of the venue (rest, ws) cannot be reached."""
        values = self._faults.holds("net.partition", ANYWHERE)
        return values is not None and values["part"] in (part, "both")

    def black(self, part: str) -> bool:
        """Tell whether a part of the venue takes everything and says nothing."""
        values = self._faults.holds("net.blackhole", ANYWHERE)
        return values is not None and values["part"] in (part, "both")

    async def swallowed(self, part: str) -> None:
        """Wait until a part of the venue answers again."""
        if self.black(part):
            answers = asyncio.get_running_loop().create_future()
            self._swallowed.append((part, answers))
            await answers

    def _let_go(self) -> None:
        waiting, self._swallowed = self._swallowed, []
        for part, answers in waiting:
            if answers.done():
                continue
            if self.black(part):
                self._swallowed.append((part, answers))
            else:
                answers.set_result(None)

    def about(self, subscriber: Subscriber) -> list[Where]:
        """Return what a connection is about, one for each of its streams."""
        found = []
        for stream in subscriber.streams:
            kind, _, rest = stream.partition("@")
            market = self._markets.get(rest.partition(":")[0])
            account = int(rest) if kind == "account" else None
            found.append(Where(frozenset((kind, "ws")), market, account, None, "out"))
        return found or [ANYWHERE]

    def _holds(self, knob: str, subscriber: Subscriber) -> Values | None:
        if not self._faults.armed(knob):
            return None
        found = (self._faults.holds(knob, at) for at in self.about(subscriber))
        return next((values for values in found if values is not None), None)


def reset(transport: asyncio.Transport) -> None:
    """End a connection with a reset instead of a goodbye."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(SOL_SOCKET, SO_LINGER, _AT_ONCE)
    transport.abort()
