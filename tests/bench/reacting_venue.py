"""A session of the bot with the embedded exchange, written down to be played to it again.

Played again nothing but the bot runs, so what is timed is the bot. It does the same every time: the
clock is told, ids are counted, and only its keys differ.
"""

import asyncio
from typing import NamedTuple

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.session import session_request
from mmbot.adapters.zo.rest.answers import BookView
from mmbot.adapters.zo.wire.codec import decode_receipt
from mmbot.adapters.zo.wire.signing import Keypair, SessionSigner, WalletSigner
from mmbot.domain.order import Level, Side
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.params import ExchangeParams, MarketParams
from mmbot.exchange.views import frames
from tests.bench.live_moves import LEVELS, moves
from tests.bench.reacting_rig import EQUITY_UUSD, LISTING, START_NS, START_S, STEP_NS, Rig, Welcome

# For the account to stay fresh, and for the disk to take what is noted of so many orders.
ACCOUNT_EVERY = 50

Answered = tuple[list[bytes], int]


class Step(NamedTuple):
    """A move of the market, what the venue answered, and what it told of that, and so on."""

    delta: bytes
    answered: Answered
    told: list[bytes]
    answered_again: Answered


class Venue:
    """The embedded exchange with one market that moves at every step."""

    def __init__(self) -> None:
        terms = MarketParams(
            symbol=LISTING.symbol, price_decimals=1, size_decimals=5, start_price=60_000
        )
        params = ExchangeParams(markets=(terms,), auto_fund_usd=EQUITY_UUSD // 1_000_000)
        self._exchange = Exchange(params, START_NS)
        self._moves = moves()
        self._exchange.background(0, next(self._moves))
        self._exchange.take_changes()

    def welcome(self) -> Welcome:
        """Open an account and a session, and show the book."""
        wallet = Keypair.generate()
        user = self._exchange.ensure_user(wallet.public)
        assert user is not None
        request = session_request(WalletSigner(wallet), EngineSeconds(START_S), 86_400)
        receipt = decode_receipt(self._exchange.act(request.body))
        session_id = receipt.create_session_result.session_id
        clob = self._exchange.clobs[0]
        bids, asks = (
            tuple(Level(*each) for each in clob.levels(side, LEVELS))
            for side in (Side.BID, Side.ASK)
        )
        return Welcome(
            SessionSigner(request.keypair, session_id, user.account_ids[0]),
            BookView(self._exchange.state.action_id, bids, asks),
        )

    def move(self, now_ns: int) -> bytes:
        """Let the market move; the delta that tells of it."""
        self._exchange.advance(now_ns)
        self._exchange.background(0, next(self._moves))
        (delta,) = self.deltas()
        return delta

    def deltas(self) -> list[bytes]:
        """Return what the stream of the book tells now."""
        told = []
        for change in self._exchange.take_changes():
            told += [
                payload
                for stream, payload in frames.encode(self._exchange, change)
                if stream.startswith("deltas@")
            ]
        return told

    def act(self, bodies: list[bytes]) -> Answered:
        """Execute actions; their receipts, and the last action there was."""
        return [self._exchange.act(body) for body in bodies], self._exchange.state.action_id


async def record(venue: Venue, rig: Rig, steps: int) -> list[Step]:
    """Let the two of them trade."""
    written = []
    for number in range(steps):
        await pace(rig, number)
        delta = venue.move(rig.now_ns)
        rig.hear(delta)
        answered: list[Answered] = []

        def answer(bodies: list[bytes], answered: list[Answered] = answered) -> Answered:
            answered.append(venue.act(bodies))
            return answered[-1]

        rig.answer(answer)
        told = venue.deltas()
        for each in told:
            rig.hear(each)
        rig.answer(answer)
        rig.sending.tick(rig.now_ns)
        written.append(Step(delta, answered[0], told, answered[1]))
    return written


async def pace(rig: Rig, number: int) -> None:
    """Let time pass, and what is polled be told."""
    # The alarm of the bot rings by the real clock: no time passes between the turn of the loop
    # that it may ring in and what comes next.
    await asyncio.sleep(0)
    rig.now_ns += STEP_NS
    if number % ACCOUNT_EVERY == 0:
        rig.account()
        written = asyncio.create_task(rig.ledger.keep_async("pace", b""))
        # A processor that sleeps meanwhile is slow for a long time after.
        while not written.done():  # noqa: ASYNC110 - waiting otherwise is sleeping
            await asyncio.sleep(0)
