"""Which places the bot may talk to: exact scheme, host and port, TLS outside this machine."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}
_SECURE = {"https", "wss"}
_WEB_SOCKET = {"https": "wss", "http": "ws"}


class Origin(NamedTuple):
    """One place: scheme, host (lower-case, IPv6 without brackets) and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = _PORTS[self.scheme] == self.port
        return f"{self.scheme}://{host}" if default else f"{self.scheme}://{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its very name: 127.0.0.1, ::1 or localhost."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_origin(url: str, allowed_hosts: Sequence[str], schemes: Sequence[str]) -> Origin:
    """Return the place of a base URL; ValueError saying what is wrong with it.

    https and wss need a host of the list; http and ws are for this machine alone.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise ValueError("has a port that is none") from None
    if parts.scheme not in schemes:
        raise ValueError(f"does not begin with {' or '.join(f'{each}://' for each in schemes)}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user name or a password")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("has more than scheme, host and port")
    host = (parts.hostname or "").lower()
    if not host or port == 0:
        raise ValueError("has no host" if not host else "has a port that is none")
    local = is_loopback(host)
    if parts.scheme not in _SECURE and not local:
        raise ValueError(f"is not encrypted; only this machine may be reached by {parts.scheme}")
    if not local and host not in allowed_hosts:
        raise ValueError(f"names {host}, which is not in allowed_hosts")
    return Origin(parts.scheme, host, port or _PORTS[parts.scheme])


def web_socket_origin(origin: Origin) -> Origin:
    """Return the place of the streams of a REST place: same host and port."""
    return Origin(_WEB_SOCKET[origin.scheme], origin.host, origin.port)
