"""A client that does what the venue's own TypeScript SDK does, with plain HTTP and protobuf.

The engine's time is read before every action, nonces count 1, 2, 3, the wallet signs hex text or a
Solana transaction, all streams share a connection whose pings must be answered.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import uvloop
from nacl.signing import SigningKey

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from tests.contract.process import Running, running

OCTETS = {"content-type": "application/octet-stream"}
MONTH_S = 2_592_000
MOST_RECEIPT = 102_400


def _varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


class Nord:
    """The SDK's client object and its user."""

    def __init__(self, venue: Running, seed: int, solana: bool) -> None:
        self.venue = venue
        self.wallet = SigningKey(bytes([seed]) * 32)
        self.key = SigningKey(bytes([seed + 1]) * 32)
        self.solana = solana
        self.nonce = 0
        self.session = 0
        self.account = 0
        self.info: Any = None

    async def refresh(self) -> None:
        """Read what the SDK reads at its start, and make a session."""
        config = await self.venue.get("/proton/v0/config")
        assert {"app", "chainGenesis", "mints"} <= set(config)
        assert {"mint", "minDeposit"} <= set(config["mints"][0])
        self.info = await self.venue.get("/info")
        assert [each["marketId"] for each in self.info["markets"]] == [0, 1, 2]
        assert [each["tokenId"] for each in self.info["tokens"]] == [0]
        pubkey = base58.encode(bytes(self.wallet.verify_key))
        user = await self.venue.get(f"/user/{pubkey}")
        self.account = user["accountIds"][0]
        now = await self.venue.get("/timestamp")
        create = pb.CreateSession(
            user_pubkey=bytes(self.wallet.verify_key),
            session_pubkey=bytes(self.key.verify_key),
            expiry_timestamp=now + MONTH_S,
        )
        if self.solana:
            create.signature_framing = pb.SOLANA_TRANSACTION
        receipt = await self.send(pb.Action(create_session=create), self._by_wallet)
        self.session = receipt.create_session_result.session_id
        assert self.session
        user = await self.venue.get(f"/user/{pubkey}")
        assert set(user["sessions"]) == {str(self.session)}
        assert user["sessions"][str(self.session)]["pubkey"] == base58.encode(
            bytes(self.key.verify_key)
        )

    def _by_wallet(self, raw: bytes) -> bytes:
        if not self.solana:
            return self.wallet.sign(raw.hex().encode()).signature
        head = b"\x01\x00\x00\x01" + bytes(self.wallet.verify_key) + bytes(32) + b"\x01\x00\x00"
        return self.wallet.sign(head + _varint(len(raw)) + raw).signature

    def _by_session(self, raw: bytes) -> bytes:
        return self.key.sign(raw).signature

    async def send(
        self, action: pb.Action, sign: Callable[[bytes], bytes] | None = None
    ) -> pb.Receipt:
        """Send an action as the SDK does; its receipt."""
        action.current_timestamp = await self.venue.get("/timestamp")
        self.nonce += 1
        action.nonce = self.nonce
        return await self.post(action.SerializeToString(), sign or self._by_session)

    async def post(self, payload: bytes, sign: Callable[[bytes], bytes]) -> pb.Receipt:
        """Frame, sign and send a payload."""
        raw = _varint(len(payload)) + payload
        url = f"{self.venue.url}/action"
        async with self.venue.http.post(url, data=raw + sign(raw), headers=OCTETS) as answer:
            assert answer.status == 200
            assert answer.headers["content-type"] == OCTETS["content-type"]
            reply = await answer.read()
        assert len(reply) < MOST_RECEIPT
        size = shift = at = 0
        while True:
            byte = reply[at]
            size, shift, at = size | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                return pb.Receipt.FromString(reply[at : at + size])

    async def place(
        self, side: int, mode: int, price: int, size: int, **more: Any
    ) -> pb.PlaceOrderResult:
        """Place an order of BTCUSD; it must be taken."""
        order = pb.PlaceOrder(
            session_id=self.session,
            sender_account_id=self.account,
            side=pb.Side.ValueType(side),
            fill_mode=pb.FillMode.ValueType(mode),
            price=price,
            size=size,
            **more,
        )
        receipt = await self.send(pb.Action(place_order=order))
        assert receipt.WhichOneof("kind") == "trade_or_place", receipt
        return receipt.trade_or_place


@asynccontextmanager
async def _nord(seed: int, solana: bool) -> AsyncIterator[Nord]:
    async with running("--flow", "normal", "--seed", "2") as venue:
        await venue.step(5_000)
        nord = Nord(venue, seed, solana)
        await nord.refresh()
        yield nord
        assert await venue.violations() == []


def _run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bounded())


@pytest.mark.parametrize("solana", [False, True])
def test_the_sdk_trades_without_noticing(solana: bool) -> None:
    async def work() -> None:
        async with _nord(40, solana) as nord:
            names = ["trades@BTCUSD", "deltas@BTCUSD", f"account@{nord.account}", "candle@BTCUSD:1"]
            url = f"{nord.venue.ws}/ws/{'&'.join(names)}"
            async with nord.venue.http.ws_connect(url, autoping=False) as socket:
                await socket.ping(b"")
                assert (await socket.receive()).type is aiohttp.WSMsgType.PONG
                fills = await _trade(nord)
                await nord.venue.step(3_000)
                said = await _heard(socket)
            assert {"trades", "delta", "account", "res"} <= set(said)
            # Fills of the account, as lots of BTC, are those of the receipts.
            told = [fill for each in said["account"] for fill in each["account"]["fills"].values()]
            assert sum(round(each["quantity"] * 10**5) for each in told) == fills
            candle = said["res"][-1]
            assert {"res", "mid", "t", "o", "h", "l", "c"} <= set(candle)
            await _read(nord)

    _run(work)


async def _trade(nord: Nord) -> int:
    """Do all kinds of orders; return the lots that were filled."""
    book = await nord.venue.get("/market/0/orderbook")
    bid, ask = (round(book[side][0][0] * 10) for side in ("bids", "asks"))
    far = await nord.place(pb.BID, pb.POST_ONLY, bid - 500, 1_000, client_order_id=17)
    assert far.client_order_id == 17
    limit = await nord.place(pb.BID, pb.LIMIT, bid - 600, 1_000)
    bought = await nord.place(pb.BID, pb.IMMEDIATE_OR_CANCEL, ask + 500, 100)
    market = await nord.place(pb.BID, pb.IMMEDIATE_OR_CANCEL, 0, 100)
    sold = await nord.place(pb.ASK, pb.FILL_OR_KILL, 0, 150)
    closed = await nord.place(pb.ASK, pb.IMMEDIATE_OR_CANCEL, 0, 900, is_reduce_only=True)
    done = [bought, market, sold, closed]
    assert [sum(fill.size for fill in each.fills) for each in done] == [100, 100, 150, 50]
    parts = [
        pb.AtomicSubactionKind(cancel_order=pb.CancelOrder(order_id=limit.posted.order_id)),
        *(
            pb.AtomicSubactionKind(
                trade_or_place=pb.TradeOrPlace(
                    place_type=pb.PlaceType(side=side, fill_mode=pb.POST_ONLY),
                    limit=pb.OrderLimit(price=price, size=50),
                    client_order_id=name,
                )
            )
            for side, price, name in (
                (pb.BID, bid - 700, 21),
                (pb.ASK, ask + 700, 22),
                (pb.ASK, ask + 710, 23),
            )
        ),
    ]
    atomic = pb.Atomic(session_id=nord.session, account_id=nord.account, actions=parts)
    receipt = await nord.send(pb.Action(atomic=atomic))
    kinds = [each.WhichOneof("inner") for each in receipt.atomic.results]
    assert kinds == ["cancel_order"] + ["place_order_result"] * 3
    by_id = pb.CancelOrderById(session_id=nord.session, order_id=far.posted.order_id)
    receipt = await nord.send(pb.Action(cancel_order_by_id=by_id))
    assert receipt.cancel_order_result.order_id == far.posted.order_id
    receipt = await nord.send(pb.Action(cancel_order_by_id=by_id))
    assert (receipt.WhichOneof("kind"), receipt.err) == ("err", pb.ORDER_NOT_FOUND)
    return 400


async def _heard(socket: aiohttp.ClientWebSocketResponse) -> dict[str, list[Any]]:
    """Return what came, by its first key, once a while passes without anything."""
    said: dict[str, list[Any]] = {}
    while True:
        try:
            message = await socket.receive(0.2)
        except TimeoutError:
            return said
        content = json.loads(message.data)
        said.setdefault(next(iter(content)), []).append(content)


async def _read(nord: Nord) -> None:
    """Read what the SDK's getters read, after the trading."""
    account = await nord.venue.get(f"/account/{nord.account}")
    assert {each["clientOrderId"] for each in account["orders"]} == {21, 22, 23}
    assert account["balances"][0]["token"] == "USDC"
    assert {"omf", "mf", "imf", "cmf", "mmf", "pon", "pn", "bankruptcy"} == set(account["margins"])
    for order in account["orders"]:
        seen = await nord.venue.get(f"/order/{order['orderId']}")
        assert seen["fillMode"] == "PostOnly"
        assert (seen["marketSymbol"], seen["traderId"]) == ("BTCUSD", nord.account)
    mine = await nord.venue.get(f"/trades?takerId={nord.account}&pageSize=50")
    assert sum(each["baseSize"] for each in mine["items"]) * 10**5 == 400
    stats = await nord.venue.get("/market/0/stats")
    assert stats["perpStats"]["next_funding_time"].startswith("2026-01-01T01:00:00")
    live = await nord.venue.get("/markets/live")
    assert [each["marketId"] for each in live["markets"]] == [0, 1, 2]
    assert (await nord.venue.get("/fee/brackets/info"))[0][1]["taker_fee_ppm"] == 350
    assert await nord.venue.get(f"/account/{nord.account}/fee/tier") == 0


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def test_the_messages_of_the_older_sdk_mean_what_they_meant() -> None:
    async def work() -> None:
        async with _nord(60, False) as nord:
            book = await nord.venue.get("/market/0/orderbook")
            price = round(book["bids"][0][0] * 10) - 300
            now = await nord.venue.get("/timestamp")
            # QuoteSize {size, price} of generation S1: 0.002 BTC at the price, written by hand.
            quote = _field(1, 200) + _field(2, price)
            place = (
                *(_field(1, nord.session), _field(3, 1), _field(4, 1)),
                *(_field(6, price), _field(7, 1_000), _field(8, quote)),
            )
            action = _field(1, now) + _field(2, 901) + _field(7, b"".join(place))
            receipt = await nord.post(action, nord._by_session)
            assert receipt.trade_or_place.posted.size == 200
            bought = await nord.place(pb.BID, pb.IMMEDIATE_OR_CANCEL, 0, 100)
            assert bought.fills
            # AddTrigger of S1: a stop loss that sells.
            key = b""
            prices = _field(5, price - 10_000)
            trigger = _field(1, nord.session) + _field(3, key) + _field(4, prices)
            action = _field(1, now) + _field(2, 902) + _field(32, trigger)
            receipt = await nord.post(action, nord._by_session)
            assert receipt.WhichOneof("kind") == "trigger_added", receipt
            (set_,) = await nord.venue.get(f"/account/{nord.account}/triggers")
            assert (set_["triggerPrice"], set_["kind"]) == (price - 10_000, "stopLoss")

    _run(work)
