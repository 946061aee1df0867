"""BotControl: the one way to command a running bot. Every command is judged, done and audited.

Whatever its face, a command comes in by `submit`; see ports.Control.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from mmbot.domain import control as asked
from mmbot.domain.actions import Batch
from mmbot.domain.alerts import Alerts
from mmbot.domain.events import AccountSnapshot, Event, Fill
from mmbot.domain.explained import Explanation
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice
from mmbot.domain.status import StatusView
from mmbot.engine.explaining import explain
from mmbot.engine.view import standing
from mmbot.ports import Subscription
from mmbot.runtime.commands import Commands, Doing, Settings
from mmbot.runtime.day import Day
from mmbot.runtime.live import MarketMakerLive
from mmbot.runtime.operating import Operating, Resting
from mmbot.runtime.status import Named
from mmbot.runtime.telling import Telling

LOOK_EVERY_S = 1.0
# A row of the journal has room for all of these together.
LONGEST_TEXT, LONGEST_WORD = 600, 200


class Audited(Struct, frozen=True, omit_defaults=True):
    """What is kept of a command."""

    face: str
    user: str
    role: str
    verb: str
    issued_ns: int
    result: str
    message: str
    before: str
    after: str
    market: str | None = None
    key: str | None = None
    value: str | None = None
    for_s: float | None = None
    reason: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlParts:
    """What a control stands on. `audit` writes a row down, at a time (ns), and returns at once."""

    live: MarketMakerLive
    named: Named
    resting: Resting
    settings: Settings
    audit: Callable[[Audited, int], None]
    log_level: Callable[[str], str | None]
    session_ends_ns: int | None
    version: str


class BotControl:
    """See ports.Control; also a listener of the bot, and told its notices."""

    def __init__(self, parts: ControlParts) -> None:
        self._parts = parts
        self._live = parts.live
        self._operating = Operating(parts.live, parts.resting)
        self._telling = Telling()
        self._alerts = Alerts()
        desks = parts.live.works.engine.desks
        self._markets = tuple(desk.state.market for desk in desks)
        self._day = Day(len(desks))
        self._soon: asyncio.Queue[asked.OperatorCommand] = asyncio.Queue()
        self._commands = Commands(
            Doing(
                live=parts.live,
                operating=self._operating,
                settings=parts.settings,
                alerts=self._alerts,
                log_level=parts.log_level,
            )
        )

    @property
    def markets(self) -> tuple[Market, ...]:
        """See Control."""
        return self._markets

    async def submit(self, command: asked.OperatorCommand) -> asked.Answer:
        """See Control."""
        before = self._stand()
        answer = await self._commands.do(command)
        answer = replace(answer, before=before, after=self._stand())
        self._parts.audit(_audited(command, answer), self._live.works.clock())
        return answer

    def soon(self, command: asked.OperatorCommand) -> None:
        """Have a command done without waiting for its answer: from where nobody can wait."""
        self._soon.put_nowait(command)

    async def run(self) -> None:
        """Do what was asked for by `soon`, and end overrides in time, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    command = await self._soon.get()
            except TimeoutError:
                await self._parts.settings.expire(self._live.works.clock())
            else:
                await self.submit(command)

    def status(self) -> StatusView:
        """See Control."""
        parts, day = self._parts, self._day
        view = self._live.status(parts.named)
        return replace(
            view,
            markets=tuple(
                replace(each, day_pnl_uusd=day.pnl_uusd(index, each.pnl_uusd))
                for index, each in enumerate(view.markets)
            ),
            session_ends_ns=parts.session_ends_ns,
            day_fills=day.fills(view.ts_ns),
            limits=parts.settings.limits(),
            overrides=parts.settings.overrides(),
            alerts=self._alerts.open(view.ts_ns),
            version=parts.version,
        )

    def explain(self, market: str | None = None) -> tuple[Explanation, ...]:
        """See Control."""
        engine, now_ns = self._live.works.engine, self._live.works.clock()
        return tuple(
            explain(engine, each.index, now_ns)
            for each in self._markets
            if market in (None, each.symbol)
        )

    def subscribe(self, most: int = 1000) -> Subscription:
        """See Control."""
        return self._telling.subscribe(most)

    def notices(self, notices: Sequence[Notice]) -> None:
        """Hear what people should know."""
        for notice in notices:
            market = None if notice.market is None else self._markets[notice.market].symbol
            self._alerts.take(notice, market)
        self._telling.notices(notices)

    def event(self, event: Event) -> None:
        """Hear what has happened."""
        if type(event) is Fill and self._telling.fill(event):
            self._day.fill(event)
        elif type(event) is AccountSnapshot and self._day.began(event.ts_recv_ns):
            view = self._live.status(self._parts.named)
            self._day.start([each.pnl_uusd for each in view.markets])

    def batch(self, batch: Batch) -> None:
        """Hear what was sent."""
        self._operating.batch(batch)

    def _stand(self) -> str:
        mode, reasons = standing(self._live.works.engine)
        return f"{mode} ({'; '.join(reasons)})" if reasons else str(mode)


def _audited(command: asked.OperatorCommand, answer: asked.Answer) -> Audited:
    return Audited(
        face=command.who.face,
        user=command.who.user,
        role=command.who.role.name.lower(),
        verb=command.verb,
        issued_ns=command.issued_ns,
        result=answer.result,
        message=answer.message[:LONGEST_TEXT],
        before=answer.before[:LONGEST_WORD],
        after=answer.after[:LONGEST_WORD],
        market=_short(command.market),
        key=_short(command.key),
        value=_short(command.value),
        for_s=command.for_s,
        reason=command.reason[:LONGEST_WORD],
        dry_run=command.dry_run,
    )


def _short(word: str | None) -> str | None:
    return None if word is None else word[:LONGEST_WORD]
