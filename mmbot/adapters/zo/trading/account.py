"""The account as events: every update of its stream once, snapshots when stream and REST agree.

After a gap the executions that were missed are exactly the venue's trades whose action lies
between what was told and what was adopted; until they are told, `account` forbids quoting.
"""

from collections.abc import Callable
from typing import NamedTuple

from mmbot.adapters.zo.rest.answers import AccountView
from mmbot.adapters.zo.streams.frames import AccountFrame
from mmbot.adapters.zo.trading.equity import Equity
from mmbot.adapters.zo.trading.hindrances import ACCOUNT, Hindrances
from mmbot.adapters.zo.trading.joins import Joins
from mmbot.adapters.zo.trading.settling import Settling


class Asking(NamedTuple):
    """What the account wants done: a proof by REST, lists of trades and liquidations read.

    And a warning given.
    """

    proof: Callable[[], None]
    audit: Callable[[], None]
    forced: Callable[[], None]
    warn: Callable[[str], None]


class Account:
    """AccountSink of the traded account.

    `adopted` is the last view that was taken or agreed with. `short`: signed lots by market that
    the list of trades has to explain, None unless executions were missed.
    """

    def __init__(
        self,
        account_id: int,
        equity: Equity,
        hindrances: Hindrances,
        joins: Joins,
        settling: Settling,
    ) -> None:
        self.short: list[int] | None = None
        self.equity = equity
        self.adopted: AccountView | None = None
        self.gaps = 0
        self.asking: Asking | None = None
        self.viewed: Callable[[AccountView, int], None] | None = None
        self.views = equity.views
        self._account_id = account_id
        self._hindrances = hindrances
        self._joins = joins
        self._settling = settling
        self._synced = False

    @property
    def begun(self) -> int:
        """The update the account was first known at."""
        first = self.equity.first
        return 0 if first is None else first.update_id

    @property
    def in_step(self) -> bool:
        """Whether everything the account did has been told."""
        return self._synced and self.short is None

    @property
    def explained_to(self) -> int:
        """The action up to which what was told makes the positions, 0 while it does not."""
        return 0 if self.adopted is None or self.short is not None else self.adopted.update_id

    def account_adopted(self, view: AccountView, now_ns: int) -> None:
        """See AccountSink."""
        first = self.adopted is None
        self.adopted = view
        self._synced = True
        told = self._joins.tally.lots
        if first:
            told[:] = self.views.lots(view)
        else:
            self._ask().forced()
            self.short = [has - was for has, was in zip(self.views.lots(view), told, strict=True)]
        self._joins.adopted(view.update_id)
        if self.short is not None:
            self._ask().audit()
        else:
            self.show(view, now_ns)
        self._figures(view, now_ns)

    def account_proved(self, view: AccountView, now_ns: int) -> None:
        """See AccountSink."""
        self.adopted = view
        self._figures(view, now_ns)
        if self.short is None:
            self.show(view, now_ns)

    def account_changed(self, frame: AccountFrame, now_ns: int) -> None:
        """See AccountSink."""
        action_id, joins = frame.update_id, self._joins
        stranger = False
        for placed in frame.places:
            market = self.views.index(placed.market_id)
            if market is not None and not joins.placed(placed, market, action_id):
                stranger = True
        forced = self._ended(frame)
        joins.told_to(action_id)
        asking = self._ask()
        if forced:
            # Nobody here did it: the venue may have.
            asking.forced()
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
        asked_ns = self.views.asked_ns(view)
        self._settling.view(view, asked_ns)
        if self.viewed is not None:
            self.viewed(view, asked_ns)
        self.views.snapshot(view, now_ns)
        self._hindrances.end(ACCOUNT)

    def _figures(self, view: AccountView, now_ns: int) -> None:
        if not self.equity.view(view, now_ns):
            self._ask().audit()

    def _ended(self, frame: AccountFrame) -> bool:
        """Take fills and cancels; whether one is nobody's doing here."""
        forced = False
        for fill in frame.fills:
            market = self.views.index(fill.market_id)
            if market is not None:
                maker = fill.maker_id == self._account_id
                named = self._joins.fill(fill, market, frame.update_id, maker=maker)
                forced |= not named and not maker
                self.equity.executed(market, fill.ticks, fill.lots)
        for cancelled in frame.cancels:
            market = self.views.index(cancelled.market_id)
            if market is not None:
                forced |= not self._joins.cancelled(cancelled, market, frame.update_id)
        return forced

    def _ask(self) -> Asking:
        if self.asking is None:
            raise RuntimeError("the account is not wired up")
        return self.asking
