"""Strategy: what should rest on the book now. MarketMaker runs the stages of the model in order.

Fair price -> spread -> skew -> reservation price -> ladder; the gate comes first (spec 2 to 8).
Every stage runs the model configured for it; what models learn is fed to them by `observe`.
"""

from typing import Protocol, runtime_checkable

from msgspec import Struct

from mmbot.domain.events import Fill
from mmbot.domain.market import Market
from mmbot.domain.params import Params
from mmbot.domain.quotes import Hold, Quotes, Room
from mmbot.quoting.fair import LEARNING, FairPrice, FairPriceParams
from mmbot.quoting.gate import Gate
from mmbot.quoting.ladder import Ladder, LevelsParams
from mmbot.quoting.learning import EstimateParams, Learning
from mmbot.quoting.portfolio import Portfolio
from mmbot.quoting.shares import Shares
from mmbot.quoting.sizing import SizingCalculator, SizingParams
from mmbot.quoting.skew import InventoryManager, InventoryParams
from mmbot.quoting.spread import SpreadCalculator, SpreadParams
from mmbot.quoting.state import QuotingLimits, QuotingState, Top


class Strategy(Protocol):
    """Anything that can say what should rest on one market."""

    def decide(self, state: QuotingState) -> Hold | Quotes:
        """Full set of quotes wanted now, or HOLD to leave things as they are."""
        ...


@runtime_checkable
class Observer(Protocol):
    """A strategy that learns: it sees the market before every decision, and its own fills."""

    def observe(self, state: QuotingState) -> None:
        """See the market as it is, whether or not a decision follows."""
        ...

    def take_fill(self, fill: Fill) -> None:
        """An order of ours was filled."""
        ...


class QuotingParams(Params):
    """Settings of the quoting model, one block per stage."""

    fair_price: FairPriceParams = FairPriceParams()
    spread: SpreadParams = SpreadParams()
    inventory: InventoryParams = InventoryParams()
    levels: LevelsParams = LevelsParams()
    sizing: SizingParams = SizingParams()
    estimates: EstimateParams = EstimateParams()


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
# Nothing seen yet.
_UNSEEN = (-1, None, "")


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
        "_learns",
        "_market",
        "_portfolio",
        "_seen",
        "_shares",
        "_sizing",
        "_spread",
        "learning",
        "params",
    )

    def __init__(
        self,
        params: QuotingParams,
        limits: QuotingLimits,
        market: Market,
        portfolio: Portfolio | None = None,
    ) -> None:
        self.params = params
        self._market = market
        self._depth = params.fair_price.book_levels
        self._exclude_own = params.fair_price.exclude_own
        self._gate = Gate(
            params.fair_price.min_levels_count,
            limits,
            needs_free=params.sizing.mode == "percentage",
        )
        self._fair = FairPrice(params.fair_price, limits)
        self._spread = SpreadCalculator(params.spread)
        self._inventory = InventoryManager(params.inventory, limits, market, params.spread)
        self._portfolio = None
        if params.inventory.model == "portfolio":
            self._portfolio = Portfolio(market.index + 1) if portfolio is None else portfolio
        self._sizing = SizingCalculator(params.sizing, limits, market, params.levels.count)
        self._ladder = Ladder(params.levels, self._sizing)
        self._shares = Shares(params.sizing)
        slopes = params.fair_price.slopes
        self.learning = Learning(
            params.estimates, params.spread, (slopes.imbalance_bps, slopes.reference_share)
        )
        self._learns = learns(params)
        self._seen: tuple[int, Top | None, float | str] = _UNSEEN
        self._last: _Numbers = ("no decision yet",)

    @property
    def last(self) -> Decision:
        """What explains the latest answer."""
        return Decision(*self._last)

    def renewed(
        self, params: QuotingParams, limits: QuotingLimits, market: Market
    ) -> "MarketMaker":
        """Return one with other settings that keeps what was learned, where it still applies."""
        fresh = MarketMaker(params, limits, market, self._portfolio)
        if params.fair_price == self.params.fair_price:
            fresh._fair = self._fair
        if (params.estimates, params.spread) == (self.params.estimates, self.params.spread):
            fresh.learning = self.learning
        fresh._shares.trips = self._shares.trips
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

    def observe(self, state: QuotingState) -> None:
        """Learn from the market as it is; nothing where no model does."""
        if not self._learns:
            return
        top = state.book.top(self._depth, self._exclude_own)
        best_bid, best_ask, mid = top[0], top[1], top[5]
        if state.book_ts_ns is None or not 0 < best_bid < best_ask:
            return
        learning = self.learning
        signals = learning.signals
        learning.see(state, mid, best_ask - best_bid)
        self._fair.learn(state, mid, signals)
        fair = self._fair.price(state, mid, signals)
        learning.judge(state, mid, mid if isinstance(fair, str) else fair, (best_bid, best_ask))
        self._seen = (state.now_ns, top, fair)

    def take_fill(self, fill: Fill) -> None:
        """Keep a fill of a resting order, to be judged when its time has come."""
        if not self._learns:
            return
        self._shares.trips.fill(fill.side, fill.ticks, fill.lots)
        if fill.maker:
            fair = self._seen[2]
            at = float(fill.ticks) if isinstance(fair, str) else fair
            self.learning.fills.filled(fill.ts_recv_ns, fill.side, fill.ticks, at)

    def decide(self, state: QuotingState) -> Quotes:
        """Quotes wanted now; empty, with the reason, when the market must not be quoted."""
        seen_ns, seen, fair = self._seen
        signals = self.learning.signals
        fresh = seen is not None and seen_ns == state.now_ns
        top = seen if seen is not None and fresh else self._top(state)
        reason = self._gate.reason(state, top)
        equity_uusd = state.equity_uusd
        if reason is not None or equity_uusd is None:
            return self._nothing(reason)
        best_bid, best_ask, _, _, imbalance, mid, _, _ = top
        if not fresh:
            fair = self._fair.price(state, mid, signals)
        if isinstance(fair, str):
            return self._nothing(fair)
        spread = self._spread.width(imbalance, signals)
        half_ticks = best_bid + best_ask
        inventory = self._inventory
        ratio = inventory.position_ratio(
            state.position_lots, half_ticks, equity_uusd, signals.sigma
        )
        skew = self._skew(state, ratio, spread, half_ticks)
        reservation = inventory.reservation(fair, skew)
        budget = self._sizing.budget(equity_uusd, state.free_uusd)
        room = self._room(state, ratio)
        shares = self._shares.now(ratio, signals)
        quotes = self._ladder.quotes(
            reservation, spread, (best_bid, best_ask), budget, room, shares
        )
        if signals.gate is not None:
            quotes = Quotes(quotes.bids, quotes.asks, signals.gate)
        self._last = (quotes.reason, fair, imbalance, spread, ratio, skew, reservation)
        return quotes

    def _top(self, state: QuotingState) -> Top:
        return state.book.top(self._depth, self._exclude_own)

    def _skew(self, state: QuotingState, ratio: float, spread: float, half_ticks: int) -> float:
        inventory, portfolio = self._inventory, self._portfolio
        units = inventory.units(state.position_lots, half_ticks)
        if portfolio is not None:
            index = self._market.index
            portfolio.note(index, state.now_ns, half_ticks * 0.5, units)
            ratio = inventory.pulled_ratio(
                portfolio.pull(index), state.equity_uusd or 0, self.learning.signals.sigma
            )
        return inventory.shift(ratio, units, spread, self.learning.signals)

    def _room(self, state: QuotingState, ratio: float) -> Room:
        """What may rest; only what reduces where no depth pays or the position is full."""
        room, lots = state.room, state.position_lots
        gated = self.learning.signals.gate is not None
        if not gated and not (self._inventory.shrinks and abs(ratio) >= 1.0):
            return room
        return Room(
            min(room.bid_lots, max(-lots, 0)), min(room.ask_lots, max(lots, 0)), room.limit_lots
        )

    def _nothing(self, reason: str | None) -> Quotes:
        self._last = (reason,)
        return Quotes((), (), reason)


def learns(params: QuotingParams) -> bool:
    """Does any stage run a model that has to see the market before it can answer?"""
    sizing = params.sizing
    return (
        params.fair_price.source in LEARNING
        or params.spread.model not in ("seed", "fixed")
        or params.inventory.model in ("as", "glft")
        or params.inventory.daily_loss_share > 0
        or sizing.volatility_reference_bps > 0
        or sizing.losing_trips_count > 0
        or params.spread.toxic_widening > 1
    )
