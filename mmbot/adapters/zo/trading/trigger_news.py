"""What people are told of stop triggers."""

from collections.abc import Callable
from decimal import Decimal

from mmbot.adapters.web.clock import Clock
from mmbot.adapters.zo.trading.params import TradedAccount
from mmbot.domain.notices import Notice, Severity

REFUSED, FIRED, UNREAD = "stop_trigger_refused", "stop_trigger_fired", "stop_triggers_unread"


class TriggerNews:
    """Tells it; prices in currency."""

    def __init__(self, tell: Callable[[Notice], None], traded: TradedAccount, clock: Clock) -> None:
        self._tell = tell
        self._decimals = [listing.price_decimals for listing in traded.listings]
        self._clock = clock

    def refused(self, market: int, reason: str) -> None:
        """The venue wants no trigger in a market."""
        text = f"the venue says {reason}: positions get no stop trigger any more until a restart"
        self._tell(Notice(self._clock(), Severity.WARNING, REFUSED, market, text))

    def unread(self, reason: str) -> None:
        """What rests cannot be read."""
        text = f"no stop trigger is set or moved: {reason}"
        self._tell(Notice(self._clock(), Severity.WARNING, UNREAD, None, text))

    def readable(self) -> None:
        """It can be read again."""
        text = "stop triggers are known again"
        self._tell(Notice(self._clock(), Severity.INFO, f"{UNREAD}_over", None, text))

    def fired(self, market: int, ticks: int) -> None:
        """The venue has acted on a trigger."""
        price = Decimal(ticks).scaleb(-self._decimals[market])
        text = f"the stop trigger at {price:,f} has fired: the venue reduced the position"
        self._tell(Notice(self._clock(), Severity.CRITICAL, FIRED, market, text))
