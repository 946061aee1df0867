"""Settings of the HTTP face; the token of those who command is `secrets.api_token`."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import Field

from mmbot.domain.params import Params


class ApiParams(Params):
    """Status page, metrics and API over HTTP; read-only without `secrets.api_token`."""

    enabled: Annotated[bool, Field(description="serve it at all")] = True
    host: Annotated[
        str,
        Field(
            min_length=1, description="address to listen at; one that others reach needs a token"
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="0: any that is free")] = 8787
    allowed_hosts: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="names it may be asked by, besides its address"),
    ] = ("localhost",)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False
