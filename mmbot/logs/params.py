"""Settings of the logs."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from mmbot.domain.params import Params
from mmbot.logs.levels import parse_levels


class LogFileParams(Params):
    """Log files: a JSON object a line, in the folder of the service's or the user's logs."""

    enabled: Annotated[bool, Field(description="write files")] = True
    dir: Annotated[
        str | None,
        Field(description="folder; null: of the service's logs, else `logs` in the state folder"),
    ] = None
    rotate_mib: Annotated[
        float, Field(gt=0, le=1_024, description="MiB: a file this large is put aside")
    ] = 10.0
    keep_count: Annotated[
        int, Field(ge=1, le=1_000, description="files put aside that are kept")
    ] = 10


class LoggingParams(Params):
    """What is logged, and where. `LOG_LEVEL` in the environment comes before both levels."""

    level: Annotated[
        Literal["error", "warning", "info", "debug", "trace"],
        Field(description="trace shows every message of the venue's streams"),
    ] = "info"
    levels: Annotated[
        tuple[str, ...],
        Field(max_length=50, description="of single loggers, such as mmbot.ws=trace"),
    ] = ()
    console: Annotated[
        Literal["auto", "text", "json", "journal", "none"],
        Field(description="auto: journal under systemd, text with LOG_LEVEL, else the bot's view"),
    ] = "auto"
    file: LogFileParams = LogFileParams()
    queue_max_count: Annotated[
        int,
        Field(ge=100, le=1_000_000, description="lines that may wait for the disk; more are lost"),
    ] = 10_000

    @field_validator("levels")
    @classmethod
    def _levels_are_some(cls, levels: tuple[str, ...]) -> tuple[str, ...]:
        for each in levels:
            if "=" not in each:
                raise ValueError(f"{each!r} names no logger: expected LOGGER=LEVEL")
            parse_levels(each)
        return levels

    @property
    def wish(self) -> str:
        """The levels as one text, see parse_levels."""
        return ",".join((self.level, *self.levels))
