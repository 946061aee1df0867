"""Synthetic markets one after another: how a strategy takes it when the kind of market changes."""

from collections.abc import Sequence
from dataclasses import replace

from mmbot.adapters.sim.flow import MarketType
from mmbot.adapters.sim.synthetic import (
    FLAG_BUY,
    FLAG_EXCH,
    FLAG_LOCAL,
    FLAG_SELL,
    ROW,
    Print,
    Setting,
    SyntheticMarket,
)
from mmbot.domain.market import Market

KIND_CLEAR = 3
BEYOND_TICKS = 2**50


class Regimes:
    """Looks like one synthetic market; each begins where the price of the one before was."""

    def __init__(self, kinds: Sequence[tuple[MarketType, int]], seed: int, market: Market) -> None:
        """Take kinds of market with their lengths in seconds, in their order."""
        self.market = market
        self._seed = seed
        self._coming = list(kinds)
        self._now = self._next(Setting())

    @property
    def setting(self) -> Setting:
        """See SyntheticMarket."""
        return self._now.setting

    @property
    def finished(self) -> bool:
        """No sub-step of any is left."""
        return self._now.finished and not self._coming

    def chunk(
        self,
        best_bid_ticks: int | None,
        best_ask_ticks: int | None,
        prints: Sequence[Print],
        substeps: int = 1,
    ) -> bytes:
        """See SyntheticMarket; where a market begins, the makers of the one before are gone."""
        if not self._now.finished:
            return self._now.chunk(best_bid_ticks, best_ask_ticks, prints, substeps)
        price = self.market.price(round(self._now.reference()))
        start_ns = self._now.next_ns
        self._now = self._next(replace(self._now.setting, price=price, start_ns=start_ns))
        return self._cleared(start_ns) + self._now.chunk(None, None, (), substeps)

    def reference(self) -> float:
        """See SyntheticMarket."""
        return self._now.reference()

    def _next(self, setting: Setting) -> SyntheticMarket:
        kind, steps = self._coming.pop(0)
        return SyntheticMarket(kind, self._seed, self.market, steps, setting)

    def _cleared(self, ts_ns: int) -> bytes:
        local_ns = ts_ns + self._now.setting.feed_latency_ns
        flags = KIND_CLEAR | FLAG_EXCH | FLAG_LOCAL
        index = self.market.index
        return ROW.pack(ts_ns, local_ns, 1, 0, flags | FLAG_BUY, index) + ROW.pack(
            ts_ns, local_ns, BEYOND_TICKS, 0, flags | FLAG_SELL, index
        )
