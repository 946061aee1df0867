"""Puts a live bot together: the venue's list, our markets, books, ledger, engine, feeds, venue."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from typing import NamedTuple

import msgspec

from mmbot import __version__
from mmbot.adapters.reference import ReferenceMarket, ReferenceParams
from mmbot.adapters.zo.keys.session_files import session_folder
from mmbot.adapters.zo.market_terms import BookedMarket, Outside
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.adapters.zo.trading.params import Hooks, Start, Surroundings, TradedAccount
from mmbot.assemble import BATCH_SIZE, Footing, RunOptions, build_engine, market_settings
from mmbot.assemble.ledger import ledger_file
from mmbot.assemble.live.bookkeeping import BREAKER, Bookkeeping
from mmbot.assemble.live.feeds import BookFeed, IndexFeed, MarketTap, OutsideFeed
from mmbot.assemble.live.heart import HeartTerms, NoHeart
from mmbot.assemble.live.places import locked_account
from mmbot.assemble.live.refusals import Allowance, session_of, wanted_markets
from mmbot.assemble.live.run_folder import CONFIG, RunFolder
from mmbot.assemble.live.start import Ground, Holding, clock_words, read_clock, take_hold
from mmbot.assemble.live.venues import Placed, paper_venue, real_venue
from mmbot.assemble.live.watchers import Keepers
from mmbot.assemble.live.world import LiveOptions, RunMode, World
from mmbot.cext.orderbook import OrderBook
from mmbot.config.loader import Loaded
from mmbot.config.schema import Config
from mmbot.config.show import show
from mmbot.domain.market import MICRO
from mmbot.domain.status import StatusView
from mmbot.engine import VenueTraits
from mmbot.execution.budget import requote_interval_ms
from mmbot.execution.order_ids import OrderIds
from mmbot.ledger.ledger import Ledger
from mmbot.ledger.rows import RunStart
from mmbot.risk.breaker import Breaker, BreakerMemory
from mmbot.runtime.keeping import Heart, LiveFeed
from mmbot.runtime.live import MarketMakerLive
from mmbot.runtime.status import Named
from mmbot.runtime.works import Works
from mmbot.tape.journal import Begun


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBot:
    """A bot ready to run. `lines` say what it will do, where, and within which limits."""

    live: MarketMakerLive
    keepers: Keepers
    folder: RunFolder | None
    named: Named
    account_id: int | None
    lines: tuple[str, ...]

    def status(self) -> StatusView:
        """Say how it stands."""
        return self.live.status(self.named)


class _Base(NamedTuple):
    """What every part is put together from."""

    config: Config
    mode: RunMode
    world: World
    options: LiveOptions
    ground: Ground
    markets: tuple[BookedMarket, ...]
    http: ZoHttp


@asynccontextmanager
async def live_bot(
    config: Config, mode: RunMode, world: World, options: LiveOptions
) -> AsyncIterator[LiveBot]:
    """Read what has to be known, refuse what must not be, and wire the rest.

    Raises an MmbotError whose exit code says why a start is refused. Nothing has been sent then.
    """
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_http(config.venue, world.clock))
        catalog = await http.info()
        listings = wanted_markets(config, options.markets, catalog)
        ground = Ground(catalog, listings, await read_clock(http, world.clock))
        markets = tuple(
            BookedMarket(number, listing, OrderBook()) for number, listing in enumerate(listings)
        )
        base = _Base(config, mode, world, options, ground, markets, http)
        holding = None
        if mode is RunMode.LIVE:
            holding = await _hold(base, stack)
        ledger = _ledger(base)
        stack.callback(ledger.close, 1.0)
        yield await _wire(base, holding, ledger, stack)


async def _hold(base: _Base, stack: AsyncExitStack) -> Holding:
    config, world, options = base.config, base.world, base.options
    origin = config.venue.http_origin
    session = options.session
    if session is None:
        session = session_of(session_folder(config.session.dir, world.env), origin)
    allowed = Allowance(options.accept_literal_skew)
    holding = await take_hold(base.http, config, base.ground, session, allowed, world.clock)
    stack.enter_context(locked_account(world.state, str(origin), holding.account_id))
    return holding


def _ledger(base: _Base) -> Ledger:
    config, world = base.config, base.world
    path = ledger_file(config, world.env)
    if base.mode is not RunMode.LIVE:
        # What was never traded must not be taken for what was.
        path = path.with_name(f"{path.stem}-{base.mode}{path.suffix}")
    return world.open_ledger(path, config.storage, world.clock())


async def _wire(
    base: _Base, holding: Holding | None, ledger: Ledger, stack: AsyncExitStack
) -> LiveBot:
    config, world = base.config, base.world
    epoch = ledger.next_epoch(config.instance.id)
    footing = Footing(
        OrderIds(config.instance.id, epoch=epoch),
        Breaker(config.risk.loss, _memory(ledger)),
        VenueTraits(batch_size=BATCH_SIZE, book_includes_own=holding is not None),
    )
    grids = tuple(each.listing.market(each.index) for each in base.markets)
    options = RunOptions(strategy=base.options.strategy)
    engine = build_engine(config, grids, [each.book for each in base.markets], options, footing)
    run = ledger.begin_run(_run_start(base, holding, epoch), grids)
    books = Bookkeeping(
        ledger,
        run,
        footing.breaker,
        config.runtime,
        world.clock,
        fills_are_trades=holding is None,
    )
    books.engine = engine
    if base.options.notices is not None:
        books.tell = base.options.notices
    folder = _run_folder(base, holding, stack)
    taps: list[MarketTap] = [] if folder is None else [folder]
    if holding is None:
        paper = paper_venue(config, base.markets, world.clock, fills=base.mode is RunMode.PAPER)
        taps.insert(0, paper)
        placed = Placed(paper, paper.figures)
    else:
        placed = _trading(base, holding, footing.ids, books, ledger)
    book_feed, feeds = _feeds(base, taps, index=holding is None)
    keepers = Keepers(books, folder)
    heart: Heart = NoHeart()
    if holding is not None and world.heart is not None:
        session, account_id = holding.session, holding.account_id
        heart = world.heart(
            HeartTerms(config, engine, epoch, session, account_id, world.clock, base.options.warn)
        )
    works = Works(
        engine=engine,
        venue=placed.venue,
        figures=placed.figures,
        feeds=feeds,
        book_age_ms=book_feed.age_ms,
        keeper=keepers,
        clock=world.clock,
        heart=heart,
        params=config.runtime,
        close_on_exit=base.options.close_on_exit,
    )
    live = MarketMakerLive(works)
    return LiveBot(
        live=live,
        keepers=keepers,
        folder=folder,
        named=_named(base, epoch),
        account_id=None if holding is None else holding.account_id,
        lines=tuple(_lines(base, holding)),
    )


def _trading(
    base: _Base, holding: Holding, ids: OrderIds, books: Bookkeeping, ledger: Ledger
) -> Placed:
    config, world, ground = base.config, base.world, base.ground
    money = [MarketMoney(each.listing, each.index) for each in base.markets]
    for each in money:
        each.rates = holding.rates
    books.money = {each.listing.market_id: each for each in money}
    signer = holding.session.signer(holding.account_id, config.venue.action_lifetime_s)
    traded = TradedAccount(signer, holding.session.pubkey, ground.catalog, ground.listings, ids)
    outside = Surroundings(world.clock, world.rng(), ground.engine_clock)
    last = ledger.last_run()
    start = Start(ledger.cursor(), previous_run_clean=last is None or last.clean)
    hooks = Hooks(books.trades, base.options.warn)
    return real_venue(base.http, config, traded, outside, hooks, start)


def _memory(ledger: Ledger) -> BreakerMemory:
    """What the breaker remembers of the runs before; a halt is what the latch says."""
    kept = ledger.kept(BREAKER)
    memory = BreakerMemory()
    if kept is not None:
        memory = msgspec.json.decode(kept, type=BreakerMemory)
    latch = ledger.halted()
    if latch is not None:
        return msgspec.structs.replace(memory, halted=latch.reason)
    # Whoever clears a halt begins to count anew.
    return memory if memory.halted is None else BreakerMemory(paused=memory.paused)


def _run_start(base: _Base, holding: Holding | None, epoch: int) -> RunStart:
    place = str(base.config.venue.http_origin)
    account = base.mode.value if holding is None else str(holding.account_id)
    settings = base.config.model_dump_json().encode()
    protocol = resources.files("mmbot.adapters.zo.wire.proto").joinpath("nord.proto").read_bytes()
    return RunStart(
        base.world.clock(),
        base.mode.value,
        f"{place}#{account}",
        base.config.instance.id,
        epoch,
        __version__,
        hashlib.sha256(settings).hexdigest(),
        hashlib.sha256(protocol).hexdigest(),
    )


def _run_folder(base: _Base, holding: Holding | None, stack: AsyncExitStack) -> RunFolder | None:
    """Begin the folder of the run, if one is wanted."""
    if base.options.record is None:
        return None
    begun = _begun(base, holding)
    folder = RunFolder(base.options.record, base.markets, begun, base.options.warn)
    folder.write(CONFIG, show(Loaded(base.config, {}), defaults=True).encode())
    stack.callback(folder.close)
    return folder


def _begun(base: _Base, holding: Holding | None) -> Begun:
    """Say what a run begins with, for its journal."""
    equity_uusd = int(base.config.backtest.initial_equity_usd * MICRO)
    held: dict[int, int] = {}
    if holding is not None:
        equity_uusd = holding.view.margins.mf_uusd
        held = {each.market_id: each.lots for each in holding.view.positions}
    listings = base.ground.listings
    return Begun(
        ts_ns=base.world.clock(),
        mode=base.mode.value,
        symbols=tuple(each.symbol for each in listings),
        lots=tuple(held.get(each.market_id, 0) for each in listings),
        equity_uusd=equity_uusd,
        own_in_book=holding is not None,
    )


def _feeds(
    base: _Base, taps: Sequence[MarketTap], *, index: bool
) -> tuple[BookFeed, list[LiveFeed]]:
    config, world, http = base.config, base.world, base.http
    outside = Outside(http.orderbook, world.clock, world.rng())
    books = BookFeed(config.venue.ws_origin, base.markets, outside, taps)
    feeds: list[LiveFeed] = [books]
    if index:
        feeds.append(IndexFeed(http, base.ground.listings, world.clock))
    wanted = [
        ReferenceMarket(
            each.index,
            config.reference.symbol_of(each.listing.symbol),
            config.reference.scale_of(each.listing.symbol) / float(each.listing.market(0).tick),
        )
        for each in base.markets
        if market_settings(config, each.listing.symbol).fair_price.source == "reference"
    ]
    if wanted:
        place = (config.reference.url, config.reference.allowed_hosts)
        params = ReferenceParams(stale_ms=config.risk.stale.reference_ms)
        feeds.append(OutsideFeed(place, wanted, outside, params, taps))
    return books, feeds


def _named(base: _Base, epoch: int) -> Named:
    config = base.config
    levels = max(market_settings(config, each.listing.symbol).levels.count for each in base.markets)
    interval_ms = requote_interval_ms(config.rate_limits, len(base.markets), levels, BATCH_SIZE)
    return Named(config.instance.name, base.mode.value, epoch, base.world.clock(), interval_ms)


def _lines(base: _Base, holding: Holding | None) -> list[str]:
    config, world = base.config, base.world
    symbols = ", ".join(each.listing.symbol for each in base.markets)
    who = "no account" if holding is None else f"account {holding.account_id}"
    lines = [f"{base.mode}: {symbols} at {config.venue.http_origin}, {who}"]
    words = clock_words(base.ground.engine_clock, world.clock(), config.venue.max_clock_offset_ms)
    return lines if words is None else [*lines, f"warning: {words}"]
