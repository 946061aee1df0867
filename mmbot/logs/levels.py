"""Levels of the log by name, `trace` below `debug`, and what a wish such as `info,mmbot.ws=trace`
means.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

TRACE = 5
LEVELS = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": TRACE,
}
# Libraries tell of every request, some with the whole address; see operations 4.5.
FOREIGN = (
    "httpx", "httpcore", "httpx2", "telegram", "aiohttp", "websockets", "asyncio", "boto3",
    "botocore", "urllib3", "apscheduler", "ledgercomm",
)  # fmt: skip
OURS = "mmbot"
# What writes under our name; a wish for another one would do nothing, silently.
PARTS = ("bot", "orders", "control", "rest", "ws", "http", "logs", "exchange")


class Levels(NamedTuple):
    """The level of our own loggers, and of those that have one of their own."""

    general: int
    own: Mapping[str, int]


def parse_levels(text: str) -> Levels:
    """Read `LEVEL`, `LOGGER=LEVEL` or several of them with commas; ValueError says what is wrong.

    Without a general level it is info.
    """
    general = logging.INFO
    own: dict[str, int] = {}
    for part in text.split(","):
        name, equals, level = part.strip().rpartition("=")
        if level.lower() not in LEVELS:
            raise ValueError(f"{level!r} is no level: expected {', '.join(LEVELS)}")
        if equals and not name:
            raise ValueError(f"{part!r} names no logger")
        head, _, below = name.partition(".")
        if head == OURS and below and below.partition(".")[0] not in PARTS:
            raise ValueError(f"there is no logger {name}: expected one of {', '.join(PARTS)}")
        if equals:
            own[name] = LEVELS[level.lower()]
        else:
            general = LEVELS[level.lower()]
    return Levels(general, own)


def apply_levels(levels: Levels, forget: Iterable[str] = ()) -> None:
    """Put levels in force; the loggers of `forget` follow the general level again."""
    for name in forget:
        logging.getLogger(name).setLevel(logging.NOTSET)
    logging.getLogger(OURS).setLevel(levels.general)
    for name in FOREIGN:
        logging.getLogger(name).setLevel(max(levels.general, logging.WARNING))
    for name, level in levels.own.items():
        logging.getLogger(name).setLevel(level)


def drop_levels(levels: Levels) -> None:
    """Leave every logger as it is when nobody has a wish."""
    for name in (OURS, *FOREIGN, *levels.own):
        logging.getLogger(name).setLevel(logging.NOTSET)


def level_name(number: int) -> str:
    """Return the name of a level, of the one below for numbers between."""
    return next((name for name, level in LEVELS.items() if level <= number), "trace")
