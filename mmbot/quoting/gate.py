"""Gate: may this market be quoted now? Anything missing, old or odd in its inputs says no."""

from math import inf

from mmbot.quoting.state import QuotingLimits, QuotingState, Top

MILLISECOND_NS = 1_000_000


class Gate:
    """Health of book and account figures (spec section 2); the reasons are constant texts."""

    __slots__ = (
        "_max_age_ns",
        "_max_spread",
        "_min_levels",
        "_needs_free",
        "_old",
        "_thin",
        "_wide",
    )

    def __init__(self, min_levels: int, limits: QuotingLimits, *, needs_free: bool) -> None:
        self._min_levels = min_levels
        self._max_spread = limits.max_book_spread_ratio
        self._max_age_ns = limits.book_max_age_ns
        self._needs_free = needs_free
        self._thin = f"fewer than {min_levels} levels on a side"
        self._wide = f"book spread above {self._max_spread * 1e4:g} bps"
        self._old = f"book older than {self._max_age_ns // MILLISECOND_NS} ms"

    def reason(self, state: QuotingState, top: Top) -> str | None:
        """Why not to quote, or None; `top` is the book without what is not to count."""
        best_bid, best_ask, _, _, _, mid, bid_levels, ask_levels = top
        if state.book_ts_ns is None:
            return "no book"
        if state.now_ns - state.book_ts_ns >= self._max_age_ns:
            return self._old
        if bid_levels < self._min_levels or ask_levels < self._min_levels:
            return self._thin
        if best_bid >= best_ask:
            return "book crossed or locked"
        if not 0.0 < mid < inf:
            return "mid not a positive number"
        if best_ask - best_bid > self._max_spread * mid:
            return self._wide
        if state.equity_uusd is None:
            return "equity unknown"
        if state.equity_uusd <= 0:
            return "equity not positive"
        if self._needs_free and state.free_uusd is None:
            return "free collateral unknown"
        return None
