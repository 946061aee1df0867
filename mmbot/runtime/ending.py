"""Why a run ends and what its exit code is (operations 3.2)."""

import asyncio

from mmbot.ports import Leftovers
from mmbot.runtime.keeping import ExitReport

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_HALTED = 6
EXIT_INCOMPLETE = 8
EXIT_INTERRUPTED = 130


class Ending:
    """The first cause ends the run; what comes later is told and changes the code at most."""

    def __init__(self) -> None:
        self.reason = ""
        self.halted: str | None = None
        self.interrupted = False
        self.failure: BaseException | None = None
        self._begun = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Whether the run is to end."""
        return self._begun.is_set()

    async def wait(self) -> None:
        """Return when the run is to end."""
        await self._begun.wait()

    def stop(self, reason: str) -> None:
        """End as asked for."""
        self._begin(reason)

    def halt(self, reason: str) -> None:
        """End because a person has to look first."""
        self.halted = self.halted or reason
        self._begin(reason)

    def fail(self, error: BaseException, where: str) -> None:
        """End because of a mistake of ours; the first is kept."""
        self.failure = self.failure or error
        self._begin(f"{where}: {type(error).__name__}: {error}")

    def report(self, leftovers: Leftovers) -> ExitReport:
        """Say how it ended: what is left at the venue counts most."""
        if not leftovers.clean:
            code = EXIT_INCOMPLETE
        elif self.halted is not None:
            code = EXIT_HALTED
        elif self.failure is not None:
            code = EXIT_ERROR
        else:
            code = EXIT_INTERRUPTED if self.interrupted else EXIT_OK
        return ExitReport(code, self.reason, leftovers)

    def _begin(self, reason: str) -> None:
        if not self._begun.is_set():
            self.reason = reason
            self._begun.set()
