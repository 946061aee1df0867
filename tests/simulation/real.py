"""The bot of the product in a simulation: its own start, its own loop, its own ledger.

What is not configuration lies in its World: the loop's time, chance from the seed, a disk that can
be full or slow. A start that the venue does not let happen is tried again, as a supervisor does.
"""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.session_files import StoredSession
from mmbot.adapters.zo.wire import base58
from mmbot.assemble.live import LiveBot, LiveOptions, RunMode, World, live_bot
from mmbot.assemble.live.leading import Pair
from mmbot.config.schema import Config
from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import Command, Event
from mmbot.domain.order import Level, Side
from mmbot.domain.status import Mode, StatusView
from mmbot.engine.view import orders_alive, standing
from mmbot.errors import MmbotError, VenueError
from mmbot.ledger.ledger import Ledger
from mmbot.ledger.opening import open_ledger
from mmbot.ledger.params import StorageParams
from mmbot.runtime.status import resting, unquoted
from mmbot.runtime.supervision import EXIT_ERROR
from tests.simulation.bot import Setting
from tests.simulation.disk import slow_disk
from tests.simulation.knobs import InjectedError
from tests.simulation.leases import LeaseClient
from tests.simulation.supervising import PettingHeart
from tests.simulation.terms import Belief, Decision, MarketTerms, Terms

TASKS = {
    "books": "market stream watch",
    "account": "account stream watch",
    "reference": "reference stream watch",
    "clock": "engine time",
    "strategy": "checks",
}
AGAIN_S = 1.0
MOST_DECISIONS = 100
LEVELS = 2
ORDER_USD = 200.0
MARKET_USD = 1_000.0
# Less than three markets may have together, so that it binds.
TOTAL_PCT = 2.6
FUNDED_USD = 100_000
# Far more than anybody loses in a run.
DAILY_USD = 500.0
# USD of one lot at the start; prices may move by a few percent before an order is too large.
LOT_USD = (0.6, 0.3, 0.15)
MOVES = 1.05


def terms(daily_usd: float = DAILY_USD) -> Terms:
    """What the configuration promises."""
    return Terms(
        markets=tuple(
            MarketTerms(LEVELS, round(MARKET_USD / usd), round(ORDER_USD / usd * MOVES))
            for usd in LOT_USD
        ),
        total_usd=FUNDED_USD * TOTAL_PCT / 100,
        daily_loss_usd=daily_usd,
    )


def settings(setting: Setting, daily_usd: float, *, stops: bool = False) -> Config:
    """Return the configuration: small orders in three markets, an outside price, tight limits.

    `stops`: with triggers kept at the venue.
    """
    return Config.model_validate(
        {
            "coordination": {
                "backend": "none" if setting.machine.leases is None else "redis",
                "standby": setting.number > 1,
            },
            "instance": {"id": setting.instance, "account_id": setting.account},
            "venue": {"http_url": setting.url, "action_lifetime_s": setting.lifetime_s},
            "reference": {"url": setting.reference_url},
            "risk": {
                "max_total_exposure_pct": TOTAL_PCT,
                "loss": {"daily_limit_usd": daily_usd},
                "protective_trigger": {"enabled": stops},
            },
            "defaults": {
                "fair_price": {
                    "source": "reference",
                    "reference": {"offset_window_s": 60, "min_samples_count": 3},
                },
                "levels": {"count": LEVELS},
                "market_risk": {"max_position_usd": MARKET_USD},
                "spread": {"min_bps": 3, "max_bps": 15},
                "sizing": {"fixed_usd": ORDER_USD, "max_order_usd": ORDER_USD},
            },
        }
    )


class Real:
    """See Bot."""

    def __init__(
        self, setting: Setting, daily_usd: float = DAILY_USD, *, stops: bool = False
    ) -> None:
        self.setting = setting
        self._settings = settings(setting, daily_usd, stops=stops)
        self.bot: LiveBot | None = None
        self._stopped = False
        self._decisions: Decisions

    async def run(self) -> int:
        """See Bot."""
        while not self._stopped:
            async with AsyncExitStack() as stack:
                try:
                    starting = live_bot(
                        self._settings,
                        RunMode.LIVE,
                        self._world(),
                        self._options(),
                    )
                    self.bot = await stack.enter_async_context(starting)
                    self._decisions = Decisions(self.bot)
                    self.bot.keepers.listeners.append(self._decisions)
                except VenueError:
                    # Nothing has been sent: whoever supervises it starts it again.
                    await asyncio.sleep(AGAIN_S)
                    continue
                except MmbotError as error:
                    return error.exit_code
                try:
                    return (await self.bot.live.run()).code
                except InjectedError:
                    # What the command line makes of an exception.
                    return EXIT_ERROR
        return 0

    def status(self) -> StatusView | None:
        """See Bot."""
        return None if self.bot is None else self.bot.status()

    def belief(self) -> Belief | None:
        """See Bot."""
        return None if self.bot is None else _believed(self.bot)

    def decided(self, client_id: int) -> Decision | None:
        """See Bot."""
        return self._decisions.get(client_id)

    def command(self, command: Command) -> None:
        """See Bot."""
        if command is Command.STOP:
            self._stopped = True
        if self.bot is not None:
            self.bot.live.command(command, None, "asked for")

    def task(self, name: str) -> str | None:
        """See Bot."""
        return TASKS[name]

    def wedge(self) -> None:
        """See Bot."""
        assert self.bot is not None
        self.bot.live._inbox.close()

    def _world(self) -> World:
        setting = self.setting
        return World(
            clock=setting.clock,
            rng=lambda: Random(setting.rng.getrandbits(64)),
            open_ledger=self._ledger,
            state=setting.machine.folder,
            pair=self._pair,
            heart=lambda _terms: PettingHeart(setting.machine),
            env={"STATE_DIRECTORY": str(setting.machine.folder)},
        )

    def _pair(self, _warn: Any) -> Pair:
        leases = self.setting.machine.leases
        assert leases is not None
        return Pair(lambda _config, _account: LeaseClient(leases), _nobody)

    def _ledger(self, path: Path, params: StorageParams, now_ns: int) -> Ledger:
        disk = slow_disk(self.setting.machine)
        return open_ledger(path, writer=disk, params=params, now_ns=now_ns)

    def _options(self) -> LiveOptions:
        setting = self.setting
        session = StoredSession(
            setting.url,
            base58.encode(setting.wallet),
            setting.session,
            setting.keypair,
            EngineSeconds(setting.session_expiry_s),
            EngineSeconds(1),
        )
        return LiveOptions(markets=setting.symbols, session=session, warn=_nobody)


class MarketView(NamedTuple):
    """See MarketBelief."""

    reason: str | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    position_lots: int


class View(NamedTuple):
    """See Belief."""

    mode: Mode
    reasons: tuple[str, ...]
    epoch: int
    orders: int
    markets: tuple[MarketView, ...]


class Decisions:
    """A listener of the bot: how it stood when it last decided on places. See Decision."""

    def __init__(self, bot: LiveBot) -> None:
        self._bot = bot
        self._made: dict[int, Decision] = {}

    def get(self, client_id: int) -> Decision | None:
        """How it stood when it decided on a place, if it is one of the newest."""
        return self._made.get(client_id)

    def event(self, event: Event) -> None:
        """See Listener."""

    def batch(self, batch: Batch) -> None:
        """See Listener."""
        places = [each.order_id for each in batch.actions if isinstance(each, Place)]
        if places:
            now = Decision(asyncio.get_running_loop().time(), _believed(self._bot))
            self._made.update(dict.fromkeys(places, now))
            for old in list(self._made)[:-MOST_DECISIONS]:
                del self._made[old]


def _believed(bot: LiveBot) -> View:
    """What the status says of this, without the figures that take most of its time."""
    live, engine = bot.live, bot.live.works.engine
    mode, reasons = standing(engine)
    if live._exited:
        mode = Mode.EXIT
    elif live.ending.begun and live.ending.halted is None:
        mode = Mode.DRAINING
    markets = tuple(
        MarketView(
            unquoted(engine, index),
            resting(desk, Side.BID),
            resting(desk, Side.ASK),
            desk.position.lots,
        )
        for index, desk in enumerate(engine.desks)
    )
    return View(mode, reasons, bot.named.epoch, orders_alive(engine), markets)


def _nobody(_line: Any) -> None:
    """Nobody is warned."""
