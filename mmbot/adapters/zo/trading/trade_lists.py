"""The account's two lists of trades, each read on from where it was read to.

Nothing in an answer tells a list that ends from one that was cut short. So every reading asks once
more for what the one before it took, and has to show that again.
"""

from collections.abc import Callable
from typing import NamedTuple

from mmbot.adapters.zo.rest.answers import OwnTrade
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.rest.own_trades import Listed, in_order, made_trades, taken_trades
from mmbot.adapters.zo.trading.params import TradedAccount
from mmbot.errors import ProtocolViolation

# How often lists are read again before they, or a position, are taken as they are, twice a second:
# they may be far behind, nothing is quoted meanwhile, and a liquidation is found in a list of its
# own.
MOST_READINGS = 60


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
        # How often in a row something was lacking.
        self._lacked = 0

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

    def weigh(self, reading: Reading, warn: Callable[[str], None], *, lacking: bool) -> None:
        """Refuse, for a while, lists that lack what they had, or what is known otherwise."""
        if reading.whole and not lacking:
            self._lacked = 0
            return
        self._lacked += 1
        if self._lacked < MOST_READINGS:
            raise ProtocolViolation("/trades: the list lacks what it had or what was executed")
        self._lacked = 0
        if not reading.whole:
            warn("the list of trades does not show any more what it had")

    def take(self, reading: Reading, explained_to: int) -> None:
        """Take it, and go on from what was taken before and is of an action that is explained."""
        self._found = True
        self._made.take(reading.made, explained_to)
        self._taken.take(reading.taken, explained_to)

    @property
    def explained(self) -> int:
        """The trade up to which all are taken."""
        return max(self._made.after, self._taken.after)


class _Place:
    """How far one list was read. `_newer`: actions of the trades taken after that, by trade."""

    def __init__(self, after: int) -> None:
        self.after = after
        self._is_listed = False
        self._newer: dict[int, int] = {}
        # Those of them that the reading before showed.
        self._shown: set[int] = set()

    def shown_by(self, listed: Listed) -> bool:
        """Whether everything is there that was there before."""
        known = listed.reached or not self._is_listed
        return known and self._shown <= _actions(listed).keys()

    def fresh(self, listed: Listed) -> list[OwnTrade]:
        return [own for own in listed.rows if own.trade.trade_id not in self._newer]

    def take(self, listed: Listed, explained_to: int) -> None:
        """Take what is fresh; what is not there any more is known still, and not waited for."""
        explained = [trade for trade, action in self._newer.items() if action <= explained_to]
        self.after = max(explained, default=self.after)
        shown = _actions(listed)
        self._is_listed = listed.reached or any(trade <= self.after for trade in shown)
        newer = {**self._newer, **shown}
        self._newer = {trade: action for trade, action in newer.items() if trade > self.after}
        self._shown = shown.keys() & self._newer.keys()


def _actions(listed: Listed) -> dict[int, int]:
    return {own.trade.trade_id: own.trade.action_id for own in listed.rows}
