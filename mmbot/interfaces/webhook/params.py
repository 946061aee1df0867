"""Settings of what is sent outside: addresses that are secrets, and the hosts they may be at."""

from decimal import Decimal
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from mmbot.domain.params import HIDDEN, Params


class WebhookParams(Params):
    """Where alerts and heartbeats go, besides the chat."""

    webhook_url: Annotated[
        SecretStr | None,
        Field(description="JSON POST of every warning and critical; https://, shown nowhere"),
    ] = None
    escalate_after_s: Annotated[
        float,
        Field(ge=1, le=86_400, description="what is critical is told again until it is seen to"),
    ] = 600.0
    ws_down_s: Annotated[
        float, Field(ge=1, le=3_600, description="a stream that is down for longer is an alert")
    ] = 15.0
    order_error_rate_pct: Annotated[
        float,
        Field(gt=0, le=100, description="more refused orders than this are an alert"),
    ] = 20.0
    window_s: Annotated[
        float, Field(ge=10, le=3_600, description="over which they are counted")
    ] = 120.0
    min_events_count: Annotated[
        int, Field(ge=1, le=10_000, description="of fewer orders nothing is said")
    ] = 10
    pnl_step_usd: Annotated[
        Decimal,
        Field(
            ge=Decimal("0.01"), description="PnL of a run is told each time it passes so much more"
        ),
    ] = Decimal(25)
    heartbeat_url: Annotated[
        SecretStr | None,
        Field(description="GET while all is well: a service outside notices silence"),
    ] = None
    heartbeat_s: Annotated[
        float, Field(ge=5, le=3_600, description="how often the heartbeat is sent")
    ] = 60.0
    allowed_hosts: Annotated[
        tuple[str, ...],
        Field(max_length=20, description="hosts of the addresses; this machine needs no entry"),
    ] = ()

    @model_validator(mode="after")
    def _are_allowed(self) -> "WebhookParams":
        for name in ("webhook_url", "heartbeat_url"):
            secret: SecretStr | None = getattr(self, name)
            wrong = (
                None if secret is None else _fault(secret.get_secret_value(), self.allowed_hosts)
            )
            if wrong is not None:
                # Never the address itself.
                raise ValueError(f"{name} {wrong}")
        return self

    def url(self, secret: SecretStr | None) -> str | None:
        """Return an address to send to, None when there is none."""
        text = None if secret is None else secret.get_secret_value()
        return None if text == HIDDEN else text


def host_of(url: str) -> str:
    """Return the host of an address: all of it that may be shown."""
    return urlsplit(url).hostname or "-"


def _fault(url: str, allowed_hosts: tuple[str, ...]) -> str | None:
    if url == HIDDEN:
        return None
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    local = host == "localhost" or _is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        return "is not https://, nor http:// to this machine"
    if not host:
        return "has no host"
    if parts.username is not None or parts.fragment:
        return "has a user name or a fragment"
    if not local and host not in allowed_hosts:
        return f"names {host}, which is not in alerts.allowed_hosts"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
