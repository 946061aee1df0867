"""Settings of the heartbeat that a guard listens to, and where the two meet."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mmbot.domain.params import Params


class GuardParams(Params):
    """The guard: a process of its own that cancels when the bot dies or wedges."""

    socket: Annotated[
        str | None,
        Field(description="Unix socket where guard and bot meet; null: in the state folder"),
    ] = None
    silent_s: Annotated[
        float, Field(ge=1, le=60, description="this long without a word is death")
    ] = 3.0


def guard_socket(params: GuardParams, instance: str, env: Mapping[str, str]) -> Path:
    """Return where guard and bot of an instance meet: as set, or in the state folder."""
    if params.socket is not None:
        return Path(params.socket).expanduser()
    service = env.get("STATE_DIRECTORY", "").partition(os.pathsep)[0]
    if service:
        return Path(service) / f"guard-{instance}.sock"
    state = env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "mmbot" / f"guard-{instance}.sock"
