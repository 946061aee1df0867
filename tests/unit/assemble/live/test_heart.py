"""What systemd hears of a bot: ready when it can quote, petted while it lives, told of reloads."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmbot.assemble.live.heart import READY_WITHIN_S, SupervisedHeart
from mmbot.domain.events import Hindrance
from mmbot.runtime.systemd import Supervisor
from tests.unit.engine.scene import Bench

S = 1_000_000_000
PID = 42


class Above:
    """What systemd has heard since it was last asked."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        env = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "20000000"}
        self.supervisor = Supervisor(env, PID)

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(500).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Above]:
    made = Above(tmp_path / "notify")
    yield made
    made.socket.close()


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.feed(Hindrance(made.now, made.now, "recovering", None, "orders of before"))
    return made


def well() -> dict[str, bool]:
    return {"a": True, "b": True}


def ill() -> dict[str, bool]:
    return {"a": True, "b": False}


def test_started_means_able_to_quote(manager: Above, bench: Bench) -> None:
    heart = SupervisedHeart(bench.engine, manager.supervisor)
    heart.beat(0, well)
    heart.reloading(begins=True)
    heart.beat(4 * S, well)
    assert manager.heard() == ["STATUS=reconciling"]
    bench.feed(Hindrance(bench.now, bench.now, "recovering", None, None))
    bench.start()
    heart.beat(4 * S + 1, well)
    assert manager.heard() == ["READY=1\nSTATUS=quoting", "STATUS=quoting"]


def test_a_venue_that_is_away_does_not_fail_the_start(manager: Above, bench: Bench) -> None:
    heart = SupervisedHeart(bench.engine, manager.supervisor)
    heart.beat(0, well)
    manager.heard()
    heart.beat((READY_WITHIN_S - 1) * S, well)
    assert "READY" not in "".join(manager.heard())
    heart.beat(READY_WITHIN_S * S, well)
    assert manager.heard() == ["READY=1\nSTATUS=reconciling"]


def test_it_is_petted_while_every_sign_of_life_is_there(manager: Above, bench: Bench) -> None:
    heart = SupervisedHeart(bench.engine, manager.supervisor)
    heart.beat(0, well)
    manager.heard()
    for second in range(1, 12):
        heart.beat(second * S, well)
    assert manager.heard() == ["WATCHDOG=1"] * 2
    for second in range(12, 40):
        heart.beat(second * S, ill)
    assert set(manager.heard()) == {"STATUS=not healthy: b"}
    for second in range(40, 48):
        heart.beat(second * S, well)
    assert manager.heard() == ["WATCHDOG=1", "STATUS=reconciling", "WATCHDOG=1"]


def test_a_reload_is_told_with_its_time(manager: Above, bench: Bench) -> None:
    bench.feed(Hindrance(bench.now, bench.now, "recovering", None, None))
    bench.start()
    heart = SupervisedHeart(bench.engine, manager.supervisor)
    heart.beat(0, well)
    manager.heard()
    before = time.monotonic_ns() // 1000
    heart.reloading(begins=True)
    heart.reloading(begins=False)
    after = time.monotonic_ns() // 1000
    begun, ended = manager.heard()
    first, stamp, _ = begun.split("\n")
    assert first == "RELOADING=1"
    assert before <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= after
    assert ended == "READY=1\nSTATUS=quoting"
