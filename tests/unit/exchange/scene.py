"""A small exchange with two traders, driven by signed bodies, and its GETs decoded."""

import struct
from collections.abc import Mapping
from decimal import Decimal
from json import loads
from typing import Any

from nacl.signing import SigningKey

from mmbot.adapters.zo.wire import actions, codec
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import FillMode, Side
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.views.asked import ViewRules
from mmbot.exchange.views.rest import answer

START_S = 1_767_531_600
NS = 10**9
BID, ASK = Side.BID, Side.ASK
LIMIT, POST_ONLY, IOC, FOK = FillMode


class Trader:
    """A wallet with one account and one session."""

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self.exchange = exchange
        self.wallet = SigningKey(bytes([seed]) * 32)
        self.key = SigningKey(bytes([seed + 100]) * 32)
        self.pubkey = bytes(self.wallet.verify_key)
        user = exchange.ensure_user(self.pubkey)
        assert user is not None
        self.account_id = user.account_ids[0]
        self.nonce = seed << 16
        self.session_id = 0
        create = actions.CreateSession(
            self.pubkey, bytes(self.key.verify_key), exchange.state.now_s + 86_400 * 30
        )
        self.session_id = self.send(create).create_session_result.session_id

    def body(self, action: actions.SessionAction | actions.WalletAction) -> bytes:
        """Sign an action with the key its kind wants."""
        self.nonce += 1
        envelope = actions.Envelope(
            self.exchange.state.now_s, self.nonce, self.session_id, self.account_id
        )
        raw = actions.encode(action, envelope)
        if isinstance(action, actions.CreateSession):
            return raw + self.wallet.sign(raw.hex().encode()).signature
        return raw + self.key.sign(raw).signature

    def send(self, action: actions.SessionAction | actions.WalletAction) -> pb.Receipt:
        """Send an action that must be accepted."""
        receipt = codec.decode_receipt(self.exchange.act(self.body(action)))
        assert receipt.WhichOneof("kind") != "err", receipt
        return receipt

    def place(
        self,
        side: Side,
        ticks: int,
        lots: int,
        mode: FillMode = LIMIT,
        *,
        market_id: int = 0,
        client_order_id: int | None = None,
    ) -> int:
        """Place an order; return its id when it rests, else 0."""
        order = actions.PlaceOrder(market_id, side, mode, ticks, lots, client_order_id)
        return self.send(order).trade_or_place.posted.order_id

    def cancel(self, order_id: int) -> None:
        """Cancel an order."""
        self.send(actions.CancelById(order_id))


class Scene:
    """The default markets at a fixed time; wallets get 10,000 USD when first looked up."""

    def __init__(self, **settings: object) -> None:
        params = ExchangeParams.model_validate({"auto_fund_usd": 10_000, **settings})
        self.exchange = Exchange(params, START_S * NS)
        self.rules = ViewRules()
        self.maker = Trader(self.exchange, 1)
        self.taker = Trader(self.exchange, 2)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Answer of a GET that must be 200, numbers exact."""
        status, body = self.ask(path, query)
        assert status == 200, (path, query, body)
        return body

    def ask(self, path: str, query: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """Status and decoded body of a GET."""
        found = answer(self.exchange, path, query or {}, self.rules)
        return found.status, loads(found.body, parse_float=Decimal)

    def pages(self, path: str, query: Mapping[str, str]) -> list[Any]:
        """All items of a paged GET, following the cursors, which must end."""
        items: list[Any] = []
        asked = dict(query)
        for _ in range(1000):
            page = self.get(path, asked)
            items += page["items"]
            if page["nextStartInclusive"] is None:
                return items
            asked["startInclusive"] = str(page["nextStartInclusive"])
        raise AssertionError(f"{path} has no last page")

    def wait(self, seconds: float) -> None:
        """Let engine time pass."""
        self.exchange.advance(self.exchange.state.now_ns + round(seconds * NS))

    def show(self, *levels: tuple[Side, int, int], market_id: int = 0) -> None:
        """Display sizes of the house."""
        self.exchange.background(market_id, rows(*((1, *level) for level in levels)))

    def house_takes(self, side: Side, ticks: int, lots: int) -> None:
        """Let the background market trade with what rests."""
        self.exchange.background(0, rows((5, side, ticks, lots)))


def rows(*events: tuple[int, Side, int, int]) -> bytes:
    """Pack background rows: (kind, side, ticks, lots); kind 1 is depth, 5 a taker."""
    return b"".join(
        struct.pack(
            "<qqqqII",
            0,
            0,
            ticks,
            lots,
            0xC0000000 | (0x20000000 if side is BID else 0x10000000) | kind,
            0,
        )
        for kind, side, ticks, lots in events
    )
