"""A pair of bots on one exchange with a real Redis: one is killed, the other takes over."""

import json
import shutil
import signal
import socket
import time
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.redis_server import redis_server
from tests.process.served import Ended
from tests.process.trading import Place, place, run

LIFETIME_S, LEASE_S = 3, 5.5
# The lease, what may still land, two seconds, a start; and what a busy machine may add.
TAKEN_OVER_S = LEASE_S + LIFETIME_S + 2.0 + 4.0
SLACK_S = 15.0


def paired(at: Place, port: int, *, standby: bool, lease_s: float = LEASE_S) -> None:
    """Let the bot of a place trade under a lease."""
    config = at.config.read_text()
    found = config.replace("action_lifetime_s: 5", f"action_lifetime_s: {LIFETIME_S}")
    assert found != config
    ttl_ms = round(lease_s * 1000)
    lease = f"backend: redis, redis_url: 'redis://127.0.0.1:{port}/0', lease_ttl_ms: {ttl_ms}"
    words = "true" if standby else "false"
    at.config.write_text(f"{found}coordination: {{{lease}, standby: {words}}}\n")


def host_beside(at: Place, folder: Path) -> Place:
    """Return a second host: the same settings and key, a folder of its own."""
    folder.mkdir(mode=0o700)
    other = Place(at.venue, folder, at.account_id)
    shutil.copytree(at.sessions, other.sessions)
    shutil.copy(at.config, other.config)
    return other


async def said(at: Place, *words: str) -> Ended:
    """Ask the bot of a host."""
    child = await at.mmbot(*words, "-c", str(at.config))
    return await child.ended()


async def stands_by(at: Place) -> None:
    """Whoever asks a standby hears that it is one, and what it waits for."""
    status = await said(at, "status")
    assert status.code == 0, status.err
    assert "proc  LIVE  STANDBY" in status.out
    assert "standing by: lease 1 is held by 7." in status.out
    health = await said(at, "health")
    assert (health.code, "standby" in health.out) == (0, True), health.out
    paused = await said(at, "pause")
    assert paused.code == 1
    assert "nothing is traded here" in paused.out + paused.err


def test_the_standby_takes_over_from_a_killed_leader(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(mode=0o700)

    async def work(port: int) -> None:
        async with place(first) as at:
            other = host_beside(at, second)
            paired(at, port, standby=False)
            paired(other, port, standby=True)
            async with at.bot() as leader, other.bot() as standby:
                await at.quoting(leader)
                await standby.says("standing by: lease 1 is held by 7.")
                await stands_by(other)
                leader.send(signal.SIGKILL)
                killed_s = time.monotonic()
                await other.gone(TAKEN_OVER_S + SLACK_S, newest_epoch=1)
                await other.quoting(standby)
                assert "proc  LIVE  QUOTING" in (await said(other, "status")).out
                took_s = time.monotonic() - killed_s
                assert LIFETIME_S + 2.0 < took_s < TAKEN_OVER_S + SLACK_S
                assert set(await other.epochs()) == {2}
                async with at.bot() as late:
                    ended = await late.ended()
                assert ended.code == 7, ended.err
                (line,) = [each for each in ended.err.splitlines() if "error:" in each]
                assert "lease 2 is held by 7." in line
                standby.send(signal.SIGTERM)
                assert (await standby.ended()).code == 0, standby.err
                assert await other.epochs() == []
            # Given back, it can be had at once; run numbers go on.
            async with at.bot() as again:
                await at.quoting(again)
                assert set(await at.epochs()) == {3}
                again.send(signal.SIGTERM)
                assert (await again.ended()).code == 0, again.err
            assert await at.venue.violations() == []

    with redis_server() as port:
        run(work(port))


async def asked(port: int, path: str) -> tuple[int, str]:
    """Ask a status page."""
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


def test_a_standby_is_measured_and_cancels_what_a_dead_leader_left(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(mode=0o700)

    async def work(port: int) -> None:
        async with place(first) as at:
            other = host_beside(at, second)
            paired(at, port, standby=False, lease_s=120)
            paired(other, port, standby=True, lease_s=120)
            with socket.create_server(("127.0.0.1", 0)) as taken:
                page = taken.getsockname()[1]
            other.config.write_text(f"{other.config.read_text()}api: {{port: {page}}}\n")
            async with at.bot() as leader, other.bot() as standby:
                await at.quoting(leader)
                await standby.says("standing by: lease 1 is held by 7.")
                code, text = await asked(page, "/readyz")
                assert (code, json.loads(text)["mode"]) == (503, "standby")
                assert (await asked(page, "/healthz"))[0] == 200
                _, text = await asked(page, "/metrics")
                families = {each.name: each for each in text_string_to_metric_families(text)}
                states = families["mmbot_state"].samples
                (now,) = [each.labels["state"] for each in states if each.value]
                assert now == "standby"
                assert families["mmbot_build_info"].samples[0].labels["mode"] == "live"
                for path in ("/", "/api/v1/status", "/api/v1/pnl", "/api/v1/orders"):
                    assert (await asked(page, path))[0] == 200
                leader.send(signal.SIGKILL)
                await leader.ended()
                assert await other.epochs() != []
                ended = await said(other, "cancel-all", "--yes")
                assert ended.code == 0, ended.err
                assert "the bot that runs here stands by: going to the venue instead" in ended.err
                assert await other.epochs() == []
                assert "STANDBY" in (await said(other, "status")).out
                standby.send(signal.SIGTERM)
                await standby.ended()

    with redis_server() as port:
        run(work(port))


def test_without_redis_nothing_starts(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            with redis_server() as port:
                paired(at, port, standby=False)
            async with at.bot() as bot:
                ended = await bot.ended()
            assert ended.code == 5, ended.err
            assert f"redis at 127.0.0.1:{port}" in ended.err
            assert await at.epochs() == []

    run(work())
