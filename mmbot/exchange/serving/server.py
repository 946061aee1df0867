"""The exchange on the network: one port, a clock that turns, and an orderly end."""

import asyncio
import os
from dataclasses import dataclass, field
from typing import NamedTuple

from mmbot.errors import MmbotError
from mmbot.exchange.running.pacing import TICK_NS
from mmbot.exchange.serving.connections import Connections, Patience
from mmbot.exchange.serving.control import Control
from mmbot.exchange.serving.floor import Floor
from mmbot.exchange.serving.frontdoor import Frontdoor

GOING_AWAY = 1001
STOP_S = 1.0
BACKLOG = 1024


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as a URL has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def urls(self) -> dict[str, str]:
        """Return the base URLs of REST, streams and reference."""
        streams = f"ws://{self.authority}"
        return {
            "http": f"http://{self.authority}",
            "ws": streams,
            "reference": f"{streams}/reference",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How a floor is served: `control` opens /_ctl/, time passes every `tick_ns`."""

    control: bool = False
    tick_ns: int = TICK_NS
    patience: Patience = field(default_factory=Patience)


class ExchangeServer:
    """Serves a floor from `start` to `stop`; `broken` is done when the engine broke."""

    def __init__(self, floor: Floor, options: ServerOptions) -> None:
        self.floor = floor
        self._tick_s = options.tick_ns / 1e9
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        control = Control(floor) if options.control else None
        frontdoor = Frontdoor(floor, control, options.patience, self._break)
        self.connections = Connections(frontdoor.answer, options.patience)
        self._listening: asyncio.Server | None = None
        self._clock: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> Address:
        """Listen and let time pass; MmbotError when the address cannot be had."""
        self.floor.turn()
        loop = asyncio.get_running_loop()
        try:
            self._listening = await loop.create_server(
                self.connections, host, port, backlog=BACKLOG
            )
        except OSError as error:
            # uvloop's own words repeat the address.
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            raise MmbotError(f"cannot listen on {host} port {port}: {reason}") from error
        if not self.floor.operation.pace.stepped:
            self._clock = asyncio.create_task(self._pass_time(), name="exchange clock")
            self._clock.add_done_callback(self._clock_stopped)
        bound = self._listening.sockets[0].getsockname()
        return Address(bound[0], bound[1])

    async def stop(self) -> None:
        """End every connection, save, and be gone."""
        if self._clock is not None:
            self._clock.cancel()
        if self._listening is not None:
            self._listening.close()
        for subscriber in self.floor.hub:
            subscriber.close(GOING_AWAY)
        self.connections.pre_shutdown()
        await self.connections.shutdown(STOP_S)
        self.floor.operation.close()

    async def _pass_time(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            self.floor.turn()

    def _clock_stopped(self, clock: asyncio.Task[None]) -> None:
        if not clock.cancelled() and (error := clock.exception()) is not None:
            self._break(error)

    def _break(self, error: BaseException) -> None:
        if not self.broken.done():
            self.broken.set_exception(error)
