"""Traders for tests: wallets with sessions that sign actions with the library and send them."""

import itertools
import struct
from collections.abc import Sequence

from nacl.signing import SigningKey

from mmbot.adapters.zo.wire import codec
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.params import ExchangeParams, FeeTier, MarketParams, RuleParams

START_S = 1_700_000_100
NS = 10**9
USD = 10**12
DAY_S = 86_400
LIMIT, POST_ONLY, IOC, FOK = pb.LIMIT, pb.POST_ONLY, pb.IMMEDIATE_OR_CANCEL, pb.FILL_OR_KILL

# A tick is 0.1 USD and a lot 0.001: one tick times one lot is 10^8 atoms. The index is 1000 ticks.
PLAIN = MarketParams(
    symbol="AAAUSD", price_decimals=1, size_decimals=3, start_price=100.0, imf_pct=10.0
)
FINE = MarketParams(
    symbol="BBBUSD", price_decimals=6, size_decimals=6, start_price=0.001, imf_pct=20.0
)
TICKLOT = 10**8


def opened(usd: int = 1_000, **changes: object) -> Exchange:
    """Return an exchange with both markets; `rules` as a dict, all else as ExchangeParams."""
    rules = RuleParams.model_validate(changes.pop("rules", {}))
    settings: dict[str, object] = {
        "markets": (PLAIN, FINE),
        "fee_tiers": (FeeTier(maker_ppm=100, taker_ppm=350), FeeTier(maker_ppm=0, taker_ppm=0)),
        "auto_fund_usd": usd,
        "rules": rules,
        **changes,
    }
    return Exchange(ExchangeParams.model_validate(settings), START_S * NS)


class Trader:
    """One wallet with an account and a session on an exchange."""

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self.exchange = exchange
        self.nonces = itertools.count(1)
        self.wallet = SigningKey(bytes([seed]) * 32)
        self.key = SigningKey(bytes([seed, 7]) * 16)
        self.pubkey = bytes(self.wallet.verify_key)
        user = exchange.ensure_user(self.pubkey)
        assert user is not None
        self.account_id = user.account_ids[0]
        self.session_id = self.open_session().create_session_result.session_id

    def open_session(self, lifetime_s: int = 30 * DAY_S) -> pb.Receipt:
        """Create a session for the trader's key."""
        asked = pb.CreateSession(
            user_pubkey=self.pubkey,
            session_pubkey=bytes(self.key.verify_key),
            expiry_timestamp=self.exchange.state.now_s + lifetime_s,
        )
        return self.send(pb.Action(create_session=asked))

    def body(self, action: pb.Action) -> bytes:
        """Stamp, frame and sign an action the way its kind demands."""
        if not action.current_timestamp:
            action.current_timestamp = self.exchange.state.now_s
        if not action.nonce:
            action.nonce = next(self.nonces)
        raw = codec.frame(action.SerializeToString())
        if action.WhichOneof("kind") in ("create_session", "revoke_session"):
            return raw + self.wallet.sign(raw.hex().encode()).signature
        return raw + self.key.sign(raw).signature

    def send(self, action: pb.Action) -> pb.Receipt:
        """Send an action and decode its receipt."""
        return codec.decode_receipt(self.exchange.act(self.body(action)))

    def place(
        self, side: int, ticks: int, lots: int, mode: int = LIMIT, **more: object
    ) -> pb.Receipt:
        """Place an order in market 0, or `market_id`."""
        return self.send(pb.Action(place_order=self.order(side, ticks, lots, mode, **more)))

    def order(self, side: int, ticks: int, lots: int, mode: int, **more: object) -> pb.PlaceOrder:
        """Return the message of a place."""
        order = pb.PlaceOrder(session_id=self.session_id, price=ticks, size=lots)
        order.side, order.fill_mode = pb.Side.ValueType(side), pb.FillMode.ValueType(mode)
        order.MergeFrom(pb.PlaceOrder(**more))  # type: ignore[arg-type]
        return order

    def cancel(self, order_id: int) -> pb.Receipt:
        """Cancel by id."""
        asked = pb.CancelOrderById(session_id=self.session_id, order_id=order_id)
        return self.send(pb.Action(cancel_order_by_id=asked))

    def batch(self, *parts: pb.AtomicSubactionKind) -> pb.Receipt:
        """Send an atomic."""
        asked = pb.Atomic(session_id=self.session_id, account_id=self.account_id, actions=parts)
        return self.send(pb.Action(atomic=asked))

    @property
    def lots(self) -> int:
        """Position in market 0."""
        position = self.exchange.state.accounts[self.account_id].positions.get(0)
        return position.lots if position else 0

    @property
    def atoms(self) -> int:
        """USDC balance."""
        return self.exchange.state.accounts[self.account_id].balances[0]


def part(
    side: int, ticks: int, lots: int, mode: int = POST_ONLY, **more: object
) -> pb.AtomicSubactionKind:
    """Return a place inside an atomic."""
    inner = pb.TradeOrPlace(limit=pb.OrderLimit(price=ticks, size=lots))
    inner.place_type.side = pb.Side.ValueType(side)
    inner.place_type.fill_mode = pb.FillMode.ValueType(mode)
    inner.MergeFrom(pb.TradeOrPlace(**more))  # type: ignore[arg-type]
    return pb.AtomicSubactionKind(trade_or_place=inner)


def cut(order_id: int) -> pb.AtomicSubactionKind:
    """Return a cancel inside an atomic."""
    return pb.AtomicSubactionKind(cancel_order=pb.CancelOrder(order_id=order_id))


def rows(*events: tuple[int, int, int, int]) -> bytes:
    """Pack background rows: (kind, side, ticks, lots); kinds 1 depth, 2 trade, 5 taker."""
    flags = 0xC0000000
    packed = (
        struct.pack("<qqqqII", 0, 0, ticks, lots, kind | flags | _side_flag(side), 0)
        for kind, side, ticks, lots in events
    )
    return b"".join(packed)


def _side_flag(side: int) -> int:
    return 0x20000000 if side > 0 else 0x10000000


def error(receipt: pb.Receipt) -> int | None:
    """Return the error number of a receipt, None without one."""
    return receipt.err if receipt.WhichOneof("kind") == "err" else None


def posted(receipt: pb.Receipt) -> int:
    """Return the id of the order a place left in the book."""
    assert receipt.trade_or_place.HasField("posted"), receipt
    return receipt.trade_or_place.posted.order_id


def fills(receipt: pb.Receipt) -> Sequence[tuple[int, int]]:
    """Return the (price, size) of what a place traded."""
    return [(fill.price, fill.size) for fill in receipt.trade_or_place.fills]
