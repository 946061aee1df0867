"""A bot that really trades, on an exchange and with a Telegram in this very process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmbot.assemble.live import LiveBot, LiveOptions, RunMode, World, live_bot
from mmbot.config.loader import ConfigSources
from mmbot.domain.status import Mode
from mmbot.exchange.serving.floor import Floor
from tests.contract.test_live_bot import exchange, resting, session, world
from tests.fakes.bot_api import TOKEN, BotApi

# Three people, a group of theirs, and somebody else.
ADMIN, OPERATOR, VIEWER, STRANGER = 11, 22, 33, 666
GROUP, QUIET_GROUP = -100_001, -100_002
WAIT_S = 20.0
SETTINGS = """\
version: 1
instance: {{name: chatty}}
venue: {{http_url: "{url}", action_lifetime_s: 5}}
runtime: {{warmup_ms: 200}}
markets: {{BTCUSD: {{enabled: true}}, ETHUSD: {{enabled: true}}}}
defaults:
  levels: {{count: 3}}
  requote: {{price_tolerance_bps: 50, size_tolerance_pct: 50}}
  spread: {{min_bps: 60, max_bps: 61}}
  sizing: {{fixed_usd: 200}}
  market_risk: {{max_position_usd: 2000}}
risk: {{loss: {{daily_limit_usd: 500}}}}
telegram:
  enabled: true
  api_base_url: "{api}"
  chats:
    - {{id: 11, role: admin}}
    - {{id: 22, role: operator}}
    - {{id: 33, role: viewer}}
    - {{id: -100001, role: operator}}
    - {{id: -100002, role: viewer}}
  commands_per_minute: 600
  notify: {{{notify}}}
{alerts}
"""
QUIET = (
    "startup: none, shutdown: none, config: none, risk: none, connection: none, order_error: none,"
    " fill_digest: none"
)


class Place:
    """Where everything of a test is."""

    def __init__(self, api: BotApi, floor: Floor, folder: Path, url: str) -> None:
        self.api = api
        self.floor = floor
        self.folder = folder
        self.url = url
        self.config = folder / "c.yaml"
        self.warned: list[str] = []
        self._seed = 40

    def settings(self, notify: str = QUIET, alerts: str = "") -> None:
        """Write the file of settings."""
        text = SETTINGS.format(url=self.url, api=self.api.url, notify=notify, alerts=alerts)
        self.config.write_text(text)

    def edit(self, old: str, new: str) -> None:
        """Change the file."""
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))

    @asynccontextmanager
    async def bot(self, mode: RunMode = RunMode.LIVE, **more: Any) -> AsyncIterator["Bot"]:
        """Run a bot until the block ends; it ends well."""
        loaded = ConfigSources([self.config], (), {}).load()
        self._seed += 1
        options = LiveOptions(
            session=await session(self.url, self._seed) if mode is RunMode.LIVE else None,
            warn=self.warned.append,
            sources=ConfigSources([self.config], (), {}),
            texts=loaded.texts,
            **more,
        )
        machine = self.machine()
        async with live_bot(loaded.config, mode, machine, options) as bot:
            running = asyncio.create_task(bot.live.run())
            try:
                yield Bot(bot, running, self.floor)
            finally:
                bot.live.stop("enough")
                await running

    def machine(self) -> World:
        """Return the machine the bot runs on."""
        found = world(self.folder)
        return replace(found, env={**found.env, "TELEGRAM_TOKEN": TOKEN})


class Bot:
    """A bot that runs."""

    def __init__(self, bot: LiveBot, running: "asyncio.Task[Any]", floor: Floor) -> None:
        self.bot = bot
        self.running = running
        self._floor = floor

    def resting(self) -> int:
        """How many orders of ours rest, by the exchange's own books."""
        return resting(self._floor, self.bot.account_id or 0)

    @property
    def mode(self) -> Mode:
        """What it does."""
        return self.bot.status().mode

    async def quoting(self, orders: int = 12) -> None:
        """Wait until so many orders rest."""
        async with asyncio.timeout(WAIT_S):
            while self.mode is not Mode.QUOTING or self.resting() < orders:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    """Open the exchange and the Telegram."""
    async with exchange() as (url, floor), BotApi().served() as api:
        found = Place(api, floor, folder, url)
        found.settings()
        yield found


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test on a loop of its own."""
    asyncio.run(work())
