"""Words for systemd, at a socket of the test's."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmbot.runtime.systemd import Supervisor

PID = 42


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock


def test_what_systemd_is_told(manager: socket.socket, tmp_path: Path) -> None:
    told = Supervisor({"NOTIFY_SOCKET": str(tmp_path / "notify")}, PID)
    told.ready("quoting\nREADY=0")
    assert manager.recv(200) == b"READY=1\nSTATUS=quoting READY=0"
    told.status("6 orders")
    assert manager.recv(200) == b"STATUS=6 orders"
    assert told.pet({"book fresh": True, "engine decides": True}) == ()
    assert manager.recv(200) == b"WATCHDOG=1"
    assert told.pet({"book fresh": True, "engine decides": False}) == ("engine decides",)
    assert manager.recv(200) == b"STATUS=not healthy: engine decides"
    told.stopping("cancelling")
    assert manager.recv(200) == b"STOPPING=1\nSTATUS=cancelling"


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("")
        sock.settimeout(5)
        name = sock.getsockname().decode().replace("\0", "@", 1)
        Supervisor({"NOTIFY_SOCKET": name}, PID).ready("up")
        assert sock.recv(200) == b"READY=1\nSTATUS=up"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all"])
def test_without_systemd_nothing_happens(address: str) -> None:
    told = Supervisor({"NOTIFY_SOCKET": address}, PID)
    told.ready("up")
    assert told.pet({}) == ()


@pytest.mark.parametrize(
    ("env", "every_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "20000000"}, 5.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "42"}, 5.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "43"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_how_often_to_pet(env: dict[str, str], every_s: float | None) -> None:
    assert Supervisor(env, PID).pet_every_s == every_s
