"""The lease in a real Redis: its rules, its protection against garbage, strangers and silence."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from redis import Redis

from mmbot.adapters.lease.params import CoordinationParams
from mmbot.adapters.lease.redis_store import RedisLeases
from mmbot.adapters.lease.store import HALTED, LeaseStore, Seen
from mmbot.errors import InUse, Unavailable
from mmbot.secrets.secret import Secret
from tests.fakes.redis_server import redis_server, running
from tests.simulation.leases import Rules

ACCOUNT = "https://example.test:7"
LEASE, EPOCH = f"mmbot:lease:{ACCOUNT}", f"mmbot:epoch:{ACCOUNT}"
ROOT_PASSWORD = "top secret"
Asked = tuple[str, str, int, int]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with redis_server() as found:
        yield found


@pytest.fixture
def redis(port: int) -> Iterator[Redis]:
    with closing(Redis(port=port, decode_responses=True)) as found:
        found.flushall()
        yield found


def params(port: int, ttl_ms: int = 10_000, user: str = "") -> CoordinationParams:
    return CoordinationParams(redis_url=f"redis://{user}127.0.0.1:{port}/0", lease_ttl_ms=ttl_ms)


async def ask(store: LeaseStore, asked: Asked) -> Seen | str:
    want, holder, epoch, own = asked
    try:
        if want == "take":
            return await store.take(holder, epoch, own)
        if want == "extend":
            return await store.extend(holder, epoch)
        if want == "look":
            return await store.look()
        return await store.release(holder, epoch, halted=want == "halt")
    except InUse:
        return "none to be had"


def answers(port: int, *asked: Asked, ttl_ms: int = 10_000) -> list[Seen | str]:
    async def work() -> list[Seen | str]:
        store = RedisLeases(params(port, ttl_ms), ACCOUNT, None)
        found = [await ask(store, each) for each in asked]
        await store.close()
        return found

    return asyncio.run(work())


def near(seen: Seen | str, left_ms: int = 10_000) -> Seen | str:
    """An answer as it would be if nothing took any time."""
    if isinstance(seen, str) or not seen.left_ms:
        return seen
    assert left_ms - 1_000 < seen.left_ms <= left_ms
    return seen._replace(left_ms=left_ms)


def test_one_holds_it_and_the_next_has_a_higher_epoch(port: int, redis: Redis) -> None:
    a, b = ("take", "7.a", 0, 0), ("take", "7.b", 0, 0)
    assert [near(each) for each in answers(port, a, b, ("extend", "7.a", 1, 0))] == [
        Seen("7.a", 1, 1, 10_000)
    ] * 3
    redis.delete(LEASE)
    assert [near(each) for each in answers(port, b, ("extend", "7.a", 1, 0))] == [
        Seen("7.b", 2, 2, 10_000)
    ] * 2


def test_it_ends_by_itself(port: int, redis: Redis) -> None:
    assert near(answers(port, ("take", "7.a", 0, 0), ttl_ms=2_000)[0], 2_000) == Seen(
        "7.a", 1, 1, 2_000
    )
    began = time.monotonic()
    while redis.exists(LEASE):
        assert time.monotonic() - began < 10
        time.sleep(0.02)
    assert time.monotonic() - began > 1.5
    # Free, and nobody has come: it may go on. A later run is never outlived.
    assert near(answers(port, ("extend", "7.a", 1, 0))[0]) == Seen("7.a", 1, 1, 10_000)


def test_epochs_are_above_all_that_is_known(port: int, redis: Redis) -> None:
    assert near(answers(port, ("take", "7.a", 41, 0))[0]) == Seen("7.a", 42, 42, 10_000)
    redis.flushall()
    # The server has lost everything: whoever holds it brings it back as it was.
    assert near(answers(port, ("extend", "7.a", 42, 0))[0]) == Seen("7.a", 42, 42, 10_000)
    assert redis.get(EPOCH) == "42"
    redis.set(EPOCH, 8_191)
    redis.delete(LEASE)
    assert answers(port, ("take", "7.a", 0, 0)) == ["none to be had"]


def test_what_a_halted_bot_leaves_is_for_itself_only(port: int, redis: Redis) -> None:
    asked = [("take", "7.a", 0, 0), ("halt", "7.a", 1, 0), ("take", "7.b", 0, 0)]
    left = Seen(HALTED, 1, 1, 0)
    assert answers(port, *asked)[1:] == [left, left]
    assert redis.ttl(LEASE) == -1
    assert near(answers(port, ("take", "7.c", 1, 1))[0]) == Seen("7.c", 2, 2, 10_000)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (LEASE, "locked"),
        (LEASE, "mmbot1 7.a"),
        (LEASE, "mmbot1 7.a 0"),
        (LEASE, "mmbot1 7.a -1"),
        (LEASE, "mmbot1 7.a 12345678901234567890"),
        (LEASE, "mmbot2 7.a 1"),
        (LEASE, '{"owner": "7.a", "epoch": 1}'),
        (LEASE, b"\xff\x00"),
        (EPOCH, "many"),
        (EPOCH, "1e3"),
        (EPOCH, "-4"),
    ],
)
def test_garbage_is_no_lease_and_is_left_alone(
    port: int, redis: Redis, key: str, value: str | bytes
) -> None:
    redis.set(key, value)
    asked = [
        ("look", "", 0, 0),
        ("take", "7.a", 1, 1),
        ("extend", "7.a", 1, 0),
        ("release", "7.a", 1, 0),
    ]
    assert answers(port, *asked) == ["none to be had"] * 4
    assert redis.dump(key) is not None
    assert redis.exists(LEASE, EPOCH) == 1


def test_a_list_in_its_place_is_no_lease(port: int, redis: Redis) -> None:
    redis.rpush(LEASE, "x")
    assert answers(port, ("take", "7.a", 0, 0)) == ["none to be had"]


class Still:
    """A clock that stands."""

    def time(self) -> float:
        return 0.0


def doubled(double: Rules, asked: Asked) -> Seen | str:
    want, holder, epoch, own = asked
    try:
        if want == "take":
            return double.take(holder, epoch, own)
        if want == "extend":
            return double.extend(holder, epoch)
        if want == "look":
            return double.look()
        return double.release(holder, epoch, want == "halt")
    except InUse:
        return "none to be had"


def test_the_simulation_keeps_the_same_rules(port: int, redis: Redis) -> None:
    """A thousand random requests are answered by the double as by Redis itself."""

    chance = Random(20)
    double = Rules(Still(), 10.0)

    async def work() -> None:
        store = RedisLeases(params(port), ACCOUNT, None)
        for number in range(1_000):
            epoch = max(1, double.newest + chance.randint(-2, 1))
            asked = (
                chance.choice(["take", "take", "extend", "extend", "look", "release", "halt"]),
                chance.choice(["7.a", "7.b"]),
                epoch,
                chance.choice([0, epoch, double.newest]),
            )
            if chance.random() < 0.1:
                redis.delete(LEASE)
                double.lease = None
            if chance.random() < 0.03:
                redis.flushall()
                double.lease, double.newest = None, 0
            assert near(await ask(store, asked)) == doubled(double, asked), (number, asked)
        await store.close()

    asyncio.run(work())


def test_a_user_sees_its_own_keys_only() -> None:
    allows = [f"+{word}" for word in ("eval", "get", "set", "incr", "del", "pttl")]
    with (
        redis_server("--requirepass", ROOT_PASSWORD) as port,
        closing(Redis(port=port, password=ROOT_PASSWORD)) as root,
    ):
        root.acl_setuser(
            "bot", enabled=True, passwords=["+correct-horse"], keys=["mmbot:*"], commands=allows
        )

        async def work() -> None:
            user = params(port, user="bot@")
            allowed = RedisLeases(user, ACCOUNT, Secret("correct-horse", "test"))
            assert (await allowed.take("7.a", 0, 0)).holder == "7.a"
            await allowed.close()
            elsewhere = user.model_copy(update={"key_prefix": "other:"})
            strange = RedisLeases(elsewhere, ACCOUNT, Secret("correct-horse", "test"))
            with pytest.raises(InUse, match="no permissions"):
                await strange.take("7.a", 0, 0)
            await strange.close()
            for password in (Secret("wrong-horse", "test"), None):
                denied = RedisLeases(user, ACCOUNT, password)
                with pytest.raises((InUse, Unavailable)) as told:
                    await denied.look()
                assert "horse" not in str(told.value)
                await denied.close()

        asyncio.run(work())


def test_silence_is_over_in_a_second(tmp_path: Path) -> None:
    with redis_server() as port:
        pass

    async def patience(store: RedisLeases) -> float:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await store.look()
        return time.monotonic() - began

    async def work() -> None:
        store = RedisLeases(params(port), ACCOUNT, None)
        assert await patience(store) < 0.5
        with running(port, tmp_path) as process:
            assert (await store.take("7.a", 0, 0)).epoch == 1
            process.send_signal(signal.SIGSTOP)
            assert 0.5 < await patience(store) < 2.0
            process.send_signal(signal.SIGCONT)
            # It has not forgotten, and the line that was given up brings no old answer.
            assert (await store.extend("7.a", 1)).holder == "7.a"
        assert await patience(store) < 0.5
        await store.close()

    asyncio.run(work())
