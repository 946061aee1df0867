"""Words for systemd: ready, reloading, stopping, status, the watchdog's pet (sd_notify by hand).

Nothing happens where systemd is not listening. A pet from a bare timer proves nothing (fault X06),
so it names its conditions and is left out when one of them fails.
"""

import socket
from collections.abc import Mapping

_US_PER_S = 1_000_000


class Supervisor:
    """The service manager at the other end of NOTIFY_SOCKET."""

    def __init__(self, env: Mapping[str, str], pid: int) -> None:
        self._address = _address(env.get("NOTIFY_SOCKET", ""))
        watched = env.get("WATCHDOG_USEC", "")
        for_us = env.get("WATCHDOG_PID", str(pid)) == str(pid)
        self._watchdog_us = int(watched) if watched.isdecimal() and for_us else 0

    @property
    def pet_every_s(self) -> float | None:
        """How often to pet: a quarter of what systemd waits; None when it does not watch."""
        return self._watchdog_us / 4 / _US_PER_S if self._watchdog_us else None

    def ready(self, status: str) -> None:
        """The bot is able to quote."""
        self._tell(f"READY=1\nSTATUS={_line(status)}")

    def reloading(self, monotonic_ns: int) -> None:
        """Settings are being read anew; `ready` ends it."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={monotonic_ns // 1000}\nSTATUS=reloading")

    def stopping(self, status: str) -> None:
        """The bot ends."""
        self._tell(f"STOPPING=1\nSTATUS={_line(status)}")

    def status(self, text: str) -> None:
        """Show a line in `systemctl status`."""
        self._tell(f"STATUS={_line(text)}")

    def pet(self, conditions: Mapping[str, bool]) -> tuple[str, ...]:
        """Pet the watchdog if every condition holds; returns the names of those that do not."""
        failing = tuple(name for name, holds in conditions.items() if not holds)
        if failing:
            self.status(f"not healthy: {', '.join(failing)}")
        else:
            self._tell("WATCHDOG=1")
        return failing

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.setblocking(False)
            try:
                sock.sendto(text.encode(), self._address)
            except OSError:
                # Nobody is there, or does not read: that must not stop the bot.
                return


def _address(configured: str) -> str:
    # A leading @ is the name of an abstract socket.
    if configured.startswith("@"):
        return "\0" + configured[1:]
    return configured if configured.startswith("/") else ""


def _line(text: str) -> str:
    return " ".join(text.split())
