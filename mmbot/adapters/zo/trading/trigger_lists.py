"""The venue's lists of triggers: what rests, and whether what is gone has fired."""

from typing import NamedTuple

from mmbot.adapters.zo.rest.answers import RestingTrigger
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.rest.triggers import past_triggers, resting_triggers
from mmbot.adapters.zo.trading.params import TradedAccount
from mmbot.adapters.zo.trading.trigger_news import TriggerNews
from mmbot.errors import ProtocolViolation

# The history may be behind the list: it is read so often for one trigger.
_READINGS = 4


class _Gone(NamedTuple):
    market: int
    trigger: RestingTrigger
    readings: int = _READINGS


class TriggerLists:
    """Reads both. `unread`: why what rests cannot be read."""

    def __init__(self, http: ZoHttp, traded: TradedAccount, news: TriggerNews) -> None:
        self.unread: str | None = None
        self.news = news
        self._http = http
        self._asked = traded.signer.account_id, traded.catalog
        self._gone: list[_Gone] = []
        self._told: set[int | None] = set()

    def exhausted(self, now_ns: int) -> bool:
        """Whether what is left of the minute's requests is for cancels."""
        return bool(self._http.allowance.read_wait_ns(now_ns, patient=False))

    async def resting(self) -> tuple[RestingTrigger, ...]:
        """Read what rests; a VenueError says that nothing is known."""
        try:
            found = await resting_triggers(self._http, *self._asked)
        except ProtocolViolation as error:
            if self.unread is None:
                self.news.unread(f"{error}")
            self.unread = f"not known: {error}"
            raise
        if self.unread is not None:
            self.unread = None
            self.news.readable()
        return found

    def missed(self, market: int, triggers: tuple[RestingTrigger, ...]) -> None:
        """These do not rest any more, and somebody else has traded."""
        self._gone += [_Gone(market, each) for each in triggers]

    async def explain(self) -> None:
        """Tell of those that are gone because they fired; a VenueError leaves it for later."""
        if not self._gone:
            return
        try:
            rows = await past_triggers(self._http, *self._asked)
        except ProtocolViolation:
            # Of a history that makes no sense nothing follows.
            rows = ()
        fired = {each.action_id: each.trigger for each in rows if each.fired}
        left = []
        for gone in self._gone:
            ended = [at for at, each in fired.items() if _same(each, gone.trigger)]
            new = [at for at in ended if at not in self._told]
            if new:
                self._told.update(new)
                self.news.fired(gone.market, gone.trigger.ticks)
            elif gone.readings > 1:
                left.append(gone._replace(readings=gone.readings - 1))
        self._gone = left


def _same(one: RestingTrigger, other: RestingTrigger) -> bool:
    key = (one.market_id, one.side, one.kind, one.ticks)
    return key == (other.market_id, other.side, other.kind, other.ticks)
