"""Settings of the live loop: when it counts as stalled, what is warm, how long a stop may take."""

from typing import Annotated

from pydantic import Field

from mmbot.domain.params import Params


class RuntimeParams(Params):
    """How a bot is kept running, and how it ends."""

    warmup_ms: Annotated[
        int,
        Field(ge=0, le=600_000, description="a new book has to hold so long before it is quoted"),
    ] = 1_000
    stall_ms: Annotated[
        int,
        Field(
            ge=100,
            le=60_000,
            description="nothing done for so long: quotes off, every book read anew",
        ),
    ] = 1_000
    inbox_count: Annotated[
        int, Field(ge=100, le=1_000_000, description="events that may wait; prices are then left")
    ] = 10_000
    journal_backlog_count: Annotated[
        int, Field(ge=100, le=1_000_000, description="rows the disk may be behind; more: no quotes")
    ] = 2_000
    stop_timeout_s: Annotated[
        float,
        Field(
            ge=10,
            le=3_600,
            description="granted to a stop by the supervisor; one that may take longer is refused",
        ),
    ] = 90.0
    close_timeout_s: Annotated[
        float, Field(ge=1, le=600, description="for giving positions back, with --close-on-exit")
    ] = 15.0


class ControlParams(Params):
    """How a running bot is commanded from this machine."""

    socket: Annotated[
        str | None,
        Field(description="Unix socket of a running bot; null: in its runtime or state folder"),
    ] = None
