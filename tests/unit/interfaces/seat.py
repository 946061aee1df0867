"""A control that answers from fixed views, for faces to be tried against."""

from mmbot.domain.control import Answer, OperatorCommand, Result
from mmbot.domain.explained import Explanation
from mmbot.domain.notices import Severity
from mmbot.domain.status import StatusView
from mmbot.ports import Subscription
from mmbot.runtime.telling import Telling
from tests.unit.interfaces.test_status_block import FULL
from tests.unit.interfaces.test_terminal import MARKETS


class FixedControl:
    """See ports.Control; `asked` are the commands that came in, `sent` the alerts that went out."""

    def __init__(self, telling: Telling) -> None:
        self.markets = MARKETS
        self.asked: list[OperatorCommand] = []
        self.sent: list[tuple[Severity, str, bool]] = []
        self._telling = telling

    async def submit(self, command: OperatorCommand) -> Answer:
        self.asked.append(command)
        return Answer(Result.OK, f"{command.verb} done", "quoting", "paused")

    def status(self) -> StatusView:
        return FULL

    def explain(self, market: str | None = None) -> tuple[Explanation, ...]:
        every = (Explanation("BTCUSD", 1, "thin book"), Explanation("ETHUSD", 1, None))
        return tuple(each for each in every if market in (None, each.symbol))

    def subscribe(self, most: int = 1000) -> Subscription:
        return self._telling.subscribe(most)

    def delivered(self, severity: Severity, channel: str, *, taken: bool) -> None:
        self.sent.append((severity, channel, taken))


class Seat:
    """A control, and what it tells."""

    def __init__(self) -> None:
        self.telling = Telling()
        self.control = FixedControl(self.telling)
