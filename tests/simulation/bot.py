"""What the simulation asks of a bot, the real one or a double: to be made, run, asked and told.

A bot is one run of one program. Everything it does happens in its process: it is awaited there,
sends through the loop's network, and keeps what must outlive it in its folder.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol

from msgspec import Struct

from mmbot.adapters.web.clock import Clock
from mmbot.adapters.zo.wire.signing import Keypair
from mmbot.domain.events import Command
from mmbot.domain.status import StatusView
from tests.simulation.machine import Machine
from tests.simulation.terms import Belief, Decision


class Setting(Struct, frozen=True, kw_only=True):
    """What a bot is given. `clock` is steady, `wall` may be stepped; both in Unix nanoseconds.

    `number` counts the starts in one simulation; `machine` has the disk and its folder.
    """

    url: str
    reference_url: str
    number: int
    rng: Random
    clock: Clock
    wall: Clock
    wallet: bytes
    account: int
    session: int
    session_expiry_s: int
    keypair: Keypair
    instance: int
    symbols: tuple[str, ...]
    lifetime_s: int
    machine: Machine


class Bot(Protocol):
    """One run of a market maker."""

    async def run(self) -> int:
        """Trade until told to stop, or until it must end; the exit code."""
        ...

    def status(self) -> StatusView | None:
        """How it stands; None until it can say."""
        ...

    def belief(self) -> Belief | None:
        """As `status`, in short: it is asked at every look of the judge."""
        ...

    def decided(self, client_id: int) -> Decision | None:
        """How it stood when it decided on a place a moment ago; None when it does not know."""
        ...

    def command(self, command: Command) -> None:
        """Take an operator's order. STOP is what SIGTERM means."""
        ...

    def task(self, name: str) -> str | None:
        """Return the name of the running task that is meant by one of PARTS, None without it."""
        ...

    def wedge(self) -> None:
        """Decide nothing any more, while everything else goes on."""
        ...


# Parts of a bot that faults may break: what keeps books, account, reference, and what decides.
PARTS = ("books", "account", "reference", "clock", "strategy")

Factory = Callable[[Setting], Bot]
