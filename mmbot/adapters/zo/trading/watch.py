"""What is looked at again and again: the engine's time, prices, the listings, our session, fees."""

from decimal import Decimal

from mmbot.adapters.web.clock import NS_PER_S
from mmbot.adapters.zo.engine_time import ClockState, EngineClock
from mmbot.adapters.zo.rest.answers import Listing
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.trading.hindrances import (
    ENGINE_CLOCK,
    FROZEN,
    LISTING,
    SESSION,
    Hindrances,
    Outlet,
)
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.adapters.zo.trading.params import Hooks, TradedAccount
from mmbot.domain.events import IndexPrice
from mmbot.errors import VenueError

# A market that refused an order is not tried again sooner.
_FROZEN_NS = 5 * NS_PER_S


class Watch:
    """Reads the venue's figures; every method reads once and raises a VenueError when it cannot.

    `read_ns`: when the engine's time was last read. `index`: ticks by market, and when they were.
    """

    def __init__(
        self,
        http: ZoHttp,
        traded: TradedAccount,
        engine_clock: EngineClock,
        outlet: Outlet,
        hindrances: Hindrances,
        hooks: Hooks,
    ) -> None:
        self.read_ns: int | None = None
        self.index: dict[int, tuple[Decimal, int]] = {}
        self._http = http
        self._traded = traded
        self._engine_clock = engine_clock
        self._outlet = outlet
        self._hindrances = hindrances
        self._hooks = hooks
        self._sessions: set[int] | None = None
        self._frozen_ns: dict[int, int] = {}

    async def time(self) -> None:
        """Read the engine's time; whether it can be relied on is told either way."""
        try:
            sample = await self._http.timestamp()
            self._engine_clock.observe(sample.engine_s, sample.sent_ns, sample.received_ns)
            self.read_ns = sample.received_ns
        finally:
            self.judge_clock()

    def judge_clock(self) -> None:
        """Say whether the engine's time can be relied on."""
        state = self._engine_clock.state(self._outlet.clock())
        reason = None if state is ClockState.OK else f"the engine's time: {state}"
        self._hindrances.choose(ENGINE_CLOCK, reason)

    async def prices(self) -> None:
        """Read index prices, and which markets are frozen."""
        catalog = self._traded.catalog
        views = {view.market_id: view for view in await self._http.markets_live(catalog)}
        now_ns = self._outlet.clock()
        for market, listing in enumerate(self._traded.listings):
            view = views.get(listing.market_id)
            price = None if view is None else view.index_price
            ticks = None if price is None else price.scaleb(listing.price_decimals)
            if ticks is not None:
                self.index[market] = ticks, now_ns
            shown = None if ticks is None else float(ticks)
            self._outlet.tell(IndexPrice(0, now_ns, market, shown))
            if view is not None:
                self._judge_frozen(market, now_ns, frozen=view.frozen)

    async def listings(self) -> None:
        """Read the list of markets: what a price or size means must stay as it was."""
        catalog = await self._http.info()
        for market, known in enumerate(self._traded.listings):
            listed = catalog.listings.get(known.market_id)
            if listed is None:
                self._hindrances.begin(LISTING, "the market is not listed any more", market)
            elif _terms(listed) != _terms(known):
                self._hindrances.begin(LISTING, "the market's terms have changed", market)

    async def sessions(self) -> None:
        """Read the user's sessions: ours must be there, and others are worth a word."""
        if self._traded.user is None:
            return
        user = await self._http.user(self._traded.user)
        if user is None or not user.sessions:
            # A list without any is an answer that says nothing: what is not known is not a no.
            return
        found = {each.session_id for each in user.sessions}
        if self._traded.signer.session_id not in found:
            self._hindrances.begin(SESSION, "the venue does not list our session any more")
        if self._sessions is not None:
            for session_id in sorted(found - self._sessions):
                self._hooks.warn(f"session {session_id} has begun that is not ours")
        self._sessions = found

    async def fees(self, money: list[MarketMoney]) -> None:
        """Read what the account pays."""
        tier = await self._http.fee_tier(self._traded.signer.account_id)
        rates = (await self._http.fee_brackets()).get(tier)
        if rates is None:
            raise VenueError("the account's fee tier is not listed")
        for each in money:
            each.rates = rates

    def _judge_frozen(self, market: int, now_ns: int, *, frozen: bool) -> None:
        if frozen:
            self._hindrances.begin(FROZEN, "frozen", market)
            self._frozen_ns.pop(market, None)
        elif self._hindrances.holds(FROZEN, market):
            since = self._frozen_ns.setdefault(market, now_ns)
            if now_ns - since >= _FROZEN_NS:
                del self._frozen_ns[market]
                self._hindrances.end(FROZEN, market)


def _terms(listing: Listing) -> tuple[object, ...]:
    return (
        listing.symbol,
        listing.price_decimals,
        listing.size_decimals,
        listing.base_token_id,
        listing.quote_token_id,
    )
