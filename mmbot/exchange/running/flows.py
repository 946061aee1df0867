"""The market around the users: synthetic flow, a recorded market, or an oracle price and no more.

What happens in all markets is told to the exchange in the order of engine time, equal times by
market, each event at its own time: how often and for how long `advance` is called changes nothing.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from struct import Struct
from typing import Protocol

from mmbot.adapters.sim.flow import MarketType
from mmbot.adapters.sim.synthetic import (
    FLAG_BUY,
    FLAG_EXCH,
    FLAG_SELL,
    ROW,
    Setting,
    SyntheticMarket,
)
from mmbot.cext.clob import Clob
from mmbot.domain.market import Market

STRETCH_S = 3_600
LOWEST_TICKS = 100
INDEX_NS = 250_000_000
MOST_EVENTS = 1_200
GRAIN_NS = 10_000_000
KIND_CLEAR = 3
_TIME = Struct("<q")
_FURTHEST = 2**62


class Target(Protocol):
    """The exchange in operation."""

    def time(self, now_ns: int) -> None:
        """Let engine time pass; what is not later than now changes nothing."""
        ...

    def rows(self, market_id: int, rows: bytes) -> None:
        """Let the house do what packed rows "<qqqqII" say."""
        ...

    def set_index(self, market_id: int, ticks: float) -> None:
        """Set the oracle's price."""
        ...


class Source(Protocol):
    """What happens in one market, event by event."""

    @property
    def next_ns(self) -> int | None:
        """Engine time of the next event, None when there is none."""
        ...

    @property
    def reference(self) -> float | None:
        """Price at the outside venue after the last event, in ticks; None while unknown."""
        ...

    def rows(self) -> bytes:
        """Rows of the next event, which has then happened."""
        ...


class Flows:
    """The surroundings of all markets, by market id."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._told: list[tuple[float | None, int]] = [(None, -_FURTHEST)] * len(sources)

    def outside(self, market_id: int) -> float | None:
        """Price of a market at the outside venue, in ticks; None while unknown."""
        return self._sources[market_id].reference

    def advance(self, target: Target, until_ns: int) -> bool:
        """Let everything up to `until_ns` happen; False when a part is left for the next call.

        A call does `MOST_EVENTS` at most (20 s of three synthetic markets), so that a long stall
        is made up for in pieces.
        """
        for market_id in range(len(self._sources)):
            if self._told[market_id][0] is None:
                self._tell(target, market_id, -_FURTHEST)
        for _ in range(MOST_EVENTS):
            market_id, now_ns = self._soonest()
            if now_ns > until_ns:
                return True
            target.time(now_ns)
            rows = self._sources[market_id].rows()
            if rows:
                target.rows(market_id, rows)
            self._tell(target, market_id, now_ns)
        return self._soonest()[1] > until_ns

    def _soonest(self) -> tuple[int, int]:
        soonest, at_ns = 0, _FURTHEST
        for market_id, source in enumerate(self._sources):
            next_ns = source.next_ns
            if next_ns is not None and next_ns < at_ns:
                soonest, at_ns = market_id, next_ns
        return soonest, at_ns

    def _tell(self, target: Target, market_id: int, now_ns: int) -> None:
        """Set the index, every `INDEX_NS` at most."""
        reference = self._sources[market_id].reference
        told, told_ns = self._told[market_id]
        if reference is None or reference == told:
            return
        if told is None or now_ns - told_ns >= INDEX_NS:
            self._told[market_id] = (reference, now_ns)
            target.set_index(market_id, reference)


class Quiet:
    """A market nobody else trades in: an empty book and an oracle price that stands still.

    At `clear_ns` what a restored book still displays of another market around it is taken away.
    """

    def __init__(self, ticks: float | None, clear_ns: int | None = None) -> None:
        self.reference = ticks
        self.next_ns = clear_ns

    def rows(self) -> bytes:
        """Rows that clear the book, then nothing."""
        clear_ns, self.next_ns = self.next_ns, None
        return b"" if clear_ns is None else cleared(clear_ns)


class SyntheticFlow:
    """The order flow of `simulate` without an end, reacting to what the users do.

    It runs in stretches of an hour; each starts at the price the last one reached, with a seed of
    its own drawn from (seed, market, stretch). A flash crash comes once in every stretch, at 60 %
    of it; a trend may turn with each. The book is laid out anew at the start of a stretch.
    `substeps` of 50 ms are one event, unless somebody trades before the last of them.
    """

    def __init__(
        self,
        clob: Clob,
        market: Market,
        kind: MarketType,
        seed: int,
        start_ns: int,
        ticks: float,
    ) -> None:
        """`market.index` is the market's id; ValueError for a price below 100 ticks."""
        if not ticks >= LOWEST_TICKS:
            raise ValueError(f"{market.symbol}: order flow needs a price of 100 ticks or more")
        self._clob = clob
        self._market = market
        self._kind = kind
        self._seed = seed
        self.substeps = 1
        self._stretch = 0
        self._cleared = False
        self._flow = self._begin(start_ns, ticks)
        clob.keep_prints = True

    @property
    def next_ns(self) -> int:
        """Engine time of the next event, sub-steps being 50 ms."""
        return self._flow.next_ns

    @property
    def reference(self) -> float:
        """Mid of the outside venue as known at the last sub-step, in ticks."""
        return self._flow.reference()

    def rows(self) -> bytes:
        """Rows of the next event."""
        if self._flow.finished:
            self._stretch += 1
            self._cleared = False
            self._flow = self._begin(self._flow.next_ns, self._flow.reference())
        now_ns = self._flow.next_ns
        bid, ask = self._clob.best()
        rows = self._flow.chunk(bid, ask, self._clob.take_prints(), self.substeps)
        if not self._cleared:
            rows = cleared(now_ns) + rows
            self._cleared = True
        return rows

    def _begin(self, start_ns: int, ticks: float) -> SyntheticMarket:
        price = max(round(ticks), LOWEST_TICKS) * self._market.tick
        seed = stretch_seed(self._seed, self._market.index, self._stretch)
        setting = Setting(price=price, start_ns=start_ns, feed_latency_ns=0)
        return SyntheticMarket(self._kind, seed, self._market, STRETCH_S, setting)


def stretch_seed(seed: int, market_id: int, stretch: int) -> int:
    """Return the 64-bit seed of one stretch of one market."""
    return int.from_bytes(sha256(f"{seed}:{market_id}:{stretch}".encode()).digest()[:8], "little")


def resumed_seed(seed: int, start_ns: int) -> int:
    """Return the seed of a flow that goes on at a moment, so that it does not begin as before."""
    return int.from_bytes(sha256(f"{seed}@{start_ns}".encode()).digest()[:8], "little")


def cleared(now_ns: int) -> bytes:
    """Rows that take all displayed size away; orders keep their queue positions."""
    bids = ROW.pack(now_ns, now_ns, 0, 0, KIND_CLEAR | FLAG_EXCH | FLAG_BUY, 0)
    return bids + ROW.pack(now_ns, now_ns, _FURTHEST, 0, KIND_CLEAR | FLAG_EXCH | FLAG_SELL, 0)


class RecordedFlow:
    """A recorded market, its first row at `start_ns` and `speed` times as fast as it was.

    `play` gives its packed rows in chunks, in the order of exchange time, from the beginning. Rows
    within the same 10 ms of engine time are one event. At the end the market stands still, or
    (`loop`) is cleared and starts again. The reference is the recorded mid, whatever users trade.
    """

    def __init__(
        self,
        play: Callable[[], Iterable[bytes]],
        start_ns: int,
        *,
        speed: float = 1.0,
        loop: bool = False,
    ) -> None:
        if not 0 < speed <= 1_000_000:
            raise ValueError("the speed of a recording is above 0 and at most 1000000")
        self.reference: float | None = None
        self.next_ns: int | None = start_ns
        self._play = play
        self._loop = loop
        self._width_ns = max(1, int(GRAIN_NS * speed))
        self._recorded = Clob()
        self._chunks: Iterator[bytes] = iter(())
        self._lead = b""
        self._chunk = b""
        self._at = self._slot = self._first_ns = 0
        self._start(start_ns)

    def rows(self) -> bytes:
        """Rows of the next 10 ms that have any."""
        if self.next_ns is None:
            return b""
        slot, now_ns = self._slot, self.next_ns
        found, self._lead = self._lead, b""
        while self._slot <= slot and self._at < len(self._chunk):
            found += self._taken(slot)
        if found:
            self._recorded.rows(found)
            bid, ask = self._recorded.best()
            if bid is not None and ask is not None:
                self.reference = (bid + ask) / 2
        if self._at == len(self._chunk):
            self._start(now_ns + GRAIN_NS) if self._loop else self._end()
        else:
            self.next_ns = now_ns + (self._slot - slot) * GRAIN_NS
        return found

    def _end(self) -> None:
        self.next_ns = None

    def _start(self, start_ns: int) -> None:
        """Start the recording at its first row; one without rows has ended."""
        self._chunks = iter(self._play())
        self._slot = 0
        self._lead = cleared(start_ns)
        self.next_ns = start_ns
        self._load()
        if self._chunk:
            self._first_ns = self._row_ns(0)
        else:
            self._end()

    def _load(self) -> None:
        """Get the next chunk with rows of the exchange; at the end the chunk is empty."""
        self._chunk, self._at = b"", 0
        while not self._chunk:
            chunk = next(self._chunks, None)
            if chunk is None:
                return
            self._chunk = exchange_rows(chunk)

    def _row_ns(self, place: int) -> int:
        return int(_TIME.unpack_from(self._chunk, place * ROW.size)[0])

    def _taken(self, slot: int) -> bytes:
        """Take the rest of the chunk up to the end of a slot, and see when the next row is due."""
        last_ns = self._first_ns + slot * self._width_ns
        count = len(self._chunk) // ROW.size
        end = bisect_right(range(count), last_ns, self._at // ROW.size, key=self._row_ns) * ROW.size
        taken, self._at = self._chunk[self._at : end], end
        if end == len(self._chunk):
            self._load()
        if self._chunk:
            ahead_ns = self._row_ns(self._at // ROW.size) - self._first_ns
            self._slot = max(slot, -(-ahead_ns // self._width_ns))
        return taken


def exchange_rows(rows: bytes) -> bytes:
    """Return the rows that happened at the exchange, without those only a feed told of."""
    if all(row[4] & FLAG_EXCH for row in ROW.iter_unpack(rows)):
        return rows
    return b"".join(ROW.pack(*row) for row in ROW.iter_unpack(rows) if row[4] & FLAG_EXCH)
