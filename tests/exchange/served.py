"""A server on a port of its own with time that stands still, and a trader to talk to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from nacl.signing import SigningKey

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.model import Order
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.running.journal import Journal
from mmbot.exchange.running.operation import Background, Operation
from mmbot.exchange.running.pacing import SteppedPace
from mmbot.exchange.serving.connections import Patience
from mmbot.exchange.serving.opening import open_floor
from mmbot.exchange.serving.server import Address, ExchangeServer, ServerOptions

START_S = 1_800_000_000
FIRST_ACCOUNT = 1
LOT_PRICE = 600_000
Json = Any


@dataclass(frozen=True)
class Setup:
    """What differs from test to test; everything else is as shipped, with money for everyone."""

    control: bool = True
    pongs: bool = True
    patience: Patience = field(default_factory=Patience)
    state: Path | None = None
    background: Callable[[Exchange], Background] | None = None


class Served:
    """The server under test and a session of HTTP connections to it."""

    def __init__(self, server: ExchangeServer, address: Address, http: aiohttp.ClientSession):
        self.server = server
        self.address = address
        self.http = http
        self.url = f"http://{address.authority}"
        self.ws = f"ws://{address.authority}"
        self.exchange = server.floor.operation.exchange

    async def get(self, path: str) -> Json:
        """GET a path that must be answered with 200."""
        async with self.http.get(self.url + path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json(content_type=None)

    async def post(self, path: str, body: Json) -> Json:
        """POST JSON that must be answered with 200."""
        async with self.http.post(self.url + path, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def set(self, *faults: Json) -> None:
        """Set faults in the place of those that are set."""
        await self.post("/_ctl/faults", {"clear": True, "set": list(faults)})

    async def step(self, ms: int) -> None:
        """Let engine time pass."""
        await self.post("/_ctl/step", {"ms": ms})

    @asynccontextmanager
    async def listening(self, *streams: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket to streams."""
        url = f"{self.ws}/ws/{'&'.join(streams)}"
        async with self.http.ws_connect(url, autoping=False, max_msg_size=0) as socket:
            yield socket


@asynccontextmanager
async def served(setup: Setup | None = None) -> AsyncIterator[Served]:
    """Serve an exchange until the block ends."""
    setup = setup or Setup()
    exchange = Exchange(ExchangeParams(auto_fund_usd=10_000), START_S * 10**9)
    journal = None if setup.state is None else Journal(setup.state, exchange.dump())
    background = None if setup.background is None else setup.background(exchange)
    operation = Operation(exchange, SteppedPace(START_S * 10**9), background, journal)
    symbols = {market.symbol: place for place, market in enumerate(exchange.params.markets)}
    faults = Faults(7, lambda: operation.pace.now_ns, symbols)
    floor = open_floor(operation, faults, setup.pongs)
    options = ServerOptions(control=setup.control, patience=setup.patience)
    server = ExchangeServer(floor, options)
    address = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as http:
        try:
            yield Served(server, address, http)
            assert exchange.violations() == []
            assert not server.broken.done()
        finally:
            await http.close()
            await server.stop()


async def until(holds: Callable[[], bool]) -> None:
    """Wait, not for long, until something holds."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came to hold")


def error_of(receipt: pb.Receipt) -> int | None:
    """Return the error number of a receipt, None of a good one."""
    return receipt.err if receipt.WhichOneof("kind") == "err" else None


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run a test's coroutine as the exchange runs: under uvloop."""

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bounded())


class Trader:
    """A wallet with one session, signing with the library and not with the product's signer."""

    def __init__(self, served: Served, seed: int = 1) -> None:
        self._served = served
        self._wallet = SigningKey(bytes([seed] * 32))
        self._key = SigningKey(bytes([seed + 100] * 32))
        self._nonces = count(1)
        self.account = 0
        self.session = 0
        self.behind_s = 0

    async def open(self) -> "Trader":
        """Get an account with money and a session."""
        pubkey = bytes(self._wallet.verify_key)
        user = await self._served.get(f"/user/{base58.encode(pubkey)}")
        self.account = user["accountIds"][0]
        self.session = await self.log_in()
        return self

    async def log_in(self) -> int:
        """Open one more session; its id."""
        create = pb.CreateSession(
            user_pubkey=bytes(self._wallet.verify_key),
            session_pubkey=bytes(self._key.verify_key),
            expiry_timestamp=START_S + 86_400,
        )
        body = self._by_wallet(pb.Action(create_session=create))
        return (await self.send(body)).create_session_result.session_id

    def revoke(self) -> bytes:
        """Return the body that ends the session."""
        return self._by_wallet(pb.Action(revoke_session=pb.RevokeSession(session_id=self.session)))

    def _by_wallet(self, action: pb.Action) -> bytes:
        raw = self._raw(action)
        return raw + self._wallet.sign(raw.hex().encode()).signature

    def _raw(self, action: pb.Action) -> bytes:
        action.current_timestamp = self._served.exchange.state.now_s - self.behind_s
        action.nonce = next(self._nonces)
        payload = action.SerializeToString()
        size = len(payload)
        prefix = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
        return prefix + payload

    def signed(self, action: pb.Action) -> bytes:
        """Return the body of an action."""
        raw = self._raw(action)
        return raw + self._key.sign(raw).signature

    def place(self, price: int = LOT_PRICE, size: int = 10, **more: Any) -> bytes:
        """Return the body of a bid of BTCUSD, unless said otherwise; raw integers."""
        fields = {"side": pb.BID, "fill_mode": pb.LIMIT, **more}
        order = pb.PlaceOrder(session_id=self.session, price=price, size=size, **fields)
        return self.signed(pb.Action(place_order=order))

    def atomic(self, *prices: int) -> bytes:
        """Return the body of a batch of bids."""
        parts = [
            pb.AtomicSubactionKind(
                trade_or_place=pb.TradeOrPlace(
                    place_type=pb.PlaceType(side=pb.BID),
                    limit=pb.OrderLimit(price=price, size=10),
                )
            )
            for price in prices
        ]
        batch = pb.Atomic(session_id=self.session, actions=parts)
        return self.signed(pb.Action(atomic=batch))

    async def posted(self, price: int = LOT_PRICE, size: int = 10, **more: Any) -> int:
        """Place an order that rests; its id."""
        receipt = await self.send(self.place(price, size, **more))
        assert receipt.trade_or_place.posted.order_id, receipt
        return receipt.trade_or_place.posted.order_id

    def orders(self) -> dict[int, Order]:
        """Return the account's resting orders as the engine has them."""
        return self._served.exchange.state.accounts[self.account].orders

    def lots(self, market: int = 0) -> int:
        """Return the account's position as the engine has it."""
        position = self._served.exchange.state.accounts[self.account].positions.get(market)
        return position.lots if position else 0

    def cancel(self, order_id: int) -> bytes:
        """Return the body of a cancel."""
        cancel = pb.CancelOrderById(session_id=self.session, order_id=order_id)
        return self.signed(pb.Action(cancel_order_by_id=cancel))

    async def send(self, body: bytes) -> pb.Receipt:
        """POST a body; its receipt."""
        status, reply = await self.post(body)
        assert status == 200, reply
        return receipt_of(reply)

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """POST a body; status and reply as they come."""
        kind = {"Content-Type": "application/octet-stream"}
        url = f"{self._served.url}/action"
        async with self._served.http.post(url, data=body, headers=kind) as answer:
            return answer.status, await answer.read()


def receipt_of(reply: bytes) -> pb.Receipt:
    """Read a reply: a varint length and a receipt."""
    size = at = 0
    while True:
        byte = reply[at]
        size |= (byte & 127) << 7 * at
        at += 1
        if byte < 128:
            break
    assert len(reply) == at + size
    return pb.Receipt.FromString(reply[at:])


Check = Callable[[Served, Trader], Awaitable[None]]


def checked(check: Check) -> None:
    """Run a check with a trader who has an account and a session."""

    async def work() -> None:
        async with served() as venue:
            await check(venue, await Trader(venue).open())

    run(work)
