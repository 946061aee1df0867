"""Settings of the control socket, and where the command line finds it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mmbot.domain.params import Params


class ControlParams(Params):
    """How a running bot is commanded from this machine."""

    socket: Annotated[
        str | None,
        Field(description="Unix socket of a running bot; null: in its runtime or state folder"),
    ] = None


def control_socket(params: ControlParams, instance: str, env: Mapping[str, str]) -> Path:
    """Return where a bot of this instance listens: as set, else where a service keeps such."""
    if params.socket is not None:
        return Path(params.socket).expanduser()
    for name in ("RUNTIME_DIRECTORY", "STATE_DIRECTORY"):
        folder = env.get(name, "").partition(os.pathsep)[0]
        if folder:
            return Path(folder) / f"control-{instance}.sock"
    state = env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "mmbot" / f"control-{instance}.sock"
