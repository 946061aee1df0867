"""Settings of the connection to 01.xyz and of trading sessions."""

from typing import Annotated

from pydantic import Field, model_validator

from mmbot.adapters.zo.origin import Origin, allowed_origin, web_socket_origin
from mmbot.domain.params import Params

MAINNET = "zo-mainnet.n1.xyz"


class VenueParams(Params):
    """Where the venue is, and how long it may take to answer."""

    http_url: Annotated[
        str,
        Field(description="its REST interface: https://, or http:// to this machine"),
    ] = f"https://{MAINNET}"
    ws_url: Annotated[
        str | None,
        Field(description="its streams: wss://, or ws:// to this machine; null: as http_url"),
    ] = None
    allowed_hosts: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="any other host is refused, this machine excepted"),
    ] = (MAINNET,)
    connect_timeout_ms: Annotated[
        int, Field(ge=100, le=60_000, description="for making a connection")
    ] = 3_000
    request_timeout_ms: Annotated[
        int, Field(ge=100, le=60_000, description="for a whole read; an order has 2000 always")
    ] = 2_000
    action_lifetime_s: Annotated[
        int, Field(ge=2, le=60, description="the venue refuses an action that is older")
    ] = 60
    max_clock_offset_ms: Annotated[
        int, Field(ge=1, le=3_600_000, description="test-live remarks on a host clock further off")
    ] = 2_000

    @property
    def http_origin(self) -> Origin:
        """Place of the REST interface; ValueError when it is not allowed."""
        try:
            return allowed_origin(self.http_url, self.allowed_hosts, ("https", "http"))
        except ValueError as error:
            raise ValueError(f"http_url {error}") from None

    @property
    def ws_origin(self) -> Origin:
        """Place of the streams; ValueError when it is not allowed."""
        if self.ws_url is None:
            return web_socket_origin(self.http_origin)
        try:
            return allowed_origin(self.ws_url, self.allowed_hosts, ("wss", "ws"))
        except ValueError as error:
            raise ValueError(f"ws_url {error}") from None

    @model_validator(mode="after")
    def _places_are_allowed(self) -> "VenueParams":
        if self.http_origin.scheme == "https" and self.ws_origin.scheme == "ws":
            raise ValueError("ws_url is this machine, http_url is not: they are not one venue")
        return self


class SessionParams(Params):
    """The trading key that the wallet lends the bot for a while."""

    ttl_h: Annotated[float, Field(gt=0, le=744, description="how long a new session lasts")] = 24.0
    refresh_before_h: Annotated[
        float, Field(ge=0, le=744, description="a session that ends sooner is not used any more")
    ] = 6.0
    dir: Annotated[
        str | None,
        Field(description="folder of the session files; null: in the state folder"),
    ] = None

    @model_validator(mode="after")
    def _lasts_longer_than_it_is_kept(self) -> "SessionParams":
        if self.refresh_before_h >= self.ttl_h:
            raise ValueError("refresh_before_h is not below ttl_h: no session would ever be used")
        return self
