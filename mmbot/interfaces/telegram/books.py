"""What the chat can look up beside the state of the moment: books, settings, archives."""

from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from mmbot.domain.control import Answer, OperatorCommand


class Earned(Struct, frozen=True):
    """What was earned in a while, USD; `lines` add up to `pnl_usd`.

    adverse_usd: what prices moved against the trades within 5 s, part of the lines already.
    """

    pnl_usd: Decimal
    volume_usd: Decimal
    fills: int
    lines: dict[str, Decimal]
    adverse_usd: Decimal


class Books(Protocol):
    """Looks things up without holding anything up; raises MmbotError when that fails."""

    async def earned(self, since_ns: int, until_ns: int) -> Earned:
        """Return what was earned between two moments."""
        ...

    async def curve(self, since_ns: int, until_ns: int) -> bytes | None:
        """Return the equity of that time as a picture (PNG), None where nobody can draw."""
        ...

    async def fills(self, count: int) -> list[str]:
        """Return the latest trades, a line each, the newest last."""
        ...

    async def journal(self, count: int, critical: bool) -> list[str]:
        """Return the latest entries of the journal, the newest last; only warnings if asked."""
        ...

    async def bundle(self) -> tuple[str, bytes]:
        """Return the archive of the last two hours: its name and content."""
        ...

    def settings(self, key: str) -> list[str]:
        """Return the settings in force below a key, all of them below an empty one."""
        ...

    async def persist(self, command: OperatorCommand) -> Answer:
        """Write a setting into the file, and have the file read again."""
        ...
