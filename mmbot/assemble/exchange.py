"""Wire an exchange: its engine (new or restored), the market around it, its faults, its floor."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from mmbot.adapters.sim.flow import SUBSTEP_NS, MarketType
from mmbot.adapters.sim.synthetic import ROW
from mmbot.config.separate import complain, load_tree
from mmbot.domain.market import Market
from mmbot.errors import DataError, UsageError
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.faults.entries import FaultError
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.params import ExchangeParams, MarketParams
from mmbot.exchange.running import journal
from mmbot.exchange.running.flows import (
    Flows,
    Quiet,
    RecordedFlow,
    Source,
    SyntheticFlow,
    resumed_seed,
)
from mmbot.exchange.running.operation import Operation, replay
from mmbot.exchange.running.pacing import Pace, SteppedPace, WallPace, wall_start
from mmbot.exchange.serving.floor import Floor
from mmbot.exchange.serving.opening import open_floor
from mmbot.exchange.serving.reference import binance_symbol
from mmbot.tape import Feed, FeedOptions, open_feeds

STEPPED_START_NS = 1_767_225_600_000_000_000
NO_FLOW = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeOptions:
    """What an exchange is started with; `flow` is a market type or none, `recording` beats it.

    Stepped time begins with the year 2026, or where the saved state stands.
    """

    params: ExchangeParams
    flow: str = MarketType.NORMAL
    recording: Path | None = None
    speed: float = 1.0
    seed: int = 1
    state: Path | None = None
    faults: Path | None = None
    stepped: bool = False
    pongs: bool = True


@dataclass(frozen=True, slots=True)
class Opened:
    """A floor ready to be served; `notes` are what a person should know of its input."""

    floor: Floor
    notes: list[str] = field(default_factory=list)


class _Around(NamedTuple):
    """When the market around a floor begins, its seed, and whether the book was restored."""

    start_ns: int
    seed: int
    restored: bool = False


def open_exchange(options: ExchangeOptions) -> Opened:
    """Build the floor; DataError, ConfigError and UsageError say what is wrong with the input."""
    notes: list[str] = []
    first_ns = STEPPED_START_NS if options.stepped else wall_start(None)
    exchange = Exchange(options.params, first_ns)
    if options.state is not None:
        _restore(exchange, options.state, notes)
    reached_ns = max(first_ns, exchange.state.now_ns)
    pace: Pace = SteppedPace(reached_ns) if options.stepped else WallPace(reached_ns)
    written = None
    if options.state is not None:
        written = journal.Journal(options.state, exchange.dump())
    around = _Around(reached_ns, options.seed)
    if exchange.state.now_ns != first_ns:
        # A restored book stays as it was saved until time passes.
        flow_ns = reached_ns + SUBSTEP_NS
        around = _Around(flow_ns, resumed_seed(options.seed, flow_ns), restored=True)
    background = Flows(_sources(exchange, options, around, notes))
    operation = Operation(exchange, pace, background, written)
    symbols = {market.symbol: place for place, market in enumerate(options.params.markets)}
    faults = Faults(options.seed, lambda: pace.now_ns, symbols)
    if options.faults is not None:
        _set_faults(faults, options.faults)
    return Opened(open_floor(operation, faults, options.pongs), notes)


def _restore(exchange: Exchange, path: Path, notes: list[str]) -> None:
    saved = journal.read(path)
    if saved is None:
        notes.append(f"{path}: no state yet, starting anew")
        return
    if saved.torn_bytes:
        notes.append(f"{path}: the last {saved.torn_bytes} bytes were torn and are cut off")
    try:
        replay(exchange, saved.records)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    state = exchange.state
    notes.append(f"{path}: restored at action {state.action_id}, {len(state.users)} users")


def _sources(
    exchange: Exchange, options: ExchangeOptions, around: _Around, notes: list[str]
) -> list[Source]:
    played: dict[int, Source] = {}
    if options.recording is not None:
        played = _recorded(options, around.start_ns, notes)
    sources: list[Source] = []
    for place, params in enumerate(options.params.markets):
        index = exchange.state.markets[place].index_ticks
        if place in played:
            sources.append(played[place])
        elif index is None or options.recording is not None or options.flow == NO_FLOW:
            sources.append(Quiet(index, around.start_ns if around.restored else None))
        else:
            sources.append(_synthetic(exchange, options, _grid(params, place), around))
    return sources


def _synthetic(
    exchange: Exchange, options: ExchangeOptions, market: Market, around: _Around
) -> Source:
    ticks = exchange.state.markets[market.index].index_ticks or 0.0
    clob = exchange.clobs[market.index]
    kind = MarketType(options.flow)
    try:
        return SyntheticFlow(clob, market, kind, around.seed, around.start_ns, ticks)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _grid(params: MarketParams, place: int) -> Market:
    tick, lot = (Decimal(1).scaleb(-n) for n in (params.price_decimals, params.size_decimals))
    return Market(params.symbol, tick, lot, index=place)


def _recorded(options: ExchangeOptions, start_ns: int, notes: list[str]) -> dict[int, Source]:
    """Open a recording; each of its markets plays in ours of the same name."""
    ours = {}
    for place, params in enumerate(options.params.markets):
        ours[binance_symbol(params.symbol)] = ours[params.symbol.upper()] = _grid(params, place)
    feeds = open_feeds([options.recording] if options.recording else [], "auto", FeedOptions())
    played: dict[int, Source] = {}
    for feed in feeds:
        market = ours.get(feed.market.symbol.upper())
        if market is None and len(feeds) == 1:
            market = _grid(options.params.markets[0], 0)
        if market is None:
            notes.append(f"{feed.market.symbol}: recorded, but there is no such market here")
            continue
        notes.append(f"{market.symbol}: plays the recorded {feed.market.symbol}")
        try:
            played[market.index] = RecordedFlow(
                _player(feed, market), start_ns, speed=options.speed
            )
        except ValueError as error:
            raise UsageError(str(error)) from error
    return played


def _player(feed: Feed, market: Market) -> Callable[[], Iterable[bytes]]:
    """Return what plays a feed on a market's grid; DataError when it does not fit on it."""
    factors = []
    for name, theirs, own in (
        ("tick", feed.market.tick, market.tick),
        ("lot", feed.market.lot, market.lot),
    ):
        factor, rest = divmod(theirs, own)
        if rest or not factor:
            raise DataError(
                f"{feed.market.symbol}: the recording's {name} {theirs:f} is no multiple of"
                f" {own:f}; give {market.symbol} more decimals"
            )
        factors.append(int(factor))
    price, size = factors
    if (price, size) == (1, 1):
        return feed.chunks
    return lambda: _scaled(feed.chunks(), price, size)


def _scaled(chunks: Iterable[bytes], price: int, size: int) -> Iterator[bytes]:
    for chunk in chunks:
        scaled = bytearray()
        for exch_ns, local_ns, ticks, lots, flags, market in ROW.iter_unpack(chunk):
            scaled += ROW.pack(exch_ns, local_ns, ticks * price, lots * size, flags, market)
        yield bytes(scaled)


def _set_faults(faults: Faults, path: Path) -> None:
    """Set what a file says: a list of faults, or `faults:` and `swarm:`."""
    tree = load_tree(path)
    given: Any = tree.plain()
    content = given if isinstance(given, dict) else {"faults": given}
    above = ("faults",) if isinstance(given, dict) else ()
    unknown = [name for name in content if name not in ("faults", "swarm")]
    if unknown:
        complain(tree, (unknown[0],), "unknown key; possible here: faults, swarm")
    listed = content.get("faults") or []
    if not isinstance(listed, list):
        complain(tree, above, "expected a list of faults")
    try:
        faults.put(listed)
    except FaultError as error:
        complain(tree, (*above, *error.path), error.text)
    try:
        if content.get("swarm") is not None:
            faults.swarm(content["swarm"])
    except FaultError as error:
        complain(tree, error.path, error.text)
