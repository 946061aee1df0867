"""The bot of the product against the exchange of the product, over loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.zo.engine_time import EngineSeconds
from mmbot.adapters.zo.keys.session_files import StoredSession
from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import open_http
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.assemble.exchange import ExchangeOptions, open_exchange
from mmbot.assemble.live import LiveBot, LiveOptions, RunMode, World, live_bot
from mmbot.config.schema import Config
from mmbot.domain.status import Mode
from mmbot.errors import InUse
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.serving.floor import Floor
from mmbot.exchange.serving.server import ExchangeServer, ServerOptions
from mmbot.ledger.folds import books
from mmbot.ledger.opening import open_ledger
from mmbot.ledger.params import StorageParams
from mmbot.ledger.reader import LedgerReader, Window
from tests.contract.people import Person

WAIT_S = 30.0
MARKETS = ("BTCUSD", "ETHUSD")


@asynccontextmanager
async def exchange() -> AsyncIterator[tuple[str, Floor]]:
    """Serve an exchange with a lively market in this very process."""
    opened = open_exchange(
        ExchangeOptions(params=ExchangeParams(auto_fund_usd=10_000), flow="volatile")
    )
    server = ExchangeServer(opened.floor, ServerOptions())
    address = await server.start("127.0.0.1", 0)
    try:
        yield address.urls()["http"], opened.floor
    finally:
        await server.stop()


async def session(url: str, seed: int) -> StoredSession:
    """Make a wallet with money and a session."""
    async with open_http(VenueParams(http_url=url)) as http:
        person = await Person(http, seed).open()
    key = person.key
    text = f"0x{(bytes(key) + bytes(key.verify_key)).hex()}"
    user = base58.encode(person.pubkey)
    ends = EngineSeconds(2**31)
    keypair = Keypair.from_text(text)
    return StoredSession(url, user, person.session_id, keypair, ends, EngineSeconds(1))


def settings(url: str) -> Config:
    return Config.model_validate(
        {
            "venue": {"http_url": url, "action_lifetime_s": 5},
            "risk": {"loss": {"daily_limit_usd": 500}},
            "defaults": {
                "market_risk": {"max_position_usd": 2000},
                "spread": {"min_bps": 1},
                "sizing": {"fixed_usd": 200},
            },
        }
    )


def world(folder: Path) -> World:
    def opener(path: Path, params: StorageParams, now_ns: int):  # type: ignore[no-untyped-def]
        return open_ledger(path, inline=True, params=params, now_ns=now_ns)

    return World(
        clock=steady_clock(),
        rng=lambda: Random(1),
        open_ledger=opener,
        state=folder,
        env={"STATE_DIRECTORY": str(folder)},
    )


async def until_quoting(bot: LiveBot) -> None:
    async with asyncio.timeout(WAIT_S):
        # The status is what users watch, too.
        while bot.status().mode is not Mode.QUOTING or not bot.status().markets[0].bids:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until_filled(bot: LiveBot) -> None:
    async with asyncio.timeout(WAIT_S):
        while not bot.status().fills:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def resting(floor: Floor, account: int) -> int:
    return len(floor.operation.exchange.state.accounts[account].orders)


@pytest.mark.parametrize("mode", [RunMode.LIVE, RunMode.PAPER, RunMode.OBSERVE])
def test_it_trades_and_leaves_nothing(mode: RunMode, tmp_path: Path) -> None:
    async def run() -> None:
        async with exchange() as (url, floor):
            options = LiveOptions(
                markets=MARKETS,
                session=await session(url, 5),
                record=tmp_path / "run",
                warn=lambda _: None,
            )
            async with live_bot(settings(url), mode, world(tmp_path), options) as bot:
                running = asyncio.create_task(bot.live.run())
                await until_quoting(bot)
                if mode is RunMode.LIVE:
                    await until_filled(bot)
                    assert resting(floor, 1) > 0
                bot.live.stop("enough")
                report = await running
                assert (report.code, report.leftovers.clean) == (0, True)
                assert resting(floor, 1) == 0
                told = {each.symbol: each.position_lots for each in bot.status().markets}
            if mode is RunMode.LIVE:
                held = floor.operation.exchange.state.accounts[1].positions
                for number, symbol in enumerate(MARKETS):
                    assert told[symbol] == (held[number].lots if number in held else 0)
                with LedgerReader(tmp_path / "mmbot.ledger") as reader:
                    trades = floor.operation.exchange.state.trades
                    ours = [each for each in trades if 1 in (each.maker_id, each.taker_id)]
                    assert len(list(reader.fills(Window()))) == len(ours)
                    folded = {
                        book.market.symbol: book.position.lots for book in books(reader, Window())
                    }
                    assert all(folded.get(symbol, 0) == lots for symbol, lots in told.items())
                    assert reader.marks(0)
            assert list((tmp_path / "run").glob("BTCUSD_*.tape"))

    asyncio.run(run())


def test_a_second_bot_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    async def run() -> None:
        async with exchange() as (url, _):
            options = LiveOptions(
                markets=MARKETS, session=await session(url, 6), warn=lambda _: None
            )
            config = settings(url)
            async with live_bot(config, RunMode.LIVE, world(tmp_path), options):
                with pytest.raises(InUse):
                    async with live_bot(config, RunMode.LIVE, world(tmp_path), options):
                        pass

    asyncio.run(run())
