"""Strategy: what should rest on the book now. MarketMaker runs the stages of the model in order.

Fair price -> spread -> skew -> reservation price -> ladder; the gate comes first (spec 2 to 8).
"""

from typing import Protocol

from msgspec import Struct

from mmbot.domain.market import Market
from mmbot.domain.params import Params
from mmbot.domain.quotes import Hold, Quotes
from mmbot.quoting.fair import FairPrice, FairPriceParams
from mmbot.quoting.gate import Gate
from mmbot.quoting.ladder import Ladder, LevelsParams
from mmbot.quoting.sizing import SizingCalculator, SizingParams
from mmbot.quoting.skew import InventoryManager, InventoryParams
from mmbot.quoting.spread import SpreadCalculator, SpreadParams
from mmbot.quoting.state import QuotingLimits, QuotingState


class Strategy(Protocol):
    """Anything that can say what should rest on one market."""

    def decide(self, state: QuotingState) -> Hold | Quotes:
        """Full set of quotes wanted now, or HOLD to leave things as they are."""
        ...


class QuotingParams(Params):
    """Settings of the quoting model, one block per stage."""

    fair_price: FairPriceParams = FairPriceParams()
    spread: SpreadParams = SpreadParams()
    inventory: InventoryParams = InventoryParams()
    levels: LevelsParams = LevelsParams()
    sizing: SizingParams = SizingParams()


class Decision(Struct, frozen=True, gc=False):
    """The numbers behind one answer; all but the reason are absent when the gate said no.

    Prices in ticks; spread, position_ratio and skew are ratios, skew with its direction.
    """

    reason: str | None
    fair: float | None = None
    imbalance: float | None = None
    spread: float | None = None
    position_ratio: float | None = None
    skew: float | None = None
    reservation: float | None = None


# A Decision not made yet: it is made when somebody asks.
_Numbers = tuple[str | None] | tuple[str | None, float, float, float, float, float, float]


class MarketMaker:
    """The strategy of the quoting model. It never holds: no opinion means no quotes."""

    __slots__ = (
        "_depth",
        "_exclude_own",
        "_fair",
        "_gate",
        "_inventory",
        "_ladder",
        "_last",
        "_sizing",
        "_spread",
        "params",
    )

    def __init__(self, params: QuotingParams, limits: QuotingLimits, market: Market) -> None:
        self.params = params
        self._depth = params.fair_price.book_levels
        self._exclude_own = params.fair_price.exclude_own
        self._gate = Gate(
            params.fair_price.min_levels_count,
            limits,
            needs_free=params.sizing.mode == "percentage",
        )
        self._fair = FairPrice(params.fair_price, limits)
        self._spread = SpreadCalculator(params.spread)
        self._inventory = InventoryManager(params.inventory, limits, market)
        self._sizing = SizingCalculator(params.sizing, limits, market, params.levels.count)
        self._ladder = Ladder(params.levels, self._sizing)
        self._last: _Numbers = ("no decision yet",)

    @property
    def last(self) -> Decision:
        """What explains the latest answer."""
        return Decision(*self._last)

    def renewed(
        self, params: QuotingParams, limits: QuotingLimits, market: Market
    ) -> "MarketMaker":
        """Return one with other settings that keeps what was learned of the outside price."""
        fresh = MarketMaker(params, limits, market)
        if params.fair_price == self.params.fair_price:
            fresh._fair = self._fair
        return fresh

    def size_cut(self, state: QuotingState, quotes: Quotes) -> float:
        """Share of the size asked for that limits took away, by the fuller side; 0 to 1."""
        equity_uusd = state.equity_uusd
        if equity_uusd is None or not (quotes.bids or quotes.asks):
            return 0.0
        budget = self._sizing.budget(equity_uusd, state.free_uusd)
        shares = [
            self._sizing.share(budget, levels) for levels in (quotes.bids, quotes.asks) if levels
        ]
        return 1.0 - min(shares)

    def decide(self, state: QuotingState) -> Quotes:
        """Quotes wanted now; empty, with the reason, when the market must not be quoted."""
        top = state.book.top(self._depth, self._exclude_own)
        reason = self._gate.reason(state, top)
        equity_uusd = state.equity_uusd
        if reason is not None or equity_uusd is None:
            return self._nothing(reason)
        best_bid, best_ask, _, _, imbalance, mid, _, _ = top
        fair = self._fair.price(state, mid)
        if isinstance(fair, str):
            return self._nothing(fair)
        spread = self._spread.spread(imbalance)
        inventory = self._inventory
        ratio = inventory.position_ratio(state.position_lots, best_bid + best_ask, equity_uusd)
        skew = inventory.skew(ratio)
        reservation = inventory.reservation(fair, skew)
        budget = self._sizing.budget(equity_uusd, state.free_uusd)
        quotes = self._ladder.quotes(reservation, spread, (best_bid, best_ask), budget, state.room)
        self._last = (quotes.reason, fair, imbalance, spread, ratio, skew, reservation)
        return quotes

    def _nothing(self, reason: str | None) -> Quotes:
        self._last = (reason,)
        return Quotes((), (), reason)
