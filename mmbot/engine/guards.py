"""Guards: what watches over one market besides the strategy, and forbids.

A desk has one. The engine writes it as events come and asks it before every decision.
"""

from typing import Final

from mmbot.domain.market import PPB
from mmbot.domain.order import Side
from mmbot.domain.quotes import Quotes
from mmbot.engine.flattening import Flattening
from mmbot.execution.tracker import Tracker, WorkingOrder
from mmbot.hedging.slicing import Slicing
from mmbot.quoting.state import QuotingState
from mmbot.risk.band import PriceBand
from mmbot.risk.limits import MarketRiskParams, RiskParams
from mmbot.risk.rejects import Permission, RejectWatch
from mmbot.risk.shock import ShockGate

MILLISECOND_NS: Final = 1_000_000
BPS_PPB: Final = PPB // 10_000
# A mid that has not moved more than this (half ticks) leaves every quote alone.
LEAST_MOVE: Final = 2


class Guards:
    """Shock gate, price band, refusals, recovery of feeds, and a flattening under way."""

    __slots__ = (
        "_ages_ns",
        "_calm",
        "_missing_books",
        "_missing_references",
        "_recovery",
        "_shock",
        "band",
        "flattening",
        "reference_share",
        "rejects",
        "slicing",
        "slippage_ppb",
    )

    def __init__(
        self,
        params: MarketRiskParams | None = None,
        account: RiskParams | None = None,
        reference_share: float = 0.0,
    ) -> None:
        params = MarketRiskParams() if params is None else params
        account = RiskParams() if account is None else account
        stale = account.stale
        self.band = PriceBand(params.max_distance_from_mark_bps)
        self.rejects = RejectWatch()
        self.flattening: Flattening | None = None
        self.slippage_ppb = round(account.flatten_max_slippage_bps * BPS_PPB)
        self.slicing = Slicing(account.flatten_over_s, account.flatten_urgency)
        self._shock = ShockGate(params.shock) if params.shock.enabled else None
        self._ages_ns = (stale.book_ms * MILLISECOND_NS, stale.reference_ms * MILLISECOND_NS)
        self._recovery = stale.recovery_updates_count
        self._missing_books = 0
        self._missing_references = 0
        # By how much the fair price follows the outside one.
        self.reference_share = reference_share
        # At the last decision: mid, centre of the quotes, half their spread (half ticks), and the
        # outside price (ticks).
        self._calm: tuple[int, int, int, float | None] | None = None

    def adopt(self, params: MarketRiskParams, account: RiskParams) -> None:
        """Hold to another price band and another slippage; all that was seen stays."""
        self.band.adopt(params.max_distance_from_mark_bps)
        self.slippage_ppb = round(account.flatten_max_slippage_bps * BPS_PPB)
        self.slicing = Slicing(account.flatten_over_s, account.flatten_urgency)

    @property
    def sigma_ticks(self) -> float:
        """Usual move of the mid a square root of a second; NaN when it is not known."""
        return float("nan") if self._shock is None else self._shock.sigma

    def lost_book(self) -> None:
        """The book is gone; the next one was made sure of before it comes."""
        self._calm = None

    def take_book(self, last_ns: int | None, now_ns: int) -> None:
        """Count an update of the book; `last_ns` is when the one before it came."""
        if last_ns is not None and now_ns - last_ns >= self._ages_ns[0]:
            self._missing_books = self._recovery
        if self._missing_books:
            self._missing_books -= 1

    def take_reference(self, last_ns: int | None, now_ns: int) -> None:
        """Count an outside price; `last_ns` is when the one before it came."""
        if last_ns is not None and now_ns - last_ns >= self._ages_ns[1]:
            self._missing_references = self._recovery
        if self._missing_references:
            self._missing_references -= 1

    def stop_reason(self, state: QuotingState, best: tuple[int, int], now_ns: int) -> str | None:
        """Why the market must have no quotes now, or None; watches the prices as it goes."""
        shock = self._shock
        if state.book_ts_ns is None:
            return "no book"
        if shock is not None:
            if 0 < best[0] < best[1]:
                shock.observe(best[0], best[1], now_ns)
            if shock.pulls(now_ns):
                return "shock"
        if self._missing_books:
            return "book recovering"
        if self._missing_references:
            return "reference recovering"
        rejects = self.rejects
        if not rejects.quiet:
            rejects.settle(now_ns)
            if rejects.paused(now_ns):
                return "too many refusals"
        return None

    def trusts_book(self, state: QuotingState, now_ns: int) -> bool:
        """Is the book there, fresh and recovered?"""
        last_ns = state.book_ts_ns
        return (
            last_ns is not None and now_ns - last_ns < self._ages_ns[0] and not self._missing_books
        )

    def reduces(self, now_ns: int) -> bool:
        """May the position only become smaller now?"""
        return self._shock is not None and self._shock.reduces(now_ns)

    def permission(self, state: QuotingState, now_ns: int) -> Permission:
        """What may be sent after refusals."""
        return self.rejects.permission(state.book_ts_ns, now_ns)

    def remember(self, quotes: Quotes, half_ticks: int, reference: float | None = None) -> None:
        """Keep where the quotes stand around this mid (best bid + best ask) and outside price."""
        bids, asks = quotes.bids, quotes.asks
        if bids and asks:
            bid, ask = bids[0].ticks, asks[0].ticks
            self._calm = (half_ticks, bid + ask, max((ask - bid) // 2, LEAST_MOVE), reference)
        elif bids or asks:
            away = half_ticks - 2 * (bids or asks)[0].ticks
            self._calm = (half_ticks, half_ticks, max(abs(away) // 2, LEAST_MOVE), reference)
        else:
            self._calm = None

    def endangered(self, state: QuotingState, tracker: Tracker) -> list[WorkingOrder]:
        """Orders within half of half the spread of where price has moved since the decision.

        Price is the mid, or the fair price where that has moved further.
        """
        if self._calm is None:
            return []
        then, centre, near, outside = self._calm
        best_bid, _, best_ask, _ = state.book.touch()
        if not 0 < best_bid < best_ask:
            return []
        moved: float = best_bid + best_ask - then
        reference = state.reference_ticks
        if self.reference_share and outside is not None and reference is not None:
            fair = moved + self.reference_share * (2.0 * (reference - outside) - moved)
            if abs(fair) > abs(moved):
                moved = fair
        if -near < moved < near:
            return []
        self._calm = None
        side = Side.BID if moved < 0 else Side.ASK
        nearest = centre + moved
        return [
            order
            for order in tracker.cancellable()
            if order.side is side and side * (nearest - 2 * order.ticks) <= near
        ]
