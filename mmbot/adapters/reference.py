"""The price of our markets at an outside venue: Binance futures best quotes over one WebSocket."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from urllib.parse import urlsplit

from msgspec import Struct

from mmbot.adapters.reference_ticks import BookTicker, TickFilter, read_ticker
from mmbot.adapters.web.clock import NS_PER_MS, NS_PER_S, Clock
from mmbot.adapters.web.connection import Connection, ConnectionParams
from mmbot.adapters.zo.origin import allowed_origin
from mmbot.domain.events import ReferencePrice

BINANCE = "wss://fstream.binance.com"
_SYMBOL = re.compile(r"[A-Z0-9]{1,32}")
_PATH = re.compile(r"(/[A-Za-z0-9_-]+)*/?")


class ReferenceMarket(Struct, frozen=True):
    """One of our markets: the engine's number, its outside name, and ticks per outside price.

    `ticks_per_price` is scale / tick, the scale being what one of ours is worth of theirs.
    """

    index: int
    symbol: str
    ticks_per_price: float


class ReferenceParams(Struct, frozen=True, kw_only=True):
    """Limits of age. stale_ms: a price is then no longer one. dead_s: then a new connection is."""

    stale_ms: int = 2_000
    dead_s: float = 30.0
    connection: ConnectionParams = ConnectionParams(silent_s=10.0)


class _Seen(Struct):
    filter: TickFilter
    update_id: int = -1
    heard_ns: int = 0
    priced_ns: int | None = None


def reference_url(base: str, allowed_hosts: Sequence[str], symbols: Sequence[str]) -> str:
    """Return the address of the best quotes of these symbols.

    `base` is like wss://fstream.binance.com, and may have a path. ValueError: a place that is not
    allowed, no symbol, or what is none.
    """
    parts = urlsplit(base)
    origin = allowed_origin(f"{parts.scheme}://{parts.netloc}", allowed_hosts, ("wss", "ws"))
    if parts.query or parts.fragment or _PATH.fullmatch(parts.path) is None:
        raise ValueError("has more than scheme, host, port and a plain path")
    if not symbols or any(_SYMBOL.fullmatch(each) is None for each in symbols):
        raise ValueError("expected symbols of A-Z and 0-9")
    names = [f"{each.lower()}@bookTicker" for each in symbols]
    path = parts.path.rstrip("/")
    if len(names) == 1:
        return f"{origin}{path}/ws/{names[0]}"
    return f"{origin}{path}/stream?streams={'/'.join(names)}"


class ReferenceFeed:
    """Tells the prices of several markets as ReferencePrice events, in our ticks.

    Symbols are compared exactly. A price is told when it can be believed (see TickFilter); after a
    new connection trust is built anew. `run` ends only by cancellation.
    """

    def __init__(
        self,
        url: str,
        markets: Sequence[ReferenceMarket],
        emit: Callable[[ReferencePrice], None],
        params: ReferenceParams,
        clock: Clock,
        rng: Random,
    ) -> None:
        """`url` comes from `reference_url`. ValueError: two markets have one outside name."""
        self.connection = Connection(url, self, params.connection, clock, rng)
        self._markets: Mapping[str, ReferenceMarket] = {each.symbol: each for each in markets}
        if len(self._markets) < len(markets):
            raise ValueError("two markets have the same outside symbol")
        self._seen = {symbol: _Seen(TickFilter()) for symbol in self._markets}
        self._emit = emit
        self._params = params
        self._clock = clock

    def fresh(self, symbol: str) -> bool:
        """Whether the last price told of an outside symbol is young enough to be used."""
        priced_ns = self._seen[symbol].priced_ns
        age_ns = None if priced_ns is None else self._clock() - priced_ns
        return age_ns is not None and age_ns <= self._params.stale_ms * NS_PER_MS

    def rejected(self, symbol: str) -> int:
        """How many quotes of an outside symbol were not believed."""
        return self._seen[symbol].filter.rejected

    async def run(self) -> None:
        """Keep the prices coming for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.connection.run(), name="reference stream")
            group.create_task(self._watch(), name="reference stream watch")

    def opened(self, now_ns: int) -> None:
        """See Listener."""
        for seen in self._seen.values():
            seen.filter.reset()
            seen.update_id = -1
            seen.heard_ns = now_ns

    def closed(self, reason: str, now_ns: int) -> None:
        """See Listener: what was told grows old by itself."""

    def frame(self, frame: bytes, now_ns: int) -> None:
        """See Listener."""
        ticker = read_ticker(frame)
        market = None if ticker is None else self._markets.get(ticker.symbol)
        if ticker is None or market is None:
            return
        seen = self._seen[market.symbol]
        if ticker.update_id <= seen.update_id:
            return
        seen.update_id = ticker.update_id
        seen.heard_ns = now_ns
        mid = seen.filter.mid(ticker.bid, ticker.ask, now_ns)
        if mid is not None:
            seen.priced_ns = now_ns
            self._emit(_price(ticker, market, mid, now_ns))

    async def _watch(self) -> None:
        # One symbol may fall silent while others speak.
        while True:
            await asyncio.sleep(1.0)
            now_ns = self._clock()
            for symbol, seen in self._seen.items():
                if now_ns - seen.heard_ns > self._params.dead_s * NS_PER_S:
                    self.connection.give_up(f"{symbol}: silent for {self._params.dead_s:g} s")


def _price(ticker: BookTicker, market: ReferenceMarket, mid: float, now_ns: int) -> ReferencePrice:
    venue_ns = now_ns if ticker.venue_ns is None else ticker.venue_ns
    return ReferencePrice(venue_ns, now_ns, market.index, mid * market.ticks_per_price)
