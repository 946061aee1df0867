"""Where the command line finds a running bot."""

import os
from collections.abc import Mapping
from pathlib import Path

from mmbot.runtime.params import ControlParams


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
