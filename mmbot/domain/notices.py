"""Notices: what the engine wants a person to know. Codes are stable, texts are for reading."""

from enum import IntEnum

from msgspec import Struct


class Severity(IntEnum):
    """How soon someone should look."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2


class Notice(Struct, frozen=True, gc=False):
    """One thing worth telling; `market` None means the whole account."""

    ts_ns: int
    severity: Severity
    code: str
    market: int | None
    text: str
