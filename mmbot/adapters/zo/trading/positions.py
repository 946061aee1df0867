"""Positions with what protects them in mind: size, average entry and the index, in ticks."""

from collections.abc import Callable
from decimal import Decimal

from mmbot.adapters.web.clock import NS_PER_S, Clock
from mmbot.adapters.zo.trading.knowledge import Knowledge
from mmbot.adapters.zo.trading.params import TradedAccount
from mmbot.adapters.zo.trading.stop_plan import Held

_OLD_INDEX_NS = 10 * NS_PER_S

IndexOf = Callable[[int], tuple[Decimal, int] | None]
"""The index price of a market in ticks, and when it was read; None before the first."""


class Positions:
    """By market, as the account was last known as a whole."""

    def __init__(
        self, known: Knowledge, traded: TradedAccount, index_of: IndexOf, clock: Clock
    ) -> None:
        self._account = known.account
        self._tally = known.joins.tally
        self._listings = traded.listings
        self._index_of = index_of
        self._clock = clock

    @property
    def newest(self) -> bool:
        """Whether nothing was traded since the account was known as a whole."""
        view = self._account.adopted
        return view is not None and self._account.views.lots(view) == self._tally.lots

    def held(self) -> list[Held]:
        """Return all of them; an index that was read long ago is not known."""
        view, now_ns = self._account.adopted, self._clock()
        by_id = {} if view is None else {each.market_id: each for each in view.positions}
        found = []
        for market, listing in enumerate(self._listings):
            price, read_ns = self._index_of(market) or (None, 0)
            index = None if now_ns - read_ns > _OLD_INDEX_NS else price
            one = by_id.get(listing.market_id)
            if one is None:
                found.append(Held(0, Decimal(0), index))
            else:
                found.append(Held(one.lots, one.entry_price.scaleb(listing.price_decimals), index))
        return found
