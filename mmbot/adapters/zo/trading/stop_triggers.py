"""The keeping of stop triggers, put together from its parts."""

from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.trading.knowledge import Knowledge
from mmbot.adapters.zo.trading.params import Hooks, ProtectionTerms, TradedAccount
from mmbot.adapters.zo.trading.positions import Positions
from mmbot.adapters.zo.trading.protecting import Around, Protecting
from mmbot.adapters.zo.trading.rounds import Rounds
from mmbot.adapters.zo.trading.sending import Sending
from mmbot.adapters.zo.trading.trigger_lists import TriggerLists
from mmbot.adapters.zo.trading.trigger_news import TriggerNews

Venue = tuple[Knowledge, Sending, Rounds]


def stop_triggers(
    http: ZoHttp, traded: TradedAccount, terms: ProtectionTerms, venue: Venue, hooks: Hooks
) -> Protecting:
    """Return what keeps a stop trigger for every position of the account."""
    known, sending, rounds = venue
    clock = known.outlet.clock
    around = Around(
        Positions(known, traded, rounds.watch.index.get, clock),
        TriggerLists(http, traded, TriggerNews(hooks.notice, traded, clock)),
        lambda: rounds.forced.occasions,
    )
    return Protecting(traded, terms, known, sending.dispatch, around)
