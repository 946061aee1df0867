"""A bot that stands by for its lease, as whoever asks it or measures it sees it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import NamedTuple

from mmbot import __version__
from mmbot.assemble.live.leading import Pair
from mmbot.assemble.live.serving import api_server
from mmbot.assemble.live.world import World
from mmbot.config.schema import Config
from mmbot.domain.control import Answer, OperatorCommand, Verb, refused
from mmbot.domain.events import Fill
from mmbot.domain.explained import Explanation
from mmbot.domain.figures import CurvePoint, Labels, Ladder, MarketPnl, Readings, Timing
from mmbot.domain.market import Market
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import Mode, StatusView
from mmbot.interfaces.api.server import ApiServer
from mmbot.interfaces.control_socket import ControlSocket
from mmbot.ports import Subscription
from mmbot.runtime.instruments import account_gauges
from mmbot.runtime.telling import Telling


class Waiting(NamedTuple):
    """Who waits, for which markets; clock: Unix nanoseconds. build: see runtime.instruments."""

    instance: str
    run_mode: str
    markets: tuple[Market, ...]
    clock: Callable[[], int]
    build: Labels


class StandbyControl:
    """See ports.Control: says how it stands, and has nothing that could be commanded."""

    def __init__(self, waiting: Waiting) -> None:
        self.markets = waiting.markets
        self.reason = "standing by"
        self._waiting = waiting
        self._began_ns = waiting.clock()
        self._telling = Telling()

    async def submit(self, command: OperatorCommand) -> Answer:
        """See Control."""
        ends = command.verb is Verb.STOP
        instead = "end the process" if ends else "command the one that leads"
        return refused(f"nothing is traded here ({self.reason}): {instead}")

    def status(self) -> StatusView:
        """See Control."""
        waiting = self._waiting
        return StatusView(
            ts_ns=waiting.clock(),
            instance=waiting.instance,
            run_mode=waiting.run_mode,
            mode=Mode.STANDBY,
            reasons=(self.reason,),
            started_ns=self._began_ns,
            epoch=0,
            equity_uusd=None,
            free_uusd=None,
            day_pnl_uusd=None,
            drawdown_uusd=None,
            margin_fraction=None,
            markets=(),
            orders=0,
            unknown=0,
            placed=0,
            cancelled=0,
            rejected=0,
            fills=0,
            ack_p50_ms=None,
            ack_p99_ms=None,
            loop_lag_p99_ms=None,
            reconnects=0,
            requote_interval_ms=0.0,
            version=__version__,
        )

    def explain(self, market: str | None = None) -> tuple[Explanation, ...]:  # noqa: ARG002
        """See Control."""
        return ()

    def subscribe(self, most: int = 1000) -> Subscription:
        """See Control: nothing happens here."""
        return self._telling.subscribe(most)

    def delivered(self, severity: Severity, channel: str, *, taken: bool) -> None:
        """See Control."""


class StandbyInstruments:
    """See ports.Instruments: that it is there and stands by, and nothing of trading."""

    def __init__(self, standby: StandbyControl, build: Labels) -> None:
        self._standby = standby
        self._build = build

    def readings(self) -> Readings:
        """See Instruments."""
        known = account_gauges(self._standby.status())
        return Readings(gauges={**known, "build_info": {self._build: 1.0}})

    def ladders(self, levels: int) -> tuple[Ladder, ...]:  # noqa: ARG002
        """See Instruments."""
        return ()

    def pnl(self) -> tuple[MarketPnl, ...]:
        """See Instruments."""
        return ()

    def curve(self) -> tuple[CurvePoint, ...]:
        """See Instruments."""
        return ()

    def fills(self) -> tuple[Fill, ...]:
        """See Instruments."""
        return ()

    def notices(self) -> tuple[Notice, ...]:
        """See Instruments."""
        return ()

    def timings(self) -> tuple[Timing, ...]:
        """See Instruments."""
        return ()


@contextmanager
def standby_server(
    world: World, config: Config, warn: Callable[[str], None]
) -> Iterator[ApiServer | None]:
    """Take the address for as long as a standby waits; None for a bot that is none."""
    with ExitStack() as stack:
        yield api_server(world, config, stack, warn) if config.coordination.standby else None


@asynccontextmanager
async def answering(
    listening: ControlSocket | None, server: ApiServer | None, waiting: Waiting, pair: Pair
) -> AsyncIterator[Pair]:
    """Answer whoever asks until the lease is there; returns the pair to wait with."""
    standby = StandbyControl(waiting)

    def told(reason: str) -> None:
        standby.reason = reason
        pair.waiting(reason)

    faces = []
    if listening is not None:
        faces.append(listening.run(standby))
    if server is not None:
        faces.append(server.run(standby, StandbyInstruments(standby, waiting.build)))
    serving = [asyncio.create_task(each, name="face of a standby") for each in faces]
    try:
        yield Pair(pair.store, told)
    finally:
        for each in serving:
            each.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
