"""The logs of a bot: where its files are."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from mmbot.adapters.zo.keys.session_files import state_folder
from mmbot.config.schema import Config
from mmbot.errors import UsageError
from mmbot.logs.lines import iso_time
from mmbot.logs.logs import Logs, log_folder
from mmbot.logs.reading import Filter, last_lines

MOST_LINES = 50_000


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


def recent_log(config: Config, env: Mapping[str, str], from_ns: int) -> str:
    """Return what a trading bot has logged since a moment, a JSON object a line."""
    wanted = Filter(since=iso_time(from_ns / 1e9))
    lines = last_lines(log_file(config, "live", env), wanted, MOST_LINES)
    return msgspec.json.Encoder().encode_lines(lines).decode()
