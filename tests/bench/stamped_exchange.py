"""An exchange that notes when deltas leave, actions come and are done: `... MARKETS MOVES_PER_S`.

Its markets go up and down by a step, one after another, so that every change of a book is known to
be worth new quotes. Ends with its input, and then prints what it noted.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from itertools import cycle
from typing import Any

import msgspec
import uvloop

from mmbot.assemble.exchange import NO_FLOW, ExchangeOptions, open_exchange
from mmbot.exchange.faults import AnswerFaults, EngineFaults, SocketFaults
from mmbot.exchange.faults.streams import Outgoing
from mmbot.exchange.params import ExchangeParams, MarketParams, RuleParams
from mmbot.exchange.running.operation import Operation
from mmbot.exchange.running.sockets import Hub
from mmbot.exchange.serving.floor import Floor
from mmbot.exchange.serving.reference import Reference
from mmbot.exchange.serving.server import ExchangeServer, ServerOptions
from tests.bench.live_moves import moves
from tests.bench.live_notes import ACTION, Noted, symbol

FUND_USD = 10_000_000


class StampedHub(Hub):
    """Notes when deltas are written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[int, bytes]] = []
        self._told: list[bytes] = []

    def publish(self, stream: str, data: bytes) -> None:
        """See Hub."""
        if stream.startswith("deltas@") and stream in self:
            self._told.append(data)
        super().publish(stream, data)

    def flush(self) -> None:
        """See Hub."""
        if self._told:
            now_ns = time.monotonic_ns()
            self.written += [(now_ns, data) for data in self._told]
            self._told.clear()
        super().flush()


class StampedFloor(Floor):
    """Notes when actions are acted on."""

    acted: list[tuple[int, bytes]] = []  # noqa: RUF012 - one floor a process

    def act(self, body: bytes) -> bytes:
        """See Floor."""
        self.acted.append((time.monotonic_ns(), body))
        return super().act(body)


class StampedLoop(uvloop.Loop):
    """Notes when actions come: the bytes are there, and no server has looked at them yet."""

    came: list[tuple[int, bytes]] = []  # noqa: RUF012 - one loop a process

    async def create_server(
        self, protocol_factory: Callable[[], Any], *args: Any, **options: Any
    ) -> Any:
        """See the loop."""

        def stamped() -> Any:
            protocol = protocol_factory()
            protocol.__class__ = _listening(type(protocol))
            return protocol

        return await super().create_server(stamped, *args, **options)


def _listening(server: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """A connection of that server that notes when actions come."""

    def data_received(self: asyncio.Protocol, data: bytes) -> None:
        if data.startswith(ACTION):
            StampedLoop.came.append((time.monotonic_ns(), data))
        server.data_received(self, data)

    return type("Listening", (server,), {"__slots__": (), "data_received": data_received})


def _floor(markets: int) -> tuple[StampedFloor, StampedHub]:
    listed = tuple(
        MarketParams(symbol=symbol(at), price_decimals=1, size_decimals=5, start_price=60_000)
        for at in range(markets)
    )
    rules = RuleParams(max_open_orders=10_000)
    params = ExchangeParams(markets=listed, auto_fund_usd=FUND_USD, rules=rules)
    plain = open_exchange(ExchangeOptions(params=params, flow=NO_FLOW)).floor
    hub, operation = StampedHub(), plain.operation
    exchange, faults, pace = operation.exchange, plain.faults, operation.pace
    places = {market.symbol: place for place, market in enumerate(listed)}
    floor = StampedFloor(
        operation=operation,
        hub=hub,
        faults=faults,
        outgoing=Outgoing(exchange, hub, faults, pace),
        reference=Reference(exchange, operation.background, hub, faults, pace),
        answers=AnswerFaults(exchange, faults, pace),
        engine_faults=EngineFaults(operation, faults),
        socket_faults=SocketFaults(hub, faults, places),
        pongs=True,
    )
    return floor, hub


async def _move(floor: Floor, operation: Operation, markets: int, per_s: float) -> None:
    """Move one market after another, so many of them a second."""
    books = [moves() for _ in range(markets)]
    for market in range(markets):
        operation.rows(market, next(books[market]))
    floor.publish()
    loop = asyncio.get_running_loop()
    due = loop.time()
    for market in cycle(range(markets)):
        due += 1 / per_s
        await asyncio.sleep(max(0.0, due - loop.time()))
        operation.rows(market, next(books[market]))
        floor.publish()


async def _serve(markets: int, per_s: float) -> None:
    floor, hub = _floor(markets)
    server = ExchangeServer(floor, ServerOptions(control=True))
    address = await server.start("127.0.0.1", 0)
    sys.stdout.buffer.write(msgspec.json.encode(address.urls()) + b"\n")
    sys.stdout.flush()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 64):
            over.set()

    loop.add_reader(sys.stdin.fileno(), read)
    mover = asyncio.create_task(_move(floor, floor.operation, markets, per_s))
    await over.wait()
    mover.cancel()
    loop.remove_reader(sys.stdin.fileno())
    noted = Noted.of(hub.written, StampedLoop.came, floor.acted)
    sys.stdout.buffer.write(msgspec.json.encode(noted) + b"\n")
    sys.stdout.flush()
    await server.stop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=StampedLoop) as runner:
        runner.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
