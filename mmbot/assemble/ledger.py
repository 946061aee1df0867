"""Where a bot's ledger is."""

from collections.abc import Mapping
from pathlib import Path

from mmbot.adapters.zo.keys.session_files import state_folder
from mmbot.config.schema import Config


def ledger_file(config: Config, env: Mapping[str, str]) -> Path:
    """Return the ledger of this instance, in the folder of the settings or the state folder."""
    configured = config.storage.dir
    folder = state_folder(env) if configured is None else Path(configured).expanduser()
    return folder / f"{config.instance.name}.ledger"
