"""A bot that trades on the embedded exchange, in this very process, and is watched over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from mmbot.assemble.live import LiveBot, LiveOptions, RunMode, live_bot
from mmbot.config.schema import Config
from mmbot.exchange.serving.floor import Floor
from mmbot.logs.logs import Logs
from mmbot.logs.params import LoggingParams
from tests.contract.test_live_bot import (
    MARKETS,
    exchange,
    session,
    settings,
    until_filled,
    until_quoting,
    world,
)

TOKEN = "tkn-0123456789abcdef0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Served(NamedTuple):
    """A trading bot, where it is watched, and the exchange's own truth."""

    bot: LiveBot
    url: str
    floor: Floor
    http: aiohttp.ClientSession
    logs: Logs

    async def get(self, path: str, **more: Any) -> Any:
        """Return the JSON of a path that answers with 200."""
        async with self.http.get(self.url + path, **more) as answer:
            assert answer.status == 200, (path, answer.status, await answer.text())
            return await answer.json()

    async def command(self, verb: str, **wish: str) -> None:
        """Give a command with the token, which has to be done."""
        url = f"{self.url}/api/v1/commands/{verb}"
        async with self.http.post(url, headers=BEARER, json=wish) as answer:
            assert answer.status == 200, await answer.text()

    @property
    def account(self) -> Any:
        """Return the account at the exchange."""
        number = self.bot.account_id
        assert number is not None
        return self.floor.operation.exchange.state.accounts[number]


@asynccontextmanager
async def served(folder: Path, *, seed: int = 61, with_token: bool = True) -> AsyncIterator[Served]:
    """Let a bot trade until its first fill; it ends with the block."""
    token = folder / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    logging = LoggingParams(console="none")
    with Logs(logging, {}, folder / "bot.jsonl") as logs:
        async with _served(folder, logs, seed, with_token=with_token) as at:
            yield at


@asynccontextmanager
async def _served(
    folder: Path, logs: Logs, seed: int, *, with_token: bool
) -> AsyncIterator[Served]:
    token = folder / "token"
    async with exchange() as (url, floor):
        told: list[str] = []
        options = LiveOptions(
            markets=MARKETS,
            session=await session(url, seed),
            warn=told.append,
            logged=logs.counts,
        )
        config = settings(url).model_dump()
        config["api"] = {"port": 0}
        if with_token:
            config["secrets"] = {"api_token": {"from": "file", "name": str(token)}}
        around = replace(world(folder), serves=True)
        async with (
            live_bot(Config.model_validate(config), RunMode.LIVE, around, options) as bot,
            aiohttp.ClientSession() as http,
        ):
            running = asyncio.create_task(bot.live.run())
            try:
                await until_quoting(bot)
                await until_filled(bot)
                yield Served(bot, _address(bot), floor, http, logs)
            finally:
                bot.live.stop("the test is over")
                await running


def _address(bot: LiveBot) -> str:
    """Return where the bot says it is to be watched."""
    (line,) = (each for each in bot.lines if each.startswith("  page "))
    return line.split()[1].rstrip("/")
