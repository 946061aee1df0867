"""The supervisor of a simulated machine: petted by the bot that runs there, as systemd is."""

import asyncio
from collections.abc import Callable, Mapping

from mmbot.ports import Leftovers
from tests.simulation.machine import Machine

# Half of the WatchdogSec of the unit, as systemd asks for.
PET_EVERY_S = 10.0


class PettingHeart:
    """Heart that pets the machine's supervisor while every sign of life is there."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._asked_ns = 0

    def beat(self, now_ns: int, signs: Callable[[], Mapping[str, bool]]) -> None:
        """See Heart."""
        if now_ns - self._asked_ns >= PET_EVERY_S * 1e9:
            self._asked_ns = now_ns
            if all(signs().values()):
                self._machine.petted_s = asyncio.get_running_loop().time()

    def reloading(self, *, begins: bool) -> None:
        """See Heart."""

    async def run(self) -> None:
        """See Heart."""
        await asyncio.Event().wait()

    async def end(self, leftovers: Leftovers, *, anew: bool) -> None:
        """See Heart."""
