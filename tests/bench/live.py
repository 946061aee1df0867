"""The live bot in a process, the exchange in another: how fast it reacts, what it costs.

The bot is the product, three levels a side. The peers are what the TypeScript bots need for the
parts of the same way, which they go without counting network round trips (they have one).
"""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import msgspec

from tests.bench.exchange import ROOT
from tests.bench.live_notes import TYPESCRIPT, Noted, Traded, p99
from tests.bench.registry import bench

ONE_MARKET = (1, 1, 60.0, 12.0)
FIFTY_MARKETS = (50, 100, 1000.0, 12.0)


class Run(NamedTuple):
    """What a run came to: microseconds from bytes to bytes in the bot, from the exchange's delta to
    the action's coming there and to its being acted on, and the bot.
    """

    inside_us: list[float]
    came_us: list[float]
    acted_us: list[float]
    bot: Traded


@contextmanager
def exchange_process(markets: int, per_s: float) -> Iterator[str]:
    """Serve markets that move, in a process of their own; yields its address."""
    with _exchange(markets, per_s) as process:
        assert process.stdout is not None
        yield msgspec.json.decode(process.stdout.readline())["http"]


def traded(
    url: str, markets: int, interval_ms: int, seconds: float, chat: str | None = None
) -> Traded:
    """Let the bot trade there, in a process of its own, with a chat if its address is given."""
    words = [url, str(markets), str(interval_ms), str(seconds), *([] if chat is None else [chat])]
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench.stamped_bot", *words],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        check=True,
    )
    return msgspec.json.decode(told.stdout, type=Traded)


@contextmanager
def _exchange(markets: int, per_s: float) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.bench.stamped_exchange", str(markets), str(per_s)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@cache
def run(markets: int, interval_ms: int, per_s: float, seconds: float) -> Run:
    """Let the bot trade `markets`, `per_s` changes of books a second in all."""
    with _exchange(markets, per_s) as exchange:
        assert exchange.stdin is not None
        assert exchange.stdout is not None
        url = msgspec.json.decode(exchange.stdout.readline())["http"]
        bot = traded(url, markets, interval_ms, seconds)
        exchange.stdin.close()
        noted = msgspec.json.decode(exchange.stdout.readline(), type=Noted)
    came, acted = (
        [
            (there[action] - noted.deltas[delta]) / 1000
            for delta, action, _ in bot.reactions
            if action in there and delta in noted.deltas
        ]
        for there in (noted.came, noted.acted)
    )
    return Run([took_ns / 1000 for _, _, took_ns in bot.reactions], came, acted, bot)


@bench("live_paced_p50", unit="us", peers=TYPESCRIPT)
def inside_p50(_runs: int) -> list[float]:
    """Delta in one socket -> first signed action in another, sixty times a second, cold."""
    return [statistics.median(run(*ONE_MARKET).inside_us)]


@bench("live_paced_p99", unit="us", peers=TYPESCRIPT)
def insidep99(_runs: int) -> list[float]:
    """The same, 99 of 100 are faster."""
    return [p99(run(*ONE_MARKET).inside_us)]


@bench("live_loopback_p50", unit="us", must=600.0, goal=250.0)
def came_p50(_runs: int) -> list[float]:
    """The exchange writes a delta -> its process has read the bytes of the action, by loopback."""
    return [statistics.median(run(*ONE_MARKET).came_us)]


@bench("live_loopback_acted_p50", unit="us")
def acted_p50(_runs: int) -> list[float]:
    """The same, until the exchange's engine is handed the action by its HTTP server."""
    return [statistics.median(run(*ONE_MARKET).acted_us)]


@bench("live_50_markets_cpu", unit="% of a core", must=60.0, goal=25.0)
def fifty_cpu(_runs: int) -> list[float]:
    """Fifty markets, twenty deltas a second each."""
    return [run(*FIFTY_MARKETS).bot.core_pct]


@bench("live_50_markets_rss", unit="MB", must=200.0, goal=130.0)
def fifty_rss(_runs: int) -> list[float]:
    """Memory of the process after that."""
    return [run(*FIFTY_MARKETS).bot.rss_mb]


@bench("live_50_markets_loop_lag_p99", unit="ms", must=5.0)
def fifty_lag(_runs: int) -> list[float]:
    """How late its loop was then, as it says itself."""
    return [run(*FIFTY_MARKETS).bot.lag_p99_ms]
