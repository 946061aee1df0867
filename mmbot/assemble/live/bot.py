"""Puts a live bot together: the venue's list, our markets, books, ledger, engine, feeds, venue."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec

from mmbot import __version__
from mmbot.adapters.zo.keys.session_files import StoredSession, session_folder
from mmbot.adapters.zo.market_terms import BookedMarket, Outside
from mmbot.adapters.zo.rest.answers import Catalog
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.adapters.zo.trading.params import Hooks, Start, Surroundings, TradedAccount
from mmbot.assemble import BATCH_SIZE, Footing, RunOptions, build_engine, market_settings
from mmbot.assemble.ledger import ledger_file
from mmbot.assemble.live.announcing import READS, Kept, announcement, interval_ms
from mmbot.assemble.live.bookkeeping import Bookkeeping, Tell
from mmbot.assemble.live.controlling import Seat, bot_control, listens, with_overrides
from mmbot.assemble.live.explanations import keep_explanations
from mmbot.assemble.live.feeds import BookFeed, IndexFeed, MarketTap, outside_feed
from mmbot.assemble.live.heart import HeartTerms, NoHeart
from mmbot.assemble.live.leading import Lead, Rival, leading
from mmbot.assemble.live.learned import LEARNED, go_on
from mmbot.assemble.live.outside import Outward
from mmbot.assemble.live.places import lock_file, locked_account
from mmbot.assemble.live.refusals import Allowance, refuse_session, session_of, wanted_markets
from mmbot.assemble.live.remembering import remembered
from mmbot.assemble.live.requests import Requests
from mmbot.assemble.live.run_folder import CONFIG, STATUS, RunFolder
from mmbot.assemble.live.serving import Around, announced, api_server, build_labels, serve
from mmbot.assemble.live.standby import Waiting, answering, standby_server
from mmbot.assemble.live.start import Ground, Holding, read_clock, take_hold
from mmbot.assemble.live.talking import Followed, Spoken, telegram_face, telegram_token
from mmbot.assemble.live.venues import Placed, paper_venue, real_venue
from mmbot.assemble.live.watchers import Keepers
from mmbot.assemble.live.world import LiveOptions, RunMode, World
from mmbot.cext.orderbook import OrderBook
from mmbot.config.schema import Config
from mmbot.config.show import effective
from mmbot.domain.market import MICRO
from mmbot.domain.notices import Notice
from mmbot.domain.status import StatusView
from mmbot.engine import Engine, VenueTraits
from mmbot.errors import Unavailable
from mmbot.execution.order_ids import OrderIds
from mmbot.interfaces.control_socket import ControlSocket
from mmbot.ledger.ledger import Ledger
from mmbot.ledger.rows import Kind, RunStart
from mmbot.quoting.params import learns
from mmbot.risk.breaker import Breaker
from mmbot.runtime.control import BotControl
from mmbot.runtime.guard_params import guard_socket
from mmbot.runtime.keeping import Heart, LiveFeed
from mmbot.runtime.live import MarketMakerLive
from mmbot.runtime.status import Named
from mmbot.runtime.supervision import ExitReport
from mmbot.runtime.turns import collect_garbage, short_turns
from mmbot.runtime.works import Works
from mmbot.tape.journal import Begun

# Connections that are busy let a batch wait so long.
SENDING_NS = 150_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBot:
    """A bot ready to run. `lines` say what it will do, where, and within which limits.

    config: in force at its start, with the overrides that outlived a restart.
    """

    live: MarketMakerLive
    config: Config
    control: BotControl
    keepers: Keepers
    folder: RunFolder | None
    named: Named
    account_id: int | None
    lines: tuple[str, ...]

    async def run(self) -> ExitReport:
        """Run it in a process that is its own; see MarketMakerLive.run."""
        self.live.around.append(("garbage", collect_garbage))
        with short_turns():
            return await self.live.run()

    def status(self) -> StatusView:
        """Say how it stands."""
        return self.control.status()

    def keep_status(self) -> None:
        """Write how it stands into the folder of the run, if there is one."""
        if self.folder is not None:
            self.folder.write(STATUS, msgspec.json.encode(self.status()))


class _Given(NamedTuple):
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
    session = _session(config, world, options) if mode is RunMode.LIVE else None
    outward = Outward(config)
    options = replace(options, followers=(*options.followers, outward.follow))
    token = telegram_token(config, world.env, options.warn)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            open_http(config.venue, world.clock, config.rate_limits.requests_per_minute)
        )
        chat = Followed(config)
        options = replace(options, followers=(*options.followers, chat.follow))
        given = await _given(config, mode, world, options, http)
        holding = None
        if session is not None:
            holding = await _hold(given, session)
            venue = str(config.venue.http_origin)
            stack.enter_context(locked_account(world.state, venue, holding.account_id))
        ledger = world.open_ledger(_ledger_path(given), config.storage, world.clock())
        stack.callback(ledger.close, 1.0)
        listening = listens(world, config, mode, stack, options.warn)
        if session is not None and holding is not None:
            lead = await _lead(given, holding, ledger, listening, stack)
            if lead is not None and lead.waited:
                # What was read before the wait is old.
                given = await _given(config, mode, world, options, http)
                holding = await _hold(given, session)
            holding = holding._replace(lead=lead)
        server = api_server(world, config, stack, options.warn)
        bot = await _wire(given, holding, ledger, stack)
        outward.join(bot.live, bot.control, options.warn)
        kept = partial(keep_explanations, bot.live.works.engine, ledger, world.clock)
        bot.live.around.append(("explanations", kept))
        bot.live.around.append(("requests", Requests(ledger, http.allowance, world.clock).run))
        if listening is not None:
            bot.live.around.append(("control socket", partial(listening.run, bot.control)))
        if server is not None:
            around = _around(given, holding, ledger, bot.folder)
            serve(server, bot.live, bot.control, around, stack)
            bot = replace(bot, lines=announced(bot.lines, server))
        if token is not None:
            chat.follow(bot.config)
            spoken = Spoken(
                bot.control,
                ledger,
                holding,
                bot.live.ending,
                bot.keepers.notices,
                options,
                world,
            )
            face = await stack.enter_async_context(telegram_face(token, chat, spoken))
            bot.live.around.append(("telegram", face.run))
        yield bot


def _around(
    given: _Given, holding: Holding | None, ledger: Ledger, folder: RunFolder | None
) -> Around:
    return Around(
        ledger,
        given.ground.engine_clock,
        folder,
        settings_sha(given.config),
        given.mode,
        None if holding is None else holding.holds,
        given.options.logged,
        given.options.commit,
    )


def _session(config: Config, world: World, options: LiveOptions) -> StoredSession:
    """Return what to trade with; a key that must not go there is refused before it is asked."""
    session, origin = options.session, config.venue.http_origin
    if session is None:
        session = session_of(session_folder(config.session.dir, world.env), origin)
    refuse_session(session, origin)
    return session


async def _catalog(http: ZoHttp, config: Config) -> Catalog:
    try:
        return await http.info()
    except Unavailable as error:
        raise Unavailable(f"{config.venue.http_origin} cannot be reached: {error}") from error


async def _given(
    config: Config, mode: RunMode, world: World, options: LiveOptions, http: ZoHttp
) -> _Given:
    catalog = await _catalog(http, config)
    listings = wanted_markets(config, options.markets, catalog)
    ground = Ground(catalog, listings, await read_clock(http, world.clock))
    markets = tuple(
        BookedMarket(number, listing, OrderBook()) for number, listing in enumerate(listings)
    )
    return _Given(config, mode, world, options, ground, markets, http)


async def _hold(given: _Given, session: StoredSession) -> Holding:
    allowed = Allowance(given.options.accept_literal_skew)
    clock = given.world.clock
    return await take_hold(given.http, given.config, given.ground, session, allowed, clock)


async def _lead(
    given: _Given,
    holding: Holding,
    ledger: Ledger,
    listening: ControlSocket | None,
    stack: AsyncExitStack,
) -> Lead | None:
    """Take the lease of the account; None for a bot that has no standby."""
    config, world = given.config, given.world
    if config.coordination.backend == "none" or world.pair is None:
        return None
    ids = OrderIds(config.instance.id, 0)

    async def engine_s() -> int:
        return (await given.http.timestamp()).engine_s

    resting = (ids.epoch_of(each.client_order_id or 0) for each in holding.view.orders)
    rival = Rival(
        config=config,
        account=f"{config.venue.http_origin}:{holding.account_id}",
        ledger=ledger,
        newest_order=max((epoch for epoch in resting if epoch is not None), default=0),
        clock=world.clock,
        rng=world.rng(),
        engine_s=engine_s,
    )
    markets = tuple(each.listing.market(each.index) for each in given.markets)
    build = build_labels(given.options.commit, settings_sha(config), given.mode)
    waiting = Waiting(config.instance.name, given.mode.value, markets, world.clock, build)
    pair = world.pair(given.options.warn)
    with standby_server(world, config, given.options.warn) as server:
        async with answering(listening, server, waiting, pair) as patient:
            return await stack.enter_async_context(leading(patient, rival))


def _ledger_path(given: _Given) -> Path:
    path = ledger_file(given.config, given.world.env)
    if given.mode is RunMode.LIVE:
        return path
    # What was never traded must not be taken for what was.
    return path.with_name(f"{path.stem}-{given.mode}{path.suffix}")


async def _wire(
    given: _Given, holding: Holding | None, ledger: Ledger, stack: AsyncExitStack
) -> LiveBot:
    world, options, listings = given.world, given.options, given.ground.listings
    symbols = [each.symbol for each in listings]
    settings = with_overrides(given.config, options, ledger, world.clock(), symbols)
    config = settings.in_force
    given = given._replace(config=config)
    lead = None if holding is None else holding.lead
    epoch = ledger.next_epoch(config.instance.id, least=1 if lead is None else lead.epoch)
    footing = _footing(config, ledger, epoch, real=holding is not None)
    grids = tuple(each.listing.market(each.index) for each in given.markets)
    books_of = [each.book for each in given.markets]
    strategy = RunOptions(strategy=options.strategy)
    engine = build_engine(config, grids, books_of, strategy, footing)
    learned = go_on(engine, ledger.kept(LEARNED), world.clock())
    run = ledger.begin_run(_run_start(given, holding, epoch), grids)
    for line in learned:
        ledger.note(world.clock(), Kind.RUN, None, None, line)
    books = Bookkeeping(ledger, run, engine, config.runtime, world.clock)
    folder = _run_folder(given, holding, stack)
    placed, taps = _venue(given, holding, footing.ids, books, ledger)
    books.last_trades = placed.last_trades
    if folder is not None:
        taps.append(folder)
    book_feed, feeds = _feeds(given, taps, index=holding is None)
    if lead is not None:
        feeds.append(lead.keeper)
    keepers = Keepers(books, folder, lead)
    works = Works(
        engine=engine,
        venue=placed.venue,
        figures=placed.figures,
        feeds=feeds,
        book_age_ms=book_feed.age_ms,
        keeper=keepers,
        heart=_heart(given, holding, engine, epoch),
        clock=world.clock,
        params=config.runtime,
        close_on_exit=options.close_on_exit,
        stay_halted=options.stay_halted,
    )
    live, named = MarketMakerLive(works), _named(given, epoch)
    seat = Seat(live, named, ledger, holding, footing.ids, keepers.notices)
    control = bot_control(seat, settings, options, given.ground, given.http)
    keepers.listeners.append(control.watching)
    books.tell = _both(control.watching.notices, options.notices)
    return LiveBot(
        live=live,
        config=config,
        control=control,
        keepers=keepers,
        folder=folder,
        named=named,
        account_id=None if holding is None else holding.account_id,
        lines=_lines(given, holding, epoch),
    )


def _footing(config: Config, ledger: Ledger, epoch: int, *, real: bool) -> Footing:
    return Footing(
        OrderIds(config.instance.id, epoch=epoch),
        Breaker(config.risk.loss, remembered(ledger)),
        VenueTraits(
            batch_size=BATCH_SIZE,
            book_includes_own=real,
            has_index=real,
            slack_ns=SENDING_NS,
            reads_per_min=READS,
        ),
    )


def _both(first: Tell, second: Tell | None) -> Tell:
    if second is None:
        return first

    def tell(notices: Sequence[Notice]) -> None:
        first(notices)
        second(notices)

    return tell


def _run_folder(given: _Given, holding: Holding | None, stack: AsyncExitStack) -> RunFolder | None:
    """Begin the folder of the run, if one is wanted."""
    options = given.options
    if options.record is None:
        return None
    folder = RunFolder(options.record, given.markets, _begun(given, holding), options.warn)
    stack.callback(folder.close)
    folder.write(CONFIG, effective(given.config).encode())
    return folder


def _begun(given: _Given, holding: Holding | None) -> Begun:
    """Say what a run begins with, for its journal."""
    equity_uusd = int(given.config.backtest.initial_equity_usd * MICRO)
    held: dict[int, int] = {}
    if holding is not None:
        equity_uusd = holding.view.margins.mf_uusd
        held = {each.market_id: each.lots for each in holding.view.positions}
    listings = given.ground.listings
    return Begun(
        ts_ns=given.world.clock(),
        mode=given.mode.value,
        symbols=tuple(each.symbol for each in listings),
        lots=tuple(held.get(each.market_id, 0) for each in listings),
        equity_uusd=equity_uusd,
        own_in_book=holding is not None,
    )


def _venue(
    given: _Given,
    holding: Holding | None,
    ids: OrderIds,
    books: Bookkeeping,
    ledger: Ledger,
) -> tuple[Placed, list[MarketTap]]:
    """Return the venue, and who else has to be told of the market."""
    if holding is not None:
        return _trading(given, holding, ids, books, ledger), []
    clock, fills = given.world.clock, given.mode is RunMode.PAPER
    paper = paper_venue(given.config, given.markets, clock, fills=fills)
    return Placed(paper, paper.figures), [paper]


def _heart(given: _Given, holding: Holding | None, engine: Engine, epoch: int) -> Heart:
    world = given.world
    if holding is None or world.heart is None:
        return NoHeart() if world.supervised is None else world.supervised(engine)
    return world.heart(
        HeartTerms(
            given.config,
            engine,
            epoch,
            holding.session,
            holding.account_id,
            world.clock,
            given.options.warn,
        )
    )


def _trading(
    given: _Given, holding: Holding, ids: OrderIds, books: Bookkeeping, ledger: Ledger
) -> Placed:
    config, world, ground = given.config, given.world, given.ground
    money = [MarketMoney(each.listing, each.index) for each in given.markets]
    for each in money:
        each.rates = holding.rates
    books.money = {each.listing.market_id: each for each in money}
    signer = holding.session.signer(holding.account_id, config.venue.action_lifetime_s)
    traded = TradedAccount(signer, holding.session.pubkey, ground.catalog, ground.listings, ids)
    lead, last = holding.lead, ledger.last_run()
    outside = Surroundings(world.clock, world.rng(), ground.engine_clock)
    clean = last is None or last.clean
    if lead is not None:
        outside, clean = outside._replace(barred=lead.keeper.barred), lead.previous_run_clean()
    start = Start(ledger.cursor(), previous_run_clean=clean)
    hooks = Hooks(
        books.trades, given.options.warn, books.heard, books.late, lambda one: books.notices([one])
    )
    return real_venue(given.http, config, traded, outside, hooks, start)


def _run_start(given: _Given, holding: Holding | None, epoch: int) -> RunStart:
    place = str(given.config.venue.http_origin)
    account = given.mode.value if holding is None else str(holding.account_id)
    protocol = resources.files("mmbot.adapters.zo.wire.proto").joinpath("nord.proto").read_bytes()
    return RunStart(
        given.world.clock(),
        given.mode.value,
        f"{place}#{account}",
        given.config.instance.id,
        epoch,
        __version__,
        settings_sha(given.config),
        hashlib.sha256(protocol).hexdigest(),
    )


def settings_sha(config: Config) -> str:
    """Return what tells these settings from others."""
    return hashlib.sha256(config.model_dump_json().encode()).hexdigest()


def _feeds(
    given: _Given, taps: Sequence[MarketTap], *, index: bool
) -> tuple[BookFeed, list[LiveFeed]]:
    config, world, http = given.config, given.world, given.http
    outside = Outside(http.orderbook, world.clock, world.rng())
    settings = [market_settings(config, each.listing.symbol) for each in given.markets]
    trades = given.options.strategy is not None or any(learns(own) for own in settings)
    books = BookFeed(config.venue.ws_origin, given.markets, outside, taps, trades=trades)
    feeds: list[LiveFeed] = [books]
    back = http.reads.when_back
    back += [stream.connection.hurry for stream in books.streams]
    if index:
        feeds.append(IndexFeed(http, given.ground.listings, world.clock))
    reference = outside_feed(config, given.markets, outside, taps)
    if reference is not None:
        feeds.append(reference)
        back.append(reference.hurry)
    return books, feeds


def _named(given: _Given, epoch: int) -> Named:
    instance, mode = given.config.instance.name, given.mode.value
    often_ms = interval_ms(given.config, given.ground.listings)
    return Named(instance, mode, epoch, given.world.clock(), often_ms)


def _lines(given: _Given, holding: Holding | None, epoch: int) -> tuple[str, ...]:
    config, world = given.config, given.world
    lock = guard = None
    if holding is not None:
        lock = lock_file(world.state, str(config.venue.http_origin), holding.account_id)
        if world.heart is not None:
            guard = guard_socket(config.guard, config.instance.name, world.env)
    kept = Kept(epoch, _ledger_path(given), lock, guard)
    return announcement(config, given.mode, given.ground, holding, kept, world.clock())
