"""Stages: from a fair price to quotes, each by the model configured for it.

Width -> shift -> reservation price -> sizes -> levels; nothing is learned here.
"""

from mmbot.domain.market import Market
from mmbot.domain.quotes import Quotes, Room
from mmbot.quoting.ladder import Ladder
from mmbot.quoting.params import QuotingParams
from mmbot.quoting.shares import Shares
from mmbot.quoting.signals import Signals
from mmbot.quoting.sizing import SizingCalculator
from mmbot.quoting.skew import InventoryManager, Portfolio
from mmbot.quoting.spread import SpreadCalculator
from mmbot.quoting.state import QuotingLimits, QuotingState, Top

Numbers = tuple[float, float, float, float, float]
"""Imbalance, spread, position ratio, skew, reservation price."""


class Stages:
    """The stages of one market in their order."""

    __slots__ = ("_index", "_inventory", "_ladder", "_sizing", "_spread", "portfolio", "shares")

    def __init__(
        self,
        params: QuotingParams,
        limits: QuotingLimits,
        market: Market,
        portfolio: Portfolio | None,
    ) -> None:
        self._index = market.index
        self.portfolio = None
        if params.inventory.model == "portfolio":
            self.portfolio = Portfolio(market.index + 1) if portfolio is None else portfolio
        self._spread = SpreadCalculator(params.spread)
        self._inventory = InventoryManager(params.inventory, limits, market, params.spread)
        self._sizing = SizingCalculator(params.sizing, limits, market, params.levels.count)
        self._ladder = Ladder(params.levels, self._sizing)
        self.shares = Shares(params.sizing)

    def quotes(
        self, state: QuotingState, top: Top, fair: float, signals: Signals
    ) -> tuple[Quotes, Numbers]:
        """Quotes around a fair price, and the numbers behind them; equity is known."""
        best_bid, best_ask, _, _, imbalance, _, _, _ = top
        half_ticks, equity_uusd = best_bid + best_ask, state.equity_uusd or 0
        inventory = self._inventory
        spread = self._spread.width(imbalance, signals)
        ratio = inventory.position_ratio(
            state.position_lots, half_ticks, equity_uusd, signals.sigma
        )
        skew = self._skew(state, (half_ticks, ratio, spread), signals)
        reservation = inventory.reservation(fair, skew)
        budget = self._sizing.budget(equity_uusd, state.free_uusd)
        budget = self.shares.of(budget, ratio, signals)
        room = self._room(state, ratio, signals)
        quotes = self._ladder.quotes(reservation, spread, (best_bid, best_ask), budget, room)
        if signals.gate is not None:
            quotes = Quotes(quotes.bids, quotes.asks, signals.gate)
        return quotes, (imbalance, spread, ratio, skew, reservation)

    def half_bps(self, signals: Signals) -> float:
        """Half width as the model has it, before anything widens or bounds it."""
        return self._spread.half_bps(signals)

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

    def _skew(
        self, state: QuotingState, numbers: tuple[int, float, float], signals: Signals
    ) -> float:
        """Relative shift of both quotes. numbers: half ticks, position ratio, spread."""
        half_ticks, ratio, spread = numbers
        inventory, portfolio = self._inventory, self.portfolio
        units = inventory.units(state.position_lots, half_ticks)
        if portfolio is not None:
            portfolio.note(self._index, state.now_ns, half_ticks * 0.5, units)
            ratio = inventory.pulled_ratio(
                portfolio.pull(self._index), state.equity_uusd or 0, signals.sigma
            )
        return inventory.shift(ratio, units, spread, signals)

    def _room(self, state: QuotingState, ratio: float, signals: Signals) -> Room:
        """What may rest; only what reduces where no depth pays or the position is full."""
        room, lots = state.room, state.position_lots
        if signals.gate is None and not (self._inventory.shrinks and abs(ratio) >= 1.0):
            return room
        return Room(
            min(room.bid_lots, max(-lots, 0)), min(room.ask_lots, max(lots, 0)), room.limit_lots
        )
