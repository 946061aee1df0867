"""What live trading is given: the account, the ways to the venue, the world, and its settings."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import NamedTuple, Protocol

from msgspec import Struct

from mmbot.adapters.web.clock import Clock
from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.action_line import Done
from mmbot.adapters.zo.rest.answers import Catalog, Listing, OwnTrade
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.streams.account_feed import AccountFeedParams
from mmbot.adapters.zo.wire.signing import SessionSigner
from mmbot.domain.notices import Notice


class OwnIds(Protocol):
    """Tells our client order ids from those of others; `execution.order_ids.OrderIds` does."""

    def owns(self, order_id: int) -> bool:
        """Is it an id of this instance, from any of its runs?"""
        ...

    def issued(self, order_id: int) -> bool:
        """Was it handed out by this run?"""
        ...

    def later(self, order_id: int) -> bool:
        """Is it an id of a later run of this instance?"""
        ...


class TradedAccount(NamedTuple):
    """Whose orders, and on which markets; a listing's place is the engine's number for it.

    `user` is the wallet's public key, None when the user's sessions are not to be watched.
    """

    signer: SessionSigner
    user: bytes | None
    catalog: Catalog
    listings: tuple[Listing, ...]
    ids: OwnIds


class Line(Protocol):
    """Where actions leave; `rest.action_line.ActionLine` is one. `sent` counts what left."""

    sent: int

    def post(self, body: bytes, done: Done, *, urgent: bool = False) -> None:
        """Send once; `done` is called once, never before this returns."""
        ...

    async def run(self) -> None:
        """Keep the way open until cancelled."""
        ...


class Access(NamedTuple):
    """The ways to the venue. `http` must have been opened with the clock of Surroundings."""

    http: ZoHttp
    line: Line
    ws_origin: Origin


def _free(_now_ns: int) -> str | None:
    """Nothing outside bars placing."""


class Surroundings(NamedTuple):
    """Clock, chance, and the engine's time as far as it is known already.

    `barred` says why nothing may be placed at a moment, if so.
    """

    clock: Clock
    rng: Random
    engine_clock: EngineClock
    barred: Callable[[int], str | None] = _free


TradesTold = Callable[[Sequence[OwnTrade], int], None]
"""Takes trades of the venue's list, oldest first, and up to which one nothing can be missing."""


def _nobody(_own: OwnTrade, _heard_ns: int) -> None:
    """Nobody wants to know when a trade was heard of."""


def _not_late(_own: OwnTrade) -> None:
    """Nobody wants to know that a trade was late."""


def _unnoticed(_notice: Notice) -> None:
    """Nobody is to be told."""


class Hooks(NamedTuple):
    """Who wants to know what is no event: the ledger its trades, people their warnings.

    `heard` is told of a trade of the list, after `trades`, when the stream had told of it, `late`
    of one that is listed after a Restatement had its lots, `notice` of what people should see to.
    All return at once and raise nothing.
    """

    trades: TradesTold
    warn: Callable[[str], None]
    heard: Callable[[OwnTrade, int], None] = _nobody
    late: Callable[[OwnTrade], None] = _not_late
    notice: Callable[[Notice], None] = _unnoticed


class Start(NamedTuple):
    """Where the run before ended: up to which trade all are booked, and whether it proved clean.

    After a run that did not, its last actions may still land: quoting waits for their expiry.
    """

    trades_cursor: int = 0
    previous_run_clean: bool = False


class ProtectionTerms(Struct, frozen=True):
    """Of stop triggers: share of the price they wait away from it, and share of that they may be
    off before they are moved.
    """

    distance: Decimal
    drift: Decimal


class TradingParams(Struct, frozen=True, kw_only=True):
    """How the venue is traded on. Times are milliseconds unless named otherwise.

    `resend_ms`: when, after the first sending, the same bytes are sent again. `cancels_per_s`:
    what the venue allows. `protection`: None for no stop triggers.
    """

    cancels_per_s: float = 20.0
    ack_ms: int = 1_500
    resend_ms: tuple[int, ...] = (300, 800, 1_500)
    unanswered: int = 3
    evidence_ms: int = 250
    tick_ms: int = 50
    clock_ms: int = 1_000
    prices_ms: int = 1_000
    reconcile_ms: int = 5_000
    audit_ms: int = 30_000
    listing_ms: int = 60_000
    sweep_ms: int = 500
    split_ms: int = 300
    protect_ms: int = 250
    protection: ProtectionTerms | None = None
    feed: AccountFeedParams = AccountFeedParams()
