"""Watching: what a control knows of a bot besides the engine: alerts, the day, who listens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from mmbot.domain.actions import Batch
from mmbot.domain.alerts import Alerts
from mmbot.domain.events import AccountSnapshot, BookUpdate, Event, Fill
from mmbot.domain.notices import Notice
from mmbot.domain.status import LeaseStatus, StatusView
from mmbot.runtime.commands import Settings
from mmbot.runtime.live import MarketMakerLive
from mmbot.runtime.metering import Meters
from mmbot.runtime.status import Named
from mmbot.runtime.telling import Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Whom to watch, and what does not change of it."""

    live: MarketMakerLive
    named: Named
    settings: Settings
    session_ends_ns: int | None
    version: str
    lease: Callable[[int], LeaseStatus] | None = None


class Watching:
    """A listener of the bot that is told its notices, too; `view` is the whole status."""

    def __init__(self, watched: Watched) -> None:
        self.telling = Telling()
        self.alerts = Alerts()
        self.meters = Meters(watched.live.works.engine, watched.live.works.clock)
        self._watched = watched
        desks = watched.live.works.engine.desks
        self.markets = tuple(desk.state.market for desk in desks)

    def view(self) -> StatusView:
        """Say how the bot stands."""
        watched, day = self._watched, self.meters.day
        view = watched.live.status(watched.named)
        return replace(
            view,
            markets=tuple(
                replace(each, day_pnl_uusd=day.pnl_uusd(index, each.pnl_uusd))
                for index, each in enumerate(view.markets)
            ),
            session_ends_ns=watched.session_ends_ns,
            day_fills=day.fills(view.ts_ns),
            limits=watched.settings.limits(),
            overrides=watched.settings.overrides(),
            alerts=self.alerts.open(view.ts_ns),
            version=watched.version,
            lease=None if watched.lease is None else watched.lease(view.ts_ns),
        )

    def sent(self) -> tuple[int, int]:
        """Return how many cancels were sent since the start, in how many batches."""
        return self.meters.orders.cancels, self.meters.orders.batches

    def notices(self, notices: Sequence[Notice]) -> None:
        """Hear what people should know."""
        for notice in notices:
            market = None if notice.market is None else self.markets[notice.market].symbol
            self.alerts.take(notice, market)
        self.meters.notices(notices)
        self.telling.notices(notices)

    def event(self, event: Event) -> None:
        """Hear what has happened."""
        if type(event) is BookUpdate:
            # The most of all events, and nothing to be noted.
            return
        if type(event) is Fill:
            if self.telling.fill(event):
                self.meters.fill(event)
            return
        if type(event) is AccountSnapshot and self.meters.day.began(event.ts_recv_ns):
            view = self._watched.live.status(self._watched.named)
            self.meters.day.start([each.pnl_uusd for each in view.markets])
        self.meters.event(event)

    def batch(self, batch: Batch) -> None:
        """Hear what was sent."""
        self.meters.batch(batch)
