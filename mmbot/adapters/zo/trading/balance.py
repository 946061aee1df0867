"""Money that neither trades nor funding explain was paid in or out; funding is told as such.

The balance of an account changes by profit realised, funding settled and fees. What is left over
counts as a transfer when readings some time apart agree on it, as the venue's lists may be behind.
What they show of it later is taken back.
"""

from typing import NamedTuple

from mmbot.adapters.web.clock import NS_PER_S
from mmbot.adapters.zo.rest.answers import AccountView, Cursor, PnlRow
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.trading.account import Account
from mmbot.adapters.zo.trading.audit import Audit
from mmbot.adapters.zo.trading.hindrances import Outlet
from mmbot.adapters.zo.trading.money import MarketMoney
from mmbot.domain.events import FundingPayment, Transfer

_MOST_PAGES = 200
# Figures are told in micro-USD, each off by half of one.
_ROUNDING_UUSD = 3
# How long readings have to agree: while figures wait for it, and when executions may have moved as
# much, so that figures are told meanwhile.
_WAITED_FOR_NS, _LIKELY_NS = 2 * NS_PER_S, 20 * NS_PER_S


class _Rest(NamedTuple):
    """What nothing explains, and since when."""

    uusd: int
    since_ns: int


class Balance:
    """Follows the balance from the account's first view on."""

    def __init__(
        self,
        http: ZoHttp,
        account_id: int,
        account: Account,
        audit: Audit,
        outlet: Outlet,
        money: list[MarketMoney],
    ) -> None:
        self._http = http
        self._account_id = account_id
        self._account = account
        self._audit = audit
        self._outlet = outlet
        self._money = money
        self._since: AccountView | None = None
        self._read_to = 0
        self._changes: list[tuple[int, int]] = []
        self._suspect: _Rest | None = None

    async def read(self) -> bool:
        """Read what was realised; True when it must be looked at once more soon."""
        view = self._account.adopted
        if view is None or not self._account.in_step:
            return False
        if self._since is None:
            self._since = self._account.equity.first or view
            self._read_to = self._account.begun
        for row in await self._rows():
            self._read_to = max(self._read_to, row.action_id)
            self._changes.append((row.action_id, row.trading_uusd + row.funding_uusd))
            self._funded(row)
        self._take_back(self._since.update_id)
        return self._compare(view)

    async def _rows(self) -> list[PnlRow]:
        found: list[PnlRow] = []
        start: Cursor | None = None
        for _ in range(_MOST_PAGES):
            page = await self._http.pnl(self._account_id, None, start)
            found += [row for row in page.items if row.action_id > self._read_to]
            start = page.following
            if start is None or any(row.action_id <= self._read_to for row in page.items):
                break
        return sorted(found, key=lambda row: row.action_id)

    def _funded(self, row: PnlRow) -> None:
        market = None if row.market_id is None else self._account.views.index(row.market_id)
        if market is None or not row.funding_uusd:
            return
        atoms = self._money[market].atoms(row.funding_uusd)
        self._outlet.tell(FundingPayment(row.time_ns, self._outlet.clock(), market, atoms))

    def _take_back(self, explained_to: int) -> None:
        """What is listed only now, of a time that is explained, was told as a transfer."""
        fees = [fee for action, fee in self._audit.fees_uusd if action <= explained_to]
        changes = [change for action, change in self._changes if action <= explained_to]
        late = sum(changes) - sum(fees)
        if abs(late) > _ROUNDING_UUSD + len(fees) + len(changes):
            self._outlet.tell(Transfer(0, self._outlet.clock(), -late))
        self._forget(explained_to)

    def _compare(self, view: AccountView) -> bool:
        since = self._since
        if since is None or view.update_id <= since.update_id:
            return False
        low, high = since.update_id, view.update_id
        fees = [fee for action, fee in self._audit.fees_uusd if low < action <= high]
        changes = [change for action, change in self._changes if low < action <= high]
        equity = self._account.equity
        moved = equity.uusd(view) - equity.uusd(since)
        rest = moved - sum(changes) + sum(fees)
        allowed = _ROUNDING_UUSD + len(fees) + len(changes)
        if abs(rest) > allowed:
            now_ns, urgent = self._outlet.clock(), equity.held is not None
            if self._suspect is None or abs(rest - self._suspect.uusd) > allowed:
                self._suspect = _Rest(rest, now_ns)
            if now_ns - self._suspect.since_ns < (_WAITED_FOR_NS if urgent else _LIKELY_NS):
                return urgent
            self._outlet.tell(Transfer(0, now_ns, rest))
        self._suspect = None
        self._since = view
        equity.explained(view, self._outlet.clock())
        self._forget(high)
        return False

    def _forget(self, explained_to: int) -> None:
        self._audit.fees_uusd = [each for each in self._audit.fees_uusd if each[0] > explained_to]
        self._changes = [each for each in self._changes if each[0] > explained_to]
