"""Settings of the HTTP face: where it listens, and who may command there."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import Field, model_validator

from mmbot.domain.params import Params


class ApiParams(Params):
    """Status page, metrics and API over HTTP; read-only without a token."""

    enabled: Annotated[bool, Field(description="serve it at all")] = True
    host: Annotated[
        str, Field(min_length=1, description="address to listen at; others need token_file")
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="0: any that is free")] = 8787
    token_file: Annotated[
        str | None,
        Field(description="file with the token that commands need; null: no commands over HTTP"),
    ] = None
    allowed_hosts: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="names it may be asked by, besides its address"),
    ] = ("localhost",)

    @model_validator(mode="after")
    def _others_need_a_token(self) -> "ApiParams":
        if not self.is_local and self.token_file is None:
            raise ValueError(f"host {self.host} is open to others, which needs token_file")
        return self

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False
