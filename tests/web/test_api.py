"""The HTTP face of a trading bot: what it says beside the exchange's truth, whom it refuses."""

import asyncio
import json
import socket
from base64 import b64encode
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.assemble.live.serving import api_server
from mmbot.config.schema import Config
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import Mode
from mmbot.errors import ConfigError
from tests.contract.test_live_bot import world
from tests.web.served import BEARER, TOKEN, Served, served


async def status_of(at: Served, method: str, path: str, headers: dict[str, str]) -> int:
    async with at.http.request(method, at.url + path, headers=headers, json={}) as answer:
        await answer.read()
        return answer.status


async def figures_are_the_exchanges(at: Served) -> None:
    """Orders, positions and fills as the exchange has them, once the two have caught up."""
    orders = await at.get("/api/v1/orders")
    assert orders["schema"] == "mmbot.orders/1"
    pause = await at.http.post(at.url + "/api/v1/commands/cancel-all", headers=BEARER, json={})
    assert pause.status == 200, await pause.text()
    assert (await pause.json())["answer"]["facts"]["left"] == 0
    assert not at.account.orders
    assert (await at.get("/api/v1/orders"))["orders"] == []
    positions = (await at.get("/api/v1/positions"))["positions"]
    held = {each["market"]: Decimal(each["size"]) for each in positions}
    units = {each.symbol: each.lot for each in at.bot.control.markets}
    lots = {number: each.lots for number, each in at.account.positions.items()}
    assert [held[s] / units[s] for s in ("BTCUSD", "ETHUSD")] == [lots.get(0, 0), lots.get(1, 0)]
    fills = (await at.get("/api/v1/fills"))["fills"]
    sums = dict.fromkeys(held, Decimal(0))
    for each in fills:
        sums[each["market"]] += Decimal(each["size"]) * (1 if each["side"] == "bid" else -1)
    assert sums == held
    resumed = await at.http.post(at.url + "/api/v1/commands/resume", headers=BEARER, json={})
    assert resumed.status == 200


async def profit_adds_up(at: Served) -> None:
    told = await at.get("/api/v1/pnl")
    for market in told["markets"]:
        for span in ("run", "day"):
            assert set(market[span]) == set(told["run"])
    view = (await at.get("/api/v1/status"))["status"]
    await asyncio.sleep(0)
    total = sum(told["run"].values())
    assert total == sum(sum(each["run"].values()) for each in told["markets"])
    # Two looks at a market that moves: within what it moves in a moment.
    assert abs(total - sum(each["pnl_uusd"] for each in view["markets"])) < 20_000_000
    assert told["curve"][-1][1] is not None


async def strangers_get_nothing(at: Served) -> None:
    pause = "/api/v1/commands/pause"
    assert await status_of(at, "GET", "/api/v1/status", {"Host": "evil.example"}) == 421
    assert await status_of(at, "GET", "/metrics", {"Host": "evil.example:80"}) == 421
    assert await status_of(at, "POST", pause, {}) == 401
    assert await status_of(at, "POST", pause, {"Authorization": "Bearer nonsense"}) == 401
    assert await status_of(at, "POST", pause, {**BEARER, "Origin": "http://evil.example"}) == 403
    assert await status_of(at, "POST", pause, {**BEARER, "Content-Type": "text/plain"}) == 415
    assert await status_of(at, "POST", "/api/v1/commands/nonsense", BEARER) == 404
    assert await status_of(at, "GET", pause, BEARER) == 405
    assert await status_of(at, "GET", "/../etc/passwd", {}) == 404
    big = {"reason": "x" * 5_000}
    async with at.http.post(at.url + pause, headers=BEARER, json=big) as answer:
        assert answer.status == 413
    # Settings are not changed by whoever holds the token.
    async with at.http.post(at.url + "/api/v1/commands/stop", headers=BEARER, json={}) as answer:
        assert answer.status == 409
        assert "needs the role admin" in (await answer.json())["answer"]["message"]
    assert at.bot.status().mode is Mode.QUOTING
    async with at.http.get(at.url + "/api/v1/status", headers={"Origin": "null"}) as answer:
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert answer.headers["Cache-Control"] == "no-store"


async def commands_are_done(at: Served) -> None:
    basic = b64encode(f"anybody:{TOKEN}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Origin": at.url}
    wish = {"market": "BTCUSD", "reason": "by test"}
    async with at.http.post(
        at.url + "/api/v1/commands/pause", headers=headers, json=wish
    ) as answer:
        assert answer.status == 200, await answer.text()
    reason = at.bot.status().markets[0].reason
    assert reason is not None
    assert "by test (http:token" in reason
    await at.command("pause", reason="also by test")
    async with at.http.get(at.url + "/readyz") as answer:
        told = await answer.json()
        assert (answer.status, told["ready"]) == (503, False)
    assert told["why"][0] == "paused"
    assert "by test" not in str(told)
    async with at.http.post(at.url + "/api/v1/commands/resume", headers=BEARER, json={}) as answer:
        assert answer.status == 200
    assert (await at.get("/api/v1/explain?market=BTCUSD"))["explain"][0]["symbol"] == "BTCUSD"
    assert (await at.get("/healthz"))["ok"] is True


async def events_come(at: Served) -> None:
    """A look at once and every second, and what people are told of as it happens."""
    kinds: list[str] = []
    async with at.http.get(at.url + "/api/v1/events") as stream, asyncio.timeout(20):
        assert stream.content_type == "text/event-stream"
        at.bot.control.watching.notices([])
        kind = ""
        async for line in stream.content:
            if line.startswith(b"event: "):
                kind = line.split()[1].decode()
                kinds.append(kind)
            elif line.startswith(b"data: "):
                said = json.loads(line.removeprefix(b"data: "))
                if kind == "look":
                    assert {"status", "ladders", "pnl", "timings"} <= set(said)
                elif kind == "fill":
                    assert said["market"] in ("BTCUSD", "ETHUSD")
            if kinds.count("look") >= 3 and "fill" in kinds:
                break


async def watchers_are_few(at: Served) -> None:
    # Whoever has gone is noticed at the next look.
    await asyncio.sleep(2.0)
    opened = [await at.http.get(at.url + "/api/v1/events") for _ in range(16)]
    assert {each.status for each in opened} == {200}
    assert await status_of(at, "GET", "/api/v1/events", {}) == 503
    for each in opened:
        each.close()


async def whoever_does_not_read_is_hung_up_on(at: Served) -> None:
    """A flood of news reaches those who read, and ends it with those who do not."""
    host, port = at.url.removeprefix("http://").split(":")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    deaf.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(deaf, (host, int(port)))
    await loop.sock_sendall(deaf, f"GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    async with at.http.get(at.url + "/api/v1/events") as stream, asyncio.timeout(30):
        assert stream.status == 200
        heard = 0
        flood = [Notice(n, Severity.INFO, "flood", None, "x" * 4_000) for n in range(200)]
        for first in range(0, 4_000, 200):
            at.bot.control.watching.telling.notices(flood)
            while heard < first + 200:
                line = await stream.content.readline()
                assert line
                heard += line.count(b'"code":"flood"')
        # What was under way to the other one comes, and then the end.
        with suppress(ConnectionError):
            while await loop.sock_recv(deaf, 1 << 20):
                pass
    deaf.close()


async def too_many_questions_wait(at: Served) -> None:
    found = [await status_of(at, "GET", "/healthz", {}) for _ in range(200)]
    assert set(found) == {200, 429}
    await asyncio.sleep(1.0)
    assert await status_of(at, "GET", "/healthz", {}) == 200


def test_a_bot_is_watched_and_commanded(tmp_path: Path) -> None:
    async def run() -> None:
        async with served(tmp_path) as at:
            for check in (
                figures_are_the_exchanges,
                profit_adds_up,
                strangers_get_nothing,
                commands_are_done,
                events_come,
                whoever_does_not_read_is_hung_up_on,
                watchers_are_few,
                too_many_questions_wait,
            ):
                await check(at)

    asyncio.run(run())


def test_without_a_token_nobody_commands(tmp_path: Path) -> None:
    async def run() -> None:
        async with served(tmp_path, seed=62, with_token=False) as at:
            path = "/api/v1/commands/cancel-all"
            assert await status_of(at, "POST", path, BEARER) == 403
            assert at.bot.status().orders

    asyncio.run(run())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "bot.example"])  # noqa: S104
def test_what_others_can_reach_needs_a_token(host: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            config = Config.model_validate({"api": {"host": host}})
            around = replace(world(tmp_path), serves=True)
            with pytest.raises(ConfigError, match=r"needs secrets\.api_token"):
                api_server(around, config, stack, print)

    asyncio.run(run())
