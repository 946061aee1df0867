"""Wire the outside price of markets to tapes of its own: the best bid and ask as a book of two."""

import asyncio
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from pathlib import Path
from urllib.parse import urlsplit

from mmbot.adapters.reference import reference_url
from mmbot.adapters.reference_ticks import ToldQuote, read_quote, reference_symbol
from mmbot.adapters.web.connection import Connection, ConnectionParams
from mmbot.adapters.zo.market_terms import Outside
from mmbot.assemble.recording.books import DiskGuard, RecordedMarket
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.market import Market
from mmbot.tape.recorder import MarketRecorder

FOLDER = "reference"
SILENT_S = 30.0
LOT = Decimal("0.001")
MOST_DECIMALS = 8
_Level = tuple[int, int]


class QuoteRecording:
    """Records one outside symbol until it is cancelled.

    The tick is the last decimal of the first price told, so later prices fit; should one not, the
    bid is rounded down and the ask up. Sizes are rounded to 0.001, that at least.
    """

    def __init__(
        self, url: str, symbol: str, folder: Path, outside: Outside, guard: DiskGuard
    ) -> None:
        """`url` comes from `reference_url`, for this symbol alone."""
        params = ConnectionParams(silent_s=SILENT_S)
        self.connection = Connection(url, self, params, outside.clock, outside.rng)
        self.symbol = symbol
        self.snapshots = self.gaps = 0
        self._folder = folder
        self._guard = guard
        self._book = OrderBook()
        self._recorder: MarketRecorder | None = None
        self._generation = self._update_id = -1
        self._problem = "no quote yet"
        self._sides: tuple[_Level, _Level] | None = None

    async def run(self) -> None:
        """Record; no row is left behind when it ends."""
        try:
            await self.connection.run()
        finally:
            if self._recorder is not None:
                with self._guard.kept():
                    self._recorder.close()

    def flush(self) -> None:
        """Have what is recorded on the disk."""
        if self._recorder is not None:
            with self._guard.kept():
                self._recorder.flush()

    def market(self) -> RecordedMarket:
        """Say what was recorded so far."""
        recorder = self._recorder
        return RecordedMarket(
            symbol=self.symbol,
            rows=0 if recorder is None else recorder.rows,
            trades=0,
            snapshots=self.snapshots,
            gaps=self.gaps,
            misdated=0,
            size_bytes=0 if recorder is None else recorder.size_bytes,
            paths=() if recorder is None else tuple(recorder.paths),
            problem=self._problem if self._sides is None else "",
        )

    def opened(self, now_ns: int) -> None:
        """See Listener: the first quote begins the book."""

    def closed(self, reason: str, now_ns: int) -> None:
        """See Listener."""
        self.gaps += 1
        self._problem = reason
        self._sides = None
        if self._recorder is not None:
            with self._guard.kept():
                self._recorder.gap(now_ns)

    def frame(self, frame: bytes, now_ns: int) -> None:
        """See Listener."""
        if self.connection.generation != self._generation:
            self._generation, self._update_id = self.connection.generation, -1
        quote = read_quote(frame)
        if quote is None or quote.symbol != self.symbol or quote.update_id <= self._update_id:
            return
        self._update_id = quote.update_id
        with self._guard.kept():
            self._record(quote, now_ns)

    def _record(self, quote: ToldQuote, now_ns: int) -> None:
        if self._recorder is None:
            market = Market(self.symbol, _tick(quote), LOT)
            self._recorder = MarketRecorder(self._folder, market, self._book)
        tick = self._recorder.market.tick
        sides = (_level(quote.bid, tick, ROUND_FLOOR), _level(quote.ask, tick, ROUND_CEILING))
        before, self._sides = self._sides, sides
        if before is None:
            self._book.snapshot(sides[:1], sides[1:])
            self.snapshots += 1
            self._recorder.snapshot(now_ns)
        elif before != sides:
            bids, asks = (_change(*pair) for pair in zip(before, sides, strict=True))
            self._book.apply(bids, asks)
            self._recorder.depth(bids, asks, now_ns)


class ReferenceRecording:
    """Records several outside symbols, each over a connection of its own."""

    def __init__(self, quotes: Sequence[QuoteRecording]) -> None:
        self._quotes = tuple(quotes)

    async def run(self) -> None:
        """See Part."""
        async with asyncio.TaskGroup() as group:
            for quote in self._quotes:
                group.create_task(quote.run(), name=f"recorded {quote.symbol}")

    def flush(self) -> None:
        """See Part."""
        for quote in self._quotes:
            quote.flush()

    def markets(self) -> list[RecordedMarket]:
        """See Part."""
        return [quote.market() for quote in self._quotes]


def outside_recordings(
    url: str, symbols: Sequence[str], folder: Path, outside: Outside, guard: DiskGuard
) -> ReferenceRecording:
    """Record what our markets are called outside at `url`, into a folder of its own in `folder`.

    The place is asked for by name and is told nothing, so any host will do.
    ValueError: no address such as wss://fstream.binance.com, or a market without an outside name.
    """
    hosts = (urlsplit(url).hostname or "",)
    named = [reference_symbol(symbol) for symbol in symbols]
    addresses = [reference_url(url, hosts, [name]) for name in named]
    (folder / FOLDER).mkdir(exist_ok=True)
    return ReferenceRecording(
        [
            QuoteRecording(address, name, folder / FOLDER, outside, guard)
            for address, name in zip(addresses, named, strict=True)
        ]
    )


def _tick(quote: ToldQuote) -> Decimal:
    exponents = (price.as_tuple().exponent for price in (quote.bid[0], quote.ask[0]))
    decimals = max(-each for each in exponents if isinstance(each, int))
    return Decimal(1).scaleb(-min(max(decimals, 0), MOST_DECIMALS))


def _level(told: tuple[Decimal, Decimal], tick: Decimal, rounding: str) -> _Level:
    price, size = told
    ticks = int((price / tick).to_integral_value(rounding))
    return max(1, ticks), max(1, int((size / LOT).to_integral_value(ROUND_HALF_EVEN)))


def _change(before: _Level, after: _Level) -> list[_Level]:
    # A book without the old level, then with the new one.
    return [after] if before[0] == after[0] else [(before[0], 0), after]
