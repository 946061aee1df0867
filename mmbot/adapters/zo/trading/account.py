"""The account as events: every update of its stream once, snapshots when stream and REST agree.

After a gap the executions that were missed are exactly the venue's trades whose action lies
between what was told and what was adopted; until they are told, `account` forbids quoting.
"""

from collections.abc import Callable
from typing import NamedTuple

from mmbot.adapters.zo.rest.answers import AccountView, HeldPosition
from mmbot.adapters.zo.streams.frames import AccountFrame
from mmbot.adapters.zo.trading.hindrances import Hindrances, Outlet
from mmbot.adapters.zo.trading.joins import Joins
from mmbot.adapters.zo.trading.params import TradedAccount
from mmbot.adapters.zo.trading.settling import Settling
from mmbot.domain.events import AccountSnapshot, VenueOrder, VenueSnapshot

ACCOUNT = "account"
_VIEWS = 8


class Asking(NamedTuple):
    """What the account wants done: a proof by REST, the trades' list read, a warning given."""

    proof: Callable[[], None]
    audit: Callable[[], None]
    warn: Callable[[str], None]


class Account:
    """AccountSink of the traded account.

    `begun` is the update the account was first known at; `adopted` the last view that was taken or
    agreed with. `short`: signed lots by market that the list of trades has to explain, None unless
    executions were missed.
    """

    def __init__(
        self,
        traded: TradedAccount,
        outlet: Outlet,
        hindrances: Hindrances,
        joins: Joins,
        settling: Settling,
    ) -> None:
        self.short: list[int] | None = None
        self.begun = 0
        self.adopted: AccountView | None = None
        self.gaps = 0
        self.asking: Asking | None = None
        self.viewed: Callable[[AccountView, int], None] | None = None
        self._index = {listing.market_id: at for at, listing in enumerate(traded.listings)}
        self._tokens = traded.catalog.tokens
        self._account_id = traded.signer.account_id
        self._outlet = outlet
        self._hindrances = hindrances
        self._joins = joins
        self._settling = settling
        # When recent views were asked for: what follows from one depends on it.
        self._asked: list[tuple[AccountView, int]] = []
        self._synced = False

    @property
    def in_step(self) -> bool:
        """Whether everything the account did has been told."""
        return self._synced and self.short is None

    def index(self, market_id: int) -> int | None:
        """Return the engine's number of a market, None for one that is not traded."""
        return self._index.get(market_id)

    def token_decimals(self, token_id: int) -> int:
        """Return the digits of a token's amounts."""
        return self._tokens[token_id].decimals

    def asked(self, view: AccountView, asked_ns: int) -> None:
        """Note when a view was asked for."""
        self._asked.append((view, asked_ns))
        del self._asked[:-_VIEWS]

    def account_adopted(self, view: AccountView, now_ns: int) -> None:
        """See AccountSink."""
        first = self.adopted is None
        self.adopted = view
        self._synced = True
        told = self._joins.tally.lots
        if first:
            self.begun = view.update_id
            told[:] = self.lots(view)
        else:
            self.short = [has - was for has, was in zip(self.lots(view), told, strict=True)]
        self._joins.told_to(view.update_id)
        if self.short is not None:
            self._ask().audit()
        else:
            self.show(view, now_ns)
        self.margins(view, now_ns)

    def account_proved(self, view: AccountView, now_ns: int) -> None:
        """See AccountSink."""
        self.adopted = view
        self.margins(view, now_ns)
        if self.short is None:
            self.show(view, now_ns)

    def account_changed(self, frame: AccountFrame, now_ns: int) -> None:
        """See AccountSink."""
        action_id, joins = frame.update_id, self._joins
        stranger = False
        for placed in frame.places:
            market = self._index.get(placed.market_id)
            if market is not None and not joins.placed(placed, market, action_id):
                stranger = True
        for fill in frame.fills:
            market = self._index.get(fill.market_id)
            if market is not None:
                maker = fill.maker_id == self._account_id
                joins.fill(fill, market, action_id, maker=maker)
        for cancelled in frame.cancels:
            market = self._index.get(cancelled.market_id)
            if market is not None:
                joins.cancelled(cancelled, market, action_id)
        joins.told_to(action_id)
        asking = self._ask()
        if stranger:
            self._settling.stranger(now_ns)
        if frame.fills:
            # The margins have changed.
            self._settling.ask()
        if frame.balances and not (frame.fills or frame.places or frame.cancels):
            asking.audit()

    def account_gap(self, reason: str, now_ns: int) -> None:  # noqa: ARG002 - AccountSink's
        """See AccountSink."""
        self._synced = False
        self.gaps += 1
        self._hindrances.begin(ACCOUNT, reason)

    def account_doubt(self, reason: str, now_ns: int) -> None:  # noqa: ARG002 - AccountSink's
        """See AccountSink."""
        self._ask().audit()

    def caught_up(self) -> None:
        """The missing executions were told: what comes next is a proof, and then quoting."""
        self.short = None
        self._ask().proof()

    def show(self, view: AccountView, now_ns: int) -> None:
        """Tell everything the account has; the stream has told exactly as much."""
        asked_ns = next((at for seen, at in self._asked if seen is view), 0)
        self._settling.view(view, asked_ns)
        if self.viewed is not None:
            self.viewed(view, asked_ns)
        orders = []
        for order in view.orders:
            market = self._index.get(order.market_id)
            if market is not None:
                orders.append(
                    VenueOrder(
                        market,
                        order.client_order_id,
                        order.order_id,
                        order.side,
                        order.ticks,
                        order.lots,
                    )
                )
        self._outlet.tell(VenueSnapshot(0, now_ns, tuple(orders), tuple(self.lots(view))))
        self._hindrances.end(ACCOUNT)

    def margins(self, view: AccountView, now_ns: int) -> None:
        """Tell the venue's margin figures."""
        found = view.margins
        self._outlet.tell(
            AccountSnapshot(
                0,
                now_ns,
                found.mf_uusd,
                found.omf_uusd,
                found.imf_uusd,
                found.pn_uusd,
                found.bankruptcy,
            )
        )

    def lots(self, view: AccountView) -> list[int]:
        """Return signed positions by the engine's numbers of markets."""
        lots = [0] * len(self._index)
        for held in view.positions:
            self._count(held, lots)
        return lots

    def _count(self, held: HeldPosition, lots: list[int]) -> None:
        market = self._index.get(held.market_id)
        if market is not None:
            lots[market] = held.lots

    def _ask(self) -> Asking:
        if self.asking is None:
            raise RuntimeError("the account is not wired up")
        return self.asking
