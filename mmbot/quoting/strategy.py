"""Strategy: what should rest on the book now. MarketMaker runs the stages of the model in order.

Fair price -> spread -> skew -> reservation price -> ladder; the gate comes first (spec 2 to 8).
Every stage runs the model configured for it; what models learn is fed to them by `observe`.
"""

from typing import Protocol, runtime_checkable

from msgspec import Struct

from mmbot.domain.events import Fill
from mmbot.domain.market import Market
from mmbot.domain.quotes import Hold, Quotes
from mmbot.quoting.fair import FairPrice
from mmbot.quoting.gate import Gate
from mmbot.quoting.learning import Learning
from mmbot.quoting.params import QuotingParams, learns
from mmbot.quoting.skew import Portfolio
from mmbot.quoting.stages import Numbers, Stages
from mmbot.quoting.state import QuotingLimits, QuotingState, Top


class Strategy(Protocol):
    """Anything that can say what should rest on one market."""

    def decide(self, state: QuotingState) -> Hold | Quotes:
        """Full set of quotes wanted now, or HOLD to leave things as they are."""
        ...


@runtime_checkable
class Observer(Protocol):
    """A strategy that may learn: it sees the market before every decision, and its own fills."""

    @property
    def learns(self) -> bool:
        """Does it? One that does not now is shown nothing."""
        ...

    def observe(self, state: QuotingState) -> None:
        """See the market as it is, whether or not a decision follows."""
        ...

    def take_fill(self, fill: Fill) -> None:
        """An order of ours was filled."""
        ...


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
_Told = tuple[str | None] | tuple[str | None, float, Numbers]
# Nothing seen yet.
_UNSEEN = (-1, None, "")


class MarketMaker:
    """The strategy of the quoting model. It never holds: no opinion means no quotes."""

    __slots__ = (
        "_depth",
        "_exclude_own",
        "_fair",
        "_gate",
        "_last",
        "_learns",
        "_seen",
        "learning",
        "params",
        "stages",
    )

    def __init__(
        self,
        params: QuotingParams,
        limits: QuotingLimits,
        market: Market,
        portfolio: Portfolio | None = None,
    ) -> None:
        self.params = params
        self._depth = params.fair_price.book_levels
        self._exclude_own = params.fair_price.exclude_own
        self._gate = Gate(
            params.fair_price.min_levels_count,
            limits,
            needs_free=params.sizing.mode == "percentage",
        )
        self._fair = FairPrice(params.fair_price, limits)
        self.stages = Stages(params, limits, market, portfolio)
        slopes = params.fair_price.slopes
        self.learning = Learning(
            params.estimates, params.spread, (slopes.imbalance_bps, slopes.reference_share)
        )
        self._learns = learns(params)
        self._seen: tuple[int, Top | None, float | str] = _UNSEEN
        self._last: _Told = ("no decision yet",)

    @property
    def last(self) -> Decision:
        """What explains the latest answer."""
        if len(self._last) == 1:
            return Decision(*self._last)
        reason, fair, numbers = self._last
        return Decision(reason, fair, *numbers)

    @property
    def learns(self) -> bool:
        """Does any of its models learn?"""
        return bool(self._learns)

    def renewed(
        self, params: QuotingParams, limits: QuotingLimits, market: Market
    ) -> "MarketMaker":
        """Return one with other settings that keeps what was learned, where it still applies."""
        fresh = MarketMaker(params, limits, market, self.stages.portfolio)
        if params.fair_price == self.params.fair_price:
            fresh._fair = self._fair
        if (params.estimates, params.spread) == (self.params.estimates, self.params.spread):
            fresh.learning = self.learning
        fresh.stages.shares.trips = self.stages.shares.trips
        return fresh

    def size_cut(self, state: QuotingState, quotes: Quotes) -> float:
        """Share of the size asked for that limits took away, by the fuller side; 0 to 1."""
        return self.stages.size_cut(state, quotes)

    def observe(self, state: QuotingState) -> None:
        """Learn from the market as it is."""
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
        self.stages.shares.trips.fill(fill.side, fill.ticks, fill.lots)
        if fill.maker:
            fair = self._seen[2]
            at = float(fill.ticks) if isinstance(fair, str) else fair
            self.learning.fills.filled(fill.ts_recv_ns, fill.side, fill.ticks, at)

    def decide(self, state: QuotingState) -> Quotes:
        """Quotes wanted now; empty, with the reason, when the market must not be quoted."""
        seen_ns, top, fair = self._seen
        # What was seen of this very moment need not be looked at again.
        if top is None or seen_ns != state.now_ns:
            top = state.book.top(self._depth, self._exclude_own)
            seen_ns = -1
        reason = self._gate.reason(state, top)
        equity_uusd = state.equity_uusd
        if reason is not None or equity_uusd is None:
            return self._nothing(reason)
        if seen_ns < 0:
            fair = self._fair.price(state, top[5], self.learning.signals)
        if isinstance(fair, str):
            return self._nothing(fair)
        quotes, numbers = self.stages.quotes(state, top, fair, self.learning.signals)
        self._last = (quotes.reason, fair, numbers)
        return quotes

    def _nothing(self, reason: str | None) -> Quotes:
        self._last = (reason,)
        return Quotes((), (), reason)
