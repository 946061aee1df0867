"""The live bot with a Telegram that is down, slow or flooding: how much later it decides then.

Each kind of trouble takes its turn, again and again, beside a bot without a chat that has as much
to tell, so that what else the machine does falls on all of them. On a machine that does much else:
`chrt -f 1 python -m tests.bench --only live_telegram`.
"""

import subprocess
import sys
from functools import cache

import msgspec

from tests.bench.exchange import ROOT
from tests.bench.live import exchange_process, traded
from tests.bench.live_notes import NO_CHAT, p99
from tests.bench.registry import bench

ROUNDS = 3
MARKETS, INTERVAL_MS, PER_S, SECONDS = 1, 1, 60.0, 10.0
# Port 9 of this machine: nobody listens there.
DOWN = "http://127.0.0.1:9"


@cache
def reactions() -> dict[str, list[float]]:
    """Return how long decisions took (us), by what is wrong with the chat; `off` has none."""
    found: dict[str, list[float]] = {"off": [], "down": [], "slow": [], "flooding": []}
    for _ in range(ROUNDS):
        for trouble, times in found.items():
            times += _round(trouble)
    return found


def _round(trouble: str) -> list[float]:
    if trouble in ("off", "down"):
        return _traded(None if trouble == "off" else DOWN)
    command = [sys.executable, "-m", "tests.bench.chatting_server", trouble]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as server:
        assert server.stdout is not None
        try:
            return _traded(msgspec.json.decode(server.stdout.readline()))
        finally:
            server.kill()


def _traded(chat: str | None) -> list[float]:
    with exchange_process(MARKETS, PER_S) as url:
        bot = traded(url, MARKETS, INTERVAL_MS, SECONDS, chat or NO_CHAT)
    return [took_ns / 1000 for _, _, took_ns in bot.reactions]


def _change_ms(trouble: str) -> float:
    return (p99(reactions()[trouble]) - p99(reactions()["off"])) / 1000


@bench("live_telegram_down_p99_change", unit="ms", must=1.0)
def down(_runs: int) -> list[float]:
    """Nobody listens at Telegram's address, and ten alerts a second are for it."""
    return [_change_ms("down")]


@bench("live_telegram_slow_p99_change", unit="ms", must=1.0)
def slow(_runs: int) -> list[float]:
    """Every answer takes five seconds."""
    return [_change_ms("slow")]


@bench("live_telegram_flooding_p99_change", unit="ms", must=1.0)
def flooding(_runs: int) -> list[float]:
    """It refuses every message (429), and brings a hundred updates a second."""
    return [_change_ms("flooding")]
