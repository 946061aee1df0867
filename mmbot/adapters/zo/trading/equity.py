"""The account's margin figures, told only when what moved its money is known.

Whoever limits losses must hear of a deposit or withdrawal before the figures that contain it:
figures whose balance no execution explains wait for the audit, and grow old if that takes long.
"""

from mmbot.adapters.zo.rest.answers import AccountView
from mmbot.adapters.zo.trading.due import Due
from mmbot.adapters.zo.trading.hindrances import Outlet
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.adapters.zo.trading.params import TradedAccount
from mmbot.adapters.zo.trading.views import Views
from mmbot.domain.market import MICRO

# Fee and profit of an execution move the balance by less than this share of its value; what moves
# it by more is looked up first, which costs a moment and nothing else.
_MOVES_PPM = 5_000
_ROUNDING_UUSD = 2


class Equity:
    """`first` is the view that the run began with, `held` the one whose figures wait."""

    def __init__(
        self,
        traded: TradedAccount,
        outlet: Outlet,
        money: list[MarketMoney],
        pauses_ms: tuple[int, int],
    ) -> None:
        """`pauses_ms` between looks at the account, see Due."""
        self.due = Due(*pauses_ms)
        self.first: AccountView | None = None
        self.held: AccountView | None = None
        self.views = Views(traded, outlet)
        self._money = money
        # Balance that was explained last, and by how much executions may have moved it since.
        self._balance_uusd = 0
        self._allowed_uusd = 0

    def executed(self, market: int, ticks: int, lots: int) -> None:
        """An execution was told."""
        money = self._money[market]
        value = money.uusd(abs(money.market.unit_value(2 * ticks)) * lots)
        self._allowed_uusd += value * _MOVES_PPM // MICRO + _ROUNDING_UUSD

    def view(self, view: AccountView, now_ns: int) -> bool:
        """Tell the figures of a view, or keep them; False when its money has to be explained."""
        if self.first is None:
            self.first = view
            self._balance_uusd = self.uusd(view)
        moved = abs(self.uusd(view) - self._balance_uusd)
        told = moved <= self._allowed_uusd + _ROUNDING_UUSD
        self.held = None if told else view
        if told:
            self.views.margins(view, now_ns)
        self.due.viewed(now_ns, told=told)
        return told

    def explained(self, view: AccountView, now_ns: int) -> None:
        """The balance of this view is explained, and transfers that led to it were told."""
        self._balance_uusd = self.uusd(view)
        self._allowed_uusd = 0
        if self.held is not None:
            self.view(self.held, now_ns)

    def uusd(self, view: AccountView) -> int:
        """Return the settlement money of a view in micro-USD."""
        token_id = self._money[0].listing.quote_token_id
        per_unit = int(10 ** self.views.token_decimals(token_id))
        return view.balances.get(token_id, 0) * MICRO // per_unit
