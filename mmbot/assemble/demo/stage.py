"""Everything the demonstration shows, put together: exchange, bot, the other trader, the notes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from mmbot.adapters.zo.rest.answers import Catalog
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.assemble.demo.local_exchange import LocalExchange, local_exchange
from mmbot.assemble.demo.newcomer import newcomer
from mmbot.assemble.demo.other_trader import LIFETIME_S, OtherTrader
from mmbot.assemble.live import LiveBot, LiveOptions, RunMode, live_bot, real_world
from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.domain.market import MICRO, Market
from mmbot.domain.notices import Notice
from mmbot.errors import Unfit
from mmbot.research.live_watch import LiveWatch
from mmbot.research.record import Recorder, RunRecord

SAMPLE_EVERY_S = 0.1
BOOK_EVERY_S = 0.5
BOOK_LOOKS = 20
TRADER_USD = 1_000_000
RUN = "run"
# One market a name; the other ones of a plain exchange would only cost time.
MARKETS = """\
markets:
  - {symbol: BTCUSD, price_decimals: 1, size_decimals: 5, start_price: 60000}
  - {symbol: ETHUSD, price_decimals: 2, size_decimals: 4, start_price: 3000}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is shown: settings, flags of the exchange, the folder of the report (None: none)."""

    config: Sequence[Path]
    overrides: Sequence[str]
    exchange: Sequence[str]
    seed: int
    folder: Path | None
    warn: Callable[[str], None]
    notices: Callable[[Sequence[Notice]], None] | None = None


class Proof(NamedTuple):
    """What the exchange's own books say when all is over.

    `gap_usd` is its equity less ours, both at our last mids.
    """

    orders: tuple[str, ...]
    violations: tuple[str, ...]
    gap_usd: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All set; `bot.live.run()` begins."""

    config: Config
    bot: LiveBot
    watch: LiveWatch
    markets: tuple[Market, ...]
    exchange: LocalExchange
    account_id: int
    trader: OtherTrader
    catalog: Catalog
    equity_uusd: int

    async def sample(self) -> None:
        """Take notes until cancelled."""
        while True:
            await asyncio.sleep(SAMPLE_EVERY_S)
            self.watch.tick(self.bot.live.works.clock())

    async def proof(self, record: RunRecord) -> Proof:
        """Ask the exchange what really is."""
        truth = await self.exchange.truth(self.account_id)
        violations = await self.exchange.violations()
        values: dict[int, Fraction] = {}
        ours = Fraction(self.equity_uusd, MICRO)
        for entry in record.markets:
            market = entry.market
            listing = self.catalog.by_symbol(market.symbol)
            atom = Fraction(market.atom)
            ours += entry.pnl_atoms * atom
            if listing is not None:
                values[listing.market_id] = market.unit_value(entry.final_half_ticks) * atom
        return Proof(truth.orders, tuple(violations), truth.equity_usd(values) - ours)


@asynccontextmanager
async def staged(plan: Plan) -> AsyncIterator[Stage]:
    """Start the exchange, make two wallets, wire the bot; all of it is gone afterwards."""
    async with AsyncExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="mmbot-demo-")))
        settings = place / "exchange.yaml"
        settings.write_text(MARKETS)
        exchange = await stack.enter_async_context(
            local_exchange(["-c", str(settings), "--seed", str(plan.seed), *plan.exchange])
        )
        url = exchange.ready.http
        overrides = [*plan.overrides, f"venue.http_url={url}", "venue.ws_url=null"]
        config = load(plan.config, overrides, {}).config
        http = await stack.enter_async_context(open_http(config.venue))
        catalog = await http.info()
        trader = await _other_trader(exchange, http, catalog, plan.seed)
        who = await newcomer(http, url)
        view = await http.account(who.account_id, catalog)
        if view is None:
            raise Unfit(f"the local exchange does not show account {who.account_id}")
        # Nobody has to watch over play money from a process of its own.
        world = replace(real_world({"STATE_DIRECTORY": str(place)}), heart=None)
        options = LiveOptions(
            markets=await _with_books(http, catalog),
            session=who.session,
            record=None if plan.folder is None else plan.folder / RUN,
            warn=plan.warn,
            notices=plan.notices,
        )
        bot = await stack.enter_async_context(live_bot(config, RunMode.LIVE, world, options))
        engine = bot.live.works.engine
        markets = tuple(desk.state.market for desk in engine.desks)
        watch = LiveWatch(engine, Recorder(markets, view.margins.mf_uusd))
        bot.keepers.listeners.append(watch)
        yield Stage(
            config=config,
            bot=bot,
            watch=watch,
            markets=markets,
            exchange=exchange,
            account_id=who.account_id,
            trader=trader,
            catalog=catalog,
            equity_uusd=view.margins.mf_uusd,
        )


async def _with_books(http: ZoHttp, catalog: Catalog) -> list[str]:
    """Return the markets that have something to quote around; a recording may have one only."""
    for _ in range(BOOK_LOOKS):
        await asyncio.sleep(BOOK_EVERY_S)
        found = []
        for listing in catalog.listings.values():
            book = await http.orderbook(listing)
            if book.bids and book.asks:
                found.append(listing.symbol)
        if found:
            return found
    raise Unfit("no market of the local exchange has a book")


async def _other_trader(
    exchange: LocalExchange, http: ZoHttp, catalog: Catalog, seed: int
) -> OtherTrader:
    who = await newcomer(http, exchange.ready.http)
    await exchange.fund(who.account_id, TRADER_USD)
    signer = who.session.signer(who.account_id, LIFETIME_S)
    # It is part of the scenery: the same seed makes the same trader.
    return OtherTrader(http, signer, catalog, Random(seed))  # noqa: S311
