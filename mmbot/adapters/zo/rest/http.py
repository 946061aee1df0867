"""01.xyz over HTTP: one function per endpoint that a market maker uses (protocol 3, 5).

Reads return an answer or raise a VenueError; what became of an action is a value.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from msgspec import Struct

from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest import account_parsing, answers, parsing
from mmbot.adapters.zo.rest.allowance import UNPACED_PER_MIN, Allowance
from mmbot.adapters.zo.rest.gateway import judge
from mmbot.adapters.zo.rest.patience import PatientReads
from mmbot.adapters.zo.rest.transport import Timeouts, Transport
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.actions import SessionAction, WalletAction
from mmbot.adapters.zo.wire.outcomes import Outcome, Unknown
from mmbot.errors import OutcomeUnknown, ProtocolViolation, Unavailable

PAGE_SIZE = 50
_JSON = frozenset({"application/json", "text/plain", ""})


class TradeQuery(Struct, frozen=True):
    """Which public trades: of a maker, a taker, a market, since a time (RFC 3339, inclusive)."""

    maker_id: int | None = None
    taker_id: int | None = None
    market_id: int | None = None
    since: str | None = None


class ZoHttp:
    """The venue's REST interface; see `open_http`.

    Every read raises Unavailable, RateLimited or ProtocolViolation when there is no sound answer.
    """

    def __init__(
        self,
        reads: Transport,
        actions: Transport,
        now_ns: Callable[[], int] = time.monotonic_ns,
        allowance: Allowance | None = None,
    ) -> None:
        """Take one pool for reads and one for actions, so that no action waits behind a read.

        `allowance` is what the venue allows of all that is sent to it.
        """
        self.allowance = allowance or Allowance(UNPACED_PER_MIN)
        self.allowance.watch(reads)
        self.allowance.watch(actions)
        self.reads = PatientReads(reads, now_ns, self.allowance)
        self._actions = actions
        # How reads were answered, by the first part of their path.
        self.answered = self.reads.answered
        self._now_ns = now_ns

    async def info(self) -> answers.Catalog:
        """Markets and tokens (protocol 3.3)."""
        return parsing.catalog("/info", await found(self.reads, "/info"))

    async def timestamp(self) -> answers.TimeSample:
        """The engine's second, with our monotonic time before and after (protocol 3.7)."""
        sent_ns = self._now_ns()
        body = await found(self.reads, "/timestamp")
        received_ns = self._now_ns()
        second = parsing.engine_second("/timestamp", body)
        return answers.TimeSample(second, sent_ns, received_ns)

    async def user(self, pubkey: bytes) -> answers.User | None:
        """Accounts and sessions of a wallet; None when the venue does not know it."""
        body = await _read(self.reads, f"/user/{base58.encode(pubkey)}")
        return None if body is None else parsing.user("/user", body)

    async def account(
        self, account_id: int, catalog: answers.Catalog
    ) -> answers.AccountView | None:
        """Orders, positions, balances and margins; None for an account that does not exist."""
        path = f"/account/{account_id}"
        body = await _read(self.reads, path)
        return None if body is None else account_parsing.account(path, body, catalog)

    async def orderbook(self, listing: answers.Listing) -> answers.BookView:
        """The whole book of a market."""
        path = f"/market/{listing.market_id}/orderbook"
        return parsing.book(path, await found(self.reads, path), listing)

    async def stats(self, listing: answers.Listing) -> answers.MarketView:
        """Index and mark price, funding and open interest of a market."""
        path = f"/market/{listing.market_id}/stats"
        return parsing.stats(path, await found(self.reads, path), listing)

    async def markets_live(self, catalog: answers.Catalog) -> tuple[answers.MarketView, ...]:
        """The same of all markets at once, refreshed about once a second."""
        return parsing.lives("/markets/live", await found(self.reads, "/markets/live"), catalog)

    async def trades(
        self, query: TradeQuery, catalog: answers.Catalog, start: answers.Cursor | None = None
    ) -> answers.Page[answers.Trade]:
        """One page of trades, newest first; `start` is the `following` of the page before."""
        asked = {
            "makerId": query.maker_id,
            "takerId": query.taker_id,
            "marketId": query.market_id,
            "since": query.since,
            "startInclusive": start,
        }
        body = await found(self.reads, paged("/trades", asked))
        return account_parsing.trades("/trades", body, catalog)

    async def order(self, order_id: int, catalog: answers.Catalog) -> answers.OrderView | None:
        """An order that rests or once did; None when the venue does not know it."""
        path = f"/order/{order_id}"
        body = await _read(self.reads, path)
        return None if body is None else account_parsing.order(path, body, catalog)

    async def fee_brackets(self) -> dict[int, answers.FeeRates]:
        """Fees by tier."""
        return parsing.fee_brackets(
            "/fee/brackets/info", await found(self.reads, "/fee/brackets/info")
        )

    async def fee_tier(self, account_id: int) -> int:
        """The tier of an account."""
        path = f"/account/{account_id}/fee/tier"
        return parsing.fee_tier(path, await found(self.reads, path))

    async def pnl(
        self, account_id: int, since: str | None = None, start: answers.Cursor | None = None
    ) -> answers.Page[answers.PnlRow]:
        """One page of an account's profit, newest first."""
        path = f"/account/{account_id}/pnl"
        body = await found(self.reads, paged(path, {"since": since, "startInclusive": start}))
        return account_parsing.pnl(path, body)

    async def liquidations(self, account_id: int) -> answers.Page[answers.Liquidation]:
        """The newest steps the venue took against an account short of margin."""
        path = f"/account/{account_id}/history/liquidation"
        return account_parsing.liquidations(path, await found(self.reads, paged(path, {})))

    async def act(
        self, body: bytes, action: SessionAction | WalletAction, account_id: int
    ) -> Outcome:
        """Send the signed bytes of an action once, and say what became of it.

        To ask again, call this with the same bytes: the venue takes them once (protocol 5.3).
        Raises Unavailable when no connection came about: the venue has not seen the action.
        """
        try:
            reply = await self._actions.post("/action", body)
        except OutcomeUnknown as error:
            return Unknown(str(error))
        return judge(reply, action, account_id)


@asynccontextmanager
async def open_http(
    params: VenueParams,
    now_ns: Callable[[], int] = time.monotonic_ns,
    requests_per_min: float = UNPACED_PER_MIN,
) -> AsyncIterator[ZoHttp]:
    """Open the venue's REST interface at the place that the settings allow.

    Whoever shares what the venue allows with the sending of orders says how much that is.
    """
    origin = params.http_origin
    timeouts = Timeouts(params.connect_timeout_ms / 1000, params.request_timeout_ms / 1000)
    async with Transport(origin, timeouts) as reads, Transport(origin, timeouts) as actions:
        yield ZoHttp(reads, actions, now_ns, Allowance(requests_per_min))


def paged(path: str, asked: Mapping[str, object]) -> str:
    """Return a target with what is asked for, by pages."""
    given = {name: value for name, value in asked.items() if value is not None}
    return f"{path}?{urlencode({**given, 'pageSize': PAGE_SIZE})}"


async def found(reads: PatientReads, target: str) -> bytes:
    """Return the body of a good answer; a VenueError when there is none."""
    body = await _read(reads, target)
    if body is None:
        raise ProtocolViolation(f"{target.partition('?')[0]}: HTTP 404")
    return body


async def _read(reads: PatientReads, target: str) -> bytes | None:
    """Return the body of a good answer, None for 404."""
    endpoint = target.partition("?")[0]
    reply = await reads.get(target)
    if reply.status == 404:
        return None
    if reply.status >= 500:
        raise Unavailable(f"{endpoint}: HTTP {reply.status}")
    if reply.status != 200:
        raise ProtocolViolation(f"{endpoint}: HTTP {reply.status}")
    if reply.content_type not in _JSON:
        raise ProtocolViolation(f"{endpoint}: the answer is not JSON by its content type")
    return reply.body
