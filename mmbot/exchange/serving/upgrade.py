"""From an HTTP request to a WebSocket: the handshake, and the connection's life in the hub."""

import binascii
from base64 import b64decode
from collections.abc import Iterable
from typing import cast

from aiohttp import web
from aiohttp.http import WebSocketReader

from mmbot.exchange.faults.actions import LostError
from mmbot.exchange.faults.entries import Values
from mmbot.exchange.running.framing import Inbound, accept_key, frame
from mmbot.exchange.running.pacing import MILLISECOND_NS
from mmbot.exchange.running.sockets import Subscriber, pong
from mmbot.exchange.serving.floor import Floor

_KEY_BYTES = 16


class Upgrade:
    """Turns requests into subscribers of the floor's hub."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def serve(self, request: web.BaseRequest, streams: tuple[str, ...]) -> web.StreamResponse:
        """Shake hands and stay until the connection is over."""
        key = request.headers.get("Sec-WebSocket-Key", "")
        wrong = _misses(request, key)
        if wrong is not None:
            return web.Response(status=400, text=f"{wrong}\n")
        refused = await self._refusal(streams)
        if refused is not None:
            return refused
        transport = request.transport
        if transport is None:
            raise LostError("gone before the handshake")
        response = web.StreamResponse(status=101, headers=_headers(key))
        response.force_close()
        await response.prepare(request)
        subscriber = Subscriber(transport, streams)
        self._listen(request, subscriber)
        self._welcome(subscriber)
        try:
            await subscriber.gone
        finally:
            self._floor.hub.leave(subscriber)
        return response

    async def _refusal(self, streams: tuple[str, ...]) -> web.Response | None:
        """Return what a handshake gets instead of a welcome; LostError for a reset."""
        faults = self._floor.socket_faults
        status = faults.refusal(streams)
        if status == 0:
            raise LostError("ws.refuse")
        if status is not None:
            return web.Response(status=status, text="not now\n")
        await faults.swallowed("ws")
        return None

    def _listen(self, request: web.BaseRequest, subscriber: Subscriber) -> None:
        def ping(payload: bytes) -> None:
            if self._floor.pongs and self._floor.socket_faults.answers_pings(subscriber):
                pong(subscriber, payload)

        def ended(code: int | None) -> None:
            if code is None:
                subscriber.end()
            else:
                subscriber.close(code)

        request.protocol.keep_alive(False)
        request.protocol.set_parser(cast(WebSocketReader, Inbound(ping, ended)))

    def _welcome(self, subscriber: Subscriber) -> None:
        """Let the connection have its streams, now or, for an account's, after the gap set."""
        faults, hub = self._floor.faults, self._floor.hub
        own = [each for each in subscriber.streams if each.startswith("account@")]
        gap = replayed = None
        if own and faults.armed("acct."):
            about = self._floor.socket_faults.about(subscriber)
            gap = _first(faults.holds("acct.gap_on_subscribe", at) for at in about)
            replayed = _first(faults.holds("acct.replay", at) for at in about)
        if gap is not None:
            wanted = subscriber.streams
            subscriber.streams = tuple(each for each in wanted if each not in own)
            self._floor.operation.pace.later(
                gap["ms"] * MILLISECOND_NS, lambda: self._widen(subscriber, wanted)
            )
        hub.join(subscriber)
        if replayed is not None:
            for stream in own:
                for payload in self._floor.outgoing.recent(stream, replayed["n"]):
                    subscriber.send(frame(payload))
        self._floor.reference.welcome(subscriber)

    def _widen(self, subscriber: Subscriber, streams: tuple[str, ...]) -> None:
        if not subscriber.gone.done():
            self._floor.hub.leave(subscriber)
            subscriber.streams = streams
            self._floor.hub.join(subscriber)


def _first(found: Iterable[Values | None]) -> Values | None:
    return next((values for values in found if values is not None), None)


def _misses(request: web.BaseRequest, key: str) -> str | None:
    """Return what a request lacks to be a WebSocket's."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        return "this path is a WebSocket's"
    if request.headers.get("Sec-WebSocket-Version") != "13":
        return "Sec-WebSocket-Version must be 13"
    try:
        good = len(b64decode(key, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        good = False
    return None if good else "Sec-WebSocket-Key must be 16 bytes in base64"


def _headers(key: str) -> dict[str, str]:
    return {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": accept_key(key),
    }
