"""A synthetic market as rows for the replay kernel, reacting to the bot sub-step by sub-step.

Rows have the layout "<qqqqII" (exch_ns, local_ns, ticks, lots, flags, market). Depth rows are
absolute sizes on both streams; taker rows are for the exchange only, which answers with prints.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from struct import Struct
from typing import NamedTuple, Protocol

from mmbot.adapters.sim.flow import SUBSTEPS_PER_STEP, FlowParams, MarketType, flow_params
from mmbot.cext.flow import Flow
from mmbot.cext.orderbook import OrderBook
from mmbot.cext.replay import Replay
from mmbot.domain.market import Market

ROW = Struct("<qqqqII")
KIND_DEPTH = 1
KIND_TRADE = 2
KIND_TAKE = 5
KIND_MASK = 0xFF
FLAG_EXCH = 0x80000000
FLAG_LOCAL = 0x40000000
FLAG_BUY = 0x20000000
FLAG_SELL = 0x10000000

UNIT_UUSD = 1_000_000_000
BPS = 10_000
MAX_SUBSTEPS = 64
FOREVER_NS = 2**62

Print = tuple[int, int, int, int]
"""(exch_ns, aggressor +1 or -1, ticks, lots): one execution, as the matching kernel reports it."""

Touch = tuple[int, int, int, int, int]
"""(exch_ns, bid ticks, bid lots, ask ticks, ask lots) of the public makers; 0 where none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where and when a synthetic market starts: price in quote currency, times in nanoseconds."""

    price: Decimal = Decimal(60_000)
    start_ns: int = 1_767_225_600_000_000_000
    feed_latency_ns: int = 10_000_000


class SyntheticMarket:
    """Order flow of `steps` seconds; the same (type, seed, market, steps) gives the same bytes."""

    def __init__(
        self,
        market_type: MarketType,
        seed: int,
        market: Market,
        steps: int,
        setting: Setting | None = None,
        params: FlowParams | None = None,
    ) -> None:
        self.market = market
        self.setting = Setting() if setting is None else setting
        self.params = flow_params(market_type, steps) if params is None else params
        price_ticks = market.floor_ticks(self.setting.price)
        lots_per_unit = market.lots_for(UNIT_UUSD * BPS, 2 * price_ticks) / BPS
        grid = {
            "price_ticks": float(price_ticks),
            "ticks_per_bps": price_ticks / BPS,
            "lots_per_unit": lots_per_unit,
        }
        self.lots_per_unit = lots_per_unit
        self._flow = Flow(
            self.params.numbers() | grid,
            seed=seed,
            market=market.index,
            clock=(
                self.setting.start_ns,
                self.setting.feed_latency_ns,
                steps * SUBSTEPS_PER_STEP,
            ),
        )

    @property
    def finished(self) -> bool:
        """No sub-step is left."""
        return self._flow.finished

    @property
    def next_ns(self) -> int:
        """Exchange time of the sub-step the next chunk begins with."""
        return self._flow.next_ns

    def chunk(
        self,
        best_bid_ticks: int | None,
        best_ask_ticks: int | None,
        prints: Sequence[Print],
        substeps: int = 1,
    ) -> bytes:
        """Rows of up to `substeps` (64 at most) sub-steps, ending after the first with takers.

        best_*_ticks: best prices on the exchange now, own orders included, None where there is
        none; prints: executions since the last call, in order, own fills included.
        """
        return self._flow.chunk(best_bid_ticks, best_ask_ticks, prints, substeps)

    def touches(self) -> Sequence[Touch]:
        """Public makers' best quotes of every sub-step in the last chunk."""
        return self._flow.last_touches

    def reference(self) -> float:
        """Mid price of an outside venue, 50 ms old, in ticks."""
        return self._flow.reference


class Piece(NamedTuple):
    """A stretch of a market left to itself: rows, the touch of each sub-step, executions."""

    rows: bytes
    touches: Sequence[Touch]
    prints: Sequence[Print]


def undisturbed(synthetic: SyntheticMarket) -> Iterator[Piece]:
    """Run a synthetic market of index 0 to its end with nobody else trading in it."""
    replay = Replay([OrderBook()], prints=True)
    prints: list[Print] = []
    while not synthetic.finished:
        rows = synthetic.chunk(*replay.best(0), prints, MAX_SUBSTEPS)
        replay.feed(0, rows, synthetic.finished)
        replay.advance(FOREVER_NS)
        prints = replay.take_prints(0)
        yield Piece(rows, synthetic.touches(), prints)


def tape_rows(rows: bytes, prints: Sequence[Print], setting: Setting, market: int) -> bytes:
    """Turn a chunk and the prints it led to into rows that replay without the generator.

    Takers are dropped: their executions follow as public trades at the end of their sub-step.
    """
    kept = bytearray()
    for row in ROW.iter_unpack(rows):
        if row[4] & KIND_MASK != KIND_TAKE:
            kept += ROW.pack(*row)
    for exch_ns, aggressor, ticks, lots in prints:
        side = FLAG_BUY if aggressor > 0 else FLAG_SELL
        flags = KIND_TRADE | FLAG_EXCH | FLAG_LOCAL | side
        local_ns = exch_ns + setting.feed_latency_ns
        kept += ROW.pack(exch_ns, local_ns, ticks, lots, flags, market)
    return bytes(kept)


def heard_rows(prints: Sequence[Print], setting: Setting, market: int) -> bytes:
    """Rows by which the local side alone hears of executions, a feed latency after them."""
    heard = bytearray()
    for exch_ns, aggressor, ticks, lots in prints:
        side = FLAG_BUY if aggressor > 0 else FLAG_SELL
        flags = KIND_TRADE | FLAG_LOCAL | side
        heard += ROW.pack(exch_ns, exch_ns + setting.feed_latency_ns, ticks, lots, flags, market)
    return bytes(heard)


class Generated(Protocol):
    """A market that makes its rows as it goes; see SyntheticMarket."""

    market: Market

    @property
    def setting(self) -> Setting:
        """Where and when it began."""
        ...

    @property
    def finished(self) -> bool:
        """No sub-step is left."""
        ...

    def chunk(
        self,
        best_bid_ticks: int | None,
        best_ask_ticks: int | None,
        prints: Sequence[Print],
        substeps: int = 1,
    ) -> bytes:
        """Rows of some sub-steps."""
        ...

    def reference(self) -> float:
        """Mid price of an outside venue, in ticks."""
        ...


class SyntheticRows:
    """Rows of a synthetic market, one sub-step at a time, generated from what the exchange shows.

    `recorded` is given the rows of the market as anyone could have seen them, for a tape.
    """

    def __init__(
        self,
        market: Generated,
        replay: Replay,
        recorded: Callable[[bytes], None] | None,
        *,
        with_reference: bool,
    ) -> None:
        self._market = market
        self._replay = replay
        self._recorded = recorded
        self._with_reference = with_reference
        self._last = b""

    def rows(self) -> bytes:
        """Rows of the next sub-step, empty at the end."""
        market = self._market
        index = market.market.index
        prints = self._replay.take_prints(index)
        if self._recorded is not None and self._last:
            self._recorded(tape_rows(self._last, prints, market.setting, index))
        if market.finished:
            self._last = b""
            return b""
        bid, ask = self._replay.best(index)
        self._last = market.chunk(bid or 0, ask or 0, prints)
        return heard_rows(prints, market.setting, index) + self._last

    def reference(self) -> float | None:
        """Mid of the synthetic outside venue, in ticks; None when it is switched off."""
        return self._market.reference() if self._with_reference else None
