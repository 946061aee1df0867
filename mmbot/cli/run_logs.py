"""The logs of a verb that runs: where its files are."""

from collections.abc import Mapping
from pathlib import Path

from mmbot.adapters.zo.keys.session_files import state_folder
from mmbot.config.schema import Config
from mmbot.errors import UsageError
from mmbot.logs.logs import Logs, log_folder


def logs_of(config: Config, mode: str, env: Mapping[str, str]) -> Logs:
    """Return the logs of an instance; UsageError when LOG_LEVEL is none."""
    try:
        return Logs(config.logging, env, log_file(config, mode, env))
    except ValueError as error:
        raise UsageError(f"LOG_LEVEL: {error}") from None


def log_file(config: Config, mode: str, env: Mapping[str, str]) -> Path:
    """Return the file of an instance; bots that do not trade have one of their own."""
    folder = log_folder(config.logging, env, state_folder(env))
    ending = "" if mode == "live" else f"-{mode}"
    return folder / f"{config.instance.name}{ending}.jsonl"
