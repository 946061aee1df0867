"""A Redis server of one's own: on a free port of this machine, in memory, gone with the test."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE_S = 20.0


@contextmanager
def redis_server(*settings: str) -> Iterator[int]:
    """Start one, with settings besides; its port."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, running(port, Path(folder), *settings):
        yield port


@contextmanager
def running(port: int, folder: Path, *settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Start one at a port; the process."""
    process = subprocess.Popen(
        [
            *("redis-server", "--port", str(port), "--bind", HOST, "--dir", str(folder)),
            *("--save", "", "--appendonly", "no", "--logfile", str(folder / "redis.log")),
            *settings,
        ],
        stdin=subprocess.DEVNULL,
    )
    try:
        _answers(port, process)
        yield process
    finally:
        process.kill()
        process.wait()


def _answers(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None
        try:
            with socket.create_connection((HOST, port)) as line:
                line.sendall(b"PING\r\n")
                if line.recv(1):
                    return
        except ConnectionRefusedError:
            assert time.monotonic() < until
        time.sleep(0.01)
