"""Whether the venue itself has traded for the account: a liquidation is a person's business (V13).

Its list is read when something happened that nobody here asked for, and again and again as well.
"""

from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.trading.account import Account
from mmbot.adapters.zo.trading.hindrances import LIQUIDATED, Hindrances

# Cancelling orders for margin is no liquidation yet (V04).
_KINDS = frozenset({"place_order", "bankruptcy"})
# Reads without an occasion, in calls of `read`.
_EVERY = 120
# The list may be behind what was seen: it is read so often for one occasion.
_READINGS = 4


class Forced:
    """Reads what happened since the account was first known; `read` is called twice a second.

    `occasions` counts how often something was done that nobody here asked for.
    """

    def __init__(
        self, http: ZoHttp, account_id: int, account: Account, hindrances: Hindrances
    ) -> None:
        self._http = http
        self._account_id = account_id
        self._account = account
        self._hindrances = hindrances
        self.occasions = 0
        self._wanted = 0
        self._idle = 0

    def want(self) -> None:
        """Something was done to the account that we have not done."""
        self.occasions += 1
        self._wanted = _READINGS

    async def read(self) -> None:
        """Read if there is a reason to; a VenueError leaves it wanted."""
        self._idle += 1
        known_since = self._account.begun
        if not known_since or not (self._wanted or self._idle >= _EVERY):
            return
        page = await self._http.liquidations(self._account_id)
        self._idle = 0
        self._wanted = max(0, self._wanted - 1)
        for row in page.items:
            if row.action_id > known_since and row.kind in _KINDS:
                self._hindrances.begin(LIQUIDATED, f"the venue says {row.kind}")
