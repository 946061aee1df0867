"""A wallet with a session on an exchange, speaking through the product's own client."""

from itertools import count
from typing import NamedTuple

from nacl.signing import SigningKey

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.rest.answers import AccountView, Catalog
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.wire.actions import (
    Atomic,
    CancelByClientId,
    CancelById,
    CreateSession,
    Envelope,
    Framing,
    PlaceOrder,
    RevokeSession,
    SessionAction,
    WalletAction,
    encode,
)
from mmbot.adapters.zo.wire.outcomes import Accepted, Outcome, Placed, Rejected, SessionCreated
from mmbot.adapters.zo.wire.signing import (
    Keypair,
    Scheme,
    SessionSigner,
    WalletSigner,
    signed_bytes,
)
from mmbot.domain.order import FillMode, Side

WINDOW_S = 60
DAY_S = 86_400


class Signed(NamedTuple):
    """Bytes to send, and what they ask for."""

    body: bytes
    action: SessionAction | WalletAction


class Person:
    """Acts for one account; every method asks the venue for its time first."""

    def __init__(self, http: ZoHttp, seed: int) -> None:
        self.http = http
        self.wallet = SigningKey(bytes([seed]) * 32)
        self.key = SigningKey(bytes([seed + 100]) * 32)
        self.pubkey = bytes(self.wallet.verify_key)
        self.account_id = 0
        self.session_id = 0
        self.catalog = Catalog((), ())
        self._nonces = count(seed * 1_000_000)

    async def open(self, framing: Framing | None = None) -> "Person":
        """Get an account with money and a session."""
        self.catalog = await self.http.info()
        user = await self.http.user(self.pubkey)
        assert user is not None
        self.account_id = user.account_ids[0]
        self.session_id = created(await self.send(await self.session(framing)))
        return self

    async def now(self) -> EngineSeconds:
        """Return the engine's time."""
        sample = await self.http.timestamp()
        return EngineSeconds(sample.engine_s)

    async def session(
        self, framing: Framing | None = None, *, lasts_s: int = DAY_S, key: bytes | None = None
    ) -> Signed:
        """Sign the creation of a session, for this person's session key unless told otherwise."""
        now = await self.now()
        pubkey = bytes(self.key.verify_key) if key is None else key
        action = CreateSession(self.pubkey, pubkey, now + lasts_s, framing)
        signer = WalletSigner(Keypair(bytes(self.wallet) + self.pubkey))
        return Signed(signer.sign(action, now, next(self._nonces), now), action)

    async def revocation(self, session_id: int) -> Signed:
        """Sign the end of a session."""
        now = await self.now()
        action = RevokeSession(session_id)
        signer = WalletSigner(Keypair(bytes(self.wallet) + self.pubkey))
        return Signed(signer.sign(action, now, next(self._nonces), now), action)

    async def signed(self, action: SessionAction) -> Signed:
        """Sign an action as the product does."""
        now = await self.now()
        keypair = Keypair(bytes(self.key) + bytes(self.key.verify_key))
        signer = SessionSigner(keypair, self.session_id, self.account_id, WINDOW_S)
        return Signed(signer.sign(action, now, next(self._nonces), now), action)

    async def forged(
        self,
        action: SessionAction,
        *,
        late_s: int = 0,
        key: SigningKey | None = None,
        account_id: int | None = None,
        most_parts: int = 4,
        now_s: int | None = None,
    ) -> Signed:
        """Sign what the product's signer refuses: stale, with another key, for another account."""
        stamp = (await self.now() if now_s is None else now_s) - late_s
        account = self.account_id if account_id is None else account_id
        envelope = Envelope(stamp, next(self._nonces), self.session_id, account)
        raw = encode(action, envelope, most_parts)
        message = signed_bytes(Scheme.RAW, raw, self.pubkey)
        return Signed(raw + (key or self.key).sign(message).signature, action)

    async def send(self, signed: Signed) -> Outcome:
        """Send the bytes once."""
        return await self.http.act(signed.body, signed.action, self.account_id)

    async def do(self, action: SessionAction) -> Outcome:
        """Sign and send."""
        return await self.send(await self.signed(action))

    async def place(
        self,
        side: Side,
        ticks: int,
        lots: int,
        mode: FillMode = FillMode.LIMIT,
        **more: int | bool,
    ) -> Outcome:
        """Place an order in market 0, or `market_id`."""
        return await self.do(order(side, ticks, lots, mode, **more))

    async def batch(self, *parts: PlaceOrder | CancelById) -> Outcome:
        """Send an atomic."""
        return await self.do(Atomic(parts))

    async def cancel(self, order_id: int) -> Outcome:
        """Cancel by the venue's id."""
        return await self.do(CancelById(order_id))

    async def cancel_named(self, client_order_id: int) -> Outcome:
        """Cancel by the client's id."""
        return await self.do(CancelByClientId(client_order_id))

    async def account(self) -> AccountView:
        """Read the account."""
        view = await self.http.account(self.account_id, self.catalog)
        assert view is not None
        return view

    async def lots(self, market_id: int = 0) -> int:
        """Return the position as REST shows it."""
        held = (await self.account()).positions
        return sum(each.lots for each in held if each.market_id == market_id)


def order(
    side: Side, ticks: int, lots: int, mode: FillMode = FillMode.LIMIT, **more: int | bool
) -> PlaceOrder:
    """Return an order of market 0, unless told otherwise."""
    fields = {"market_id": 0, **more}
    return PlaceOrder(side=side, mode=mode, ticks=ticks, lots=lots, **fields)  # type: ignore[arg-type]


def created(outcome: Outcome) -> int:
    """Return the id of a session that was created."""
    assert isinstance(outcome, Accepted), outcome
    assert isinstance(outcome.results[0], SessionCreated)
    return outcome.results[0].session_id


def placed(outcome: Outcome) -> Placed:
    """Return what the place, or the last place of a batch, did."""
    assert isinstance(outcome, Accepted), outcome
    result = outcome.results[-1]
    assert isinstance(result, Placed)
    return result


def rested(outcome: Outcome) -> int:
    """Return the id of an order that rests."""
    order_id = placed(outcome).order_id
    assert order_id is not None, outcome
    return order_id


def refused(outcome: Outcome) -> str:
    """Return the name of the venue's refusal."""
    assert isinstance(outcome, Rejected), outcome
    return outcome.refusal.name
