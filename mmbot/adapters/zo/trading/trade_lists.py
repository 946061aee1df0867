"""The account's two lists of trades, each read on from where it was read to.

Nothing in an answer tells a list that ends from one that was cut short. So every reading asks once
more for what the one before it took, and has to show that again.
"""

from typing import NamedTuple

from mmbot.adapters.zo.rest.answers import OwnTrade
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.rest.own_trades import Listed, in_order, made_trades, taken_trades
from mmbot.adapters.zo.trading.params import TradedAccount


class Reading(NamedTuple):
    """Trades that were not taken before, oldest first; `whole`: what was is there again."""

    rows: list[OwnTrade]
    whole: bool
    made: Listed
    taken: Listed


class TradeLists:
    """Both lists, at first from the trade `after` on. A reading counts once it is taken."""

    def __init__(self, http: ZoHttp, traded: TradedAccount, after: int) -> None:
        self._http = http
        self._asked = traded.signer.account_id, traded.catalog
        self._made = _Place(after)
        self._taken = _Place(after)
        # The trade that a run before ended with is in one of them.
        self._found = not after

    async def read(self) -> Reading:
        """Read both; a VenueError says that nothing is known."""
        made = await made_trades(self._http, *self._asked, self._made.after)
        taken = await taken_trades(self._http, *self._asked, self._taken.after)
        found = self._found or made.reached or taken.reached
        return Reading(
            in_order([*self._made.fresh(made), *self._taken.fresh(taken)]),
            found and self._made.shown_by(made) and self._taken.shown_by(taken),
            made,
            taken,
        )

    def take(self, reading: Reading, *, explained: bool) -> None:
        """Take it; only when it explains everything the next one goes on from there."""
        self._found = True
        self._made.take(reading.made, explained=explained)
        self._taken.take(reading.taken, explained=explained)


class _Place:
    """How far one list was read; later trades in it that were taken are kept until it goes on."""

    def __init__(self, after: int) -> None:
        self.after = after
        self._is_listed = False
        self._last: set[int] = set()

    def shown_by(self, listed: Listed) -> bool:
        """Whether everything is there that was there before."""
        return (listed.reached or not self._is_listed) and self._last <= _ids(listed)

    def fresh(self, listed: Listed) -> list[OwnTrade]:
        return [own for own in listed.rows if own.trade.trade_id not in self._last]

    def take(self, listed: Listed, *, explained: bool) -> None:
        ids = _ids(listed)
        if not explained:
            self._last |= ids
            return
        fresh = ids - self._last
        self._is_listed = self._last <= ids if self._last else listed.reached
        self.after = max(self._last, default=self.after)
        self._last = {trade_id for trade_id in fresh if trade_id > self.after}


def _ids(listed: Listed) -> set[int]:
    return {own.trade.trade_id for own in listed.rows}
