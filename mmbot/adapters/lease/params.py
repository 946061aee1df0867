"""Settings of an active/standby pair: where its lease is kept, and how long one holds."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from mmbot.adapters.zo.origin import is_loopback
from mmbot.domain.params import Params

REDIS_PORT = 6379


class CoordinationParams(Params):
    """Who else may trade the account: nobody, or the other bot of a pair, one of them at a time."""

    backend: Annotated[
        Literal["none", "redis"],
        Field(description="redis: trade only while the lease there is ours; for two hosts"),
    ] = "none"
    redis_url: Annotated[
        str,
        Field(
            description="rediss://[user@]host[:port][/db], or redis:// to this machine; the "
            "password is secrets.redis_password"
        ),
    ] = "redis://127.0.0.1:6379/0"
    key_prefix: Annotated[
        str,
        Field(pattern=r"^[\w:.-]{0,64}$", description="of all keys there; an ACL can be cut to it"),
    ] = "mmbot:"
    lease_ttl_ms: Annotated[
        int,
        Field(
            ge=2_000,
            le=300_000,
            description="how long a lease holds; at least action_lifetime_s and five renewals",
        ),
    ] = 10_000
    renew_every_ms: Annotated[
        int, Field(ge=100, le=10_000, description="how often it is renewed, and looked at")
    ] = 500
    standby: Annotated[
        bool,
        Field(description="wait for the lease and take over; false: end with 7 when it is taken"),
    ] = False

    @property
    def place(self) -> tuple[str, int]:
        """Host and port of the server."""
        parts = urlsplit(self.redis_url)
        return parts.hostname or "", parts.port or REDIS_PORT

    @property
    def database(self) -> int:
        """The number of the database."""
        return int(urlsplit(self.redis_url).path.strip("/") or 0)

    @property
    def user(self) -> str | None:
        """The user of its access list, None for the default one."""
        return urlsplit(self.redis_url).username

    @property
    def encrypted(self) -> bool:
        """Whether it is talked to over TLS."""
        return urlsplit(self.redis_url).scheme == "rediss"

    @model_validator(mode="after")
    def _place_is_sound(self) -> "CoordinationParams":
        parts = urlsplit(self.redis_url)
        if parts.password is not None:
            raise ValueError("redis_url holds a password: put it into secrets.redis_password")
        if parts.scheme not in ("redis", "rediss") or not parts.hostname:
            raise ValueError("redis_url is not rediss://[user@]host[:port][/db]")
        path = parts.path.strip("/")
        if (path and not path.isdecimal()) or parts.query or parts.fragment:
            raise ValueError("redis_url has more than user, host, port and number of a database")
        if parts.scheme == "redis" and not is_loopback(parts.hostname):
            raise ValueError("redis_url is not encrypted: only this machine may be reached so")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError("redis_url has a port that is none")
        return self
