"""Settings of what a running bot writes down."""

from typing import Annotated

from pydantic import Field

from mmbot.domain.params import Params


class StorageParams(Params):
    """The ledger: where it is, how often it is written, how much of it is kept."""

    dir: Annotated[
        str | None, Field(description="folder of the ledger; null: the state folder")
    ] = None
    commit_interval_ms: Annotated[
        int,
        Field(ge=1, le=5_000, description="what is noted is on its way to the disk for so long"),
    ] = 250
    order_history_count: Annotated[
        int, Field(ge=1, le=100_000, description="latest orders kept in memory")
    ] = 1_000
    equity_points_count: Annotated[
        int, Field(ge=1, le=1_000_000, description="latest points of equity kept in memory")
    ] = 10_000
    journal_days: Annotated[
        int, Field(ge=1, le=3_650, description="events and orders older than this are removed")
    ] = 7
    journal_mib: Annotated[
        int, Field(ge=8, le=1_048_576, description="a larger ledger loses its oldest events")
    ] = 1_024
