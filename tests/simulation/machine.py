"""The machine the bot runs on, as far as faults on it are concerned."""

from pathlib import Path

from tests.simulation.leases import Leases


class Machine:
    """Its disk and its wall clock.

    The bot's own writer asks `write` before every write. `wall_step_ns` is how far the wall clock
    is from the steady one; `folder` outlives the bot. `leases`: what it trades under. `petted_s`:
    when its supervisor last heard that the bot is well.
    """

    def __init__(self, folder: Path, leases: Leases | None = None) -> None:
        self.folder = folder
        self.leases = leases
        self.wall_step_ns = 0
        self.is_full = False
        self.slow_s = 0.0
        self.writes = 0
        self.petted_s = 0.0

    def beside(self) -> "Machine":
        """Return the other machine of a pair."""
        return Machine(self.folder / "spare", self.leases)

    def write(self) -> float:
        """Account for one write; how long it takes. OSError when there is no room."""
        self.writes += 1
        if self.is_full:
            raise OSError(28, "no space left on device")
        return self.slow_s
