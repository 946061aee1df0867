"""Everything that is recorded into one folder, as one thing to run and to ask."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from mmbot.adapters.zo.market_terms import Outside
from mmbot.adapters.zo.origin import Origin
from mmbot.adapters.zo.rest.answers import Listing
from mmbot.assemble.recording.accounts import AccountRecording, RecordedAccount
from mmbot.assemble.recording.books import DiskGuard, Part, RecordedMarket, VenueRecording
from mmbot.assemble.recording.reference import ReferenceRecording, outside_recordings
from mmbot.errors import UsageError


class Wanted(NamedTuple):
    """What to record: markets of the venue, accounts, and the address of an outside price."""

    origin: Origin
    listings: Sequence[Listing]
    accounts: Sequence[int] = ()
    reference: str | None = None


class Recorded(Struct, frozen=True):
    """What was recorded: the venue's markets, then those outside, and accounts."""

    markets: list[RecordedMarket]
    accounts: list[RecordedAccount]

    def with_gaps_of(self, before: "Recorded") -> "Recorded":
        """Return the same with the gaps counted at an earlier moment."""
        return Recorded(
            [
                replace(each, gaps=other.gaps)
                for each, other in zip(self.markets, before.markets, strict=True)
            ],
            [
                replace(each, gaps=other.gaps)
                for each, other in zip(self.accounts, before.accounts, strict=True)
            ],
        )


class Recording:
    """Records its parts until it is cancelled; None is a part that is not wanted."""

    def __init__(
        self,
        guard: DiskGuard,
        markets: VenueRecording,
        quotes: ReferenceRecording | None,
        accounts: AccountRecording | None,
    ) -> None:
        self.guard = guard
        self._accounts = accounts
        parts: tuple[Part | None, ...] = (markets, quotes, accounts)
        self._parts = [part for part in parts if part is not None]

    async def run(self) -> None:
        """Record; everything is written when it ends."""
        async with asyncio.TaskGroup() as group:
            for part in self._parts:
                group.create_task(part.run(), name=type(part).__name__)

    def flush(self) -> None:
        """Have what is recorded on the disk."""
        for part in self._parts:
            part.flush()

    def recorded(self) -> Recorded:
        """Say what was recorded so far."""
        markets = [market for part in self._parts for market in part.markets()]
        return Recorded(markets, [] if self._accounts is None else self._accounts.accounts())


def open_recording(
    wanted: Wanted, folder: Path, outside: Outside, on_failure: Callable[[], None]
) -> Recording:
    """Put a recording together; UsageError when accounts or reference make no sense.

    Anything the disk refuses is kept in `guard.failure`, and `on_failure` is called.
    """
    guard = DiskGuard(on_failure)
    listings = wanted.listings
    accounts = quotes = None
    if wanted.accounts:
        streams = (wanted.origin, listings[0].symbol)
        try:
            accounts = AccountRecording(streams, wanted.accounts, folder, outside, guard)
        except ValueError as error:
            raise UsageError(f"--account: {error}") from None
    if wanted.reference is not None:
        symbols = [each.symbol for each in listings]
        try:
            quotes = outside_recordings(wanted.reference, symbols, folder, outside, guard)
        except ValueError as error:
            raise UsageError(f"--reference {wanted.reference}: {error}") from None
    markets = VenueRecording(wanted.origin, listings, folder, outside, guard)
    return Recording(guard, markets, quotes, accounts)
