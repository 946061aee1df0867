"""Why a run ends, what its exit code is (operations 3.2), and tasks that must not end before it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from mmbot.errors import InvariantViolation
from mmbot.ports import Leftovers

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_HALTED = 6
EXIT_INCOMPLETE = 8
EXIT_INTERRUPTED = 130

Work = Callable[[], Coroutine[Any, Any, None]]


class ExitReport(NamedTuple):
    """How a run ended; `code` is what the process ends with. `held`: positions not given back.

    cleared: a halt that a person has cleared, so that another run may begin.
    """

    code: int
    reason: str
    leftovers: Leftovers
    held: tuple[str, ...] = ()
    cleared: bool = False


class Ending:
    """The first cause ends the run; what comes later is told and changes the code at most."""

    def __init__(self) -> None:
        self.reason = ""
        self.halted: str | None = None
        self.interrupted = False
        self.failure: BaseException | None = None
        self.stays = False
        self.cleared = False
        self._begun = asyncio.Event()
        self._dismissed = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Whether the run is to end."""
        return self._begun.is_set()

    async def wait(self) -> None:
        """Return when the run is to end."""
        await self._begun.wait()

    async def stay(self) -> None:
        """Halted, with nothing left to take off: wait until somebody stops or clears it."""
        self.stays = True
        await self._dismissed.wait()
        self.stays = False

    def clear(self) -> None:
        """A person has cleared the halt."""
        self.cleared = True
        self._dismissed.set()

    def stop(self, reason: str) -> None:
        """End as asked for."""
        self._dismissed.set()
        self._begin(reason)

    def halt(self, reason: str) -> None:
        """End because a person has to look first."""
        if self.halted is None:
            self.halted = reason
            self._begin(reason)

    def fail(self, error: BaseException, where: str) -> None:
        """End because of a mistake of ours; the first is kept."""
        self._dismissed.set()
        if self.failure is None:
            self.failure = error
            self._begin(f"{where}: {type(error).__name__}: {error}")

    def report(self, leftovers: Leftovers, held: tuple[str, ...]) -> ExitReport:
        """Say how it ended: what is left at the venue counts most."""
        if not leftovers.clean or held:
            code = EXIT_INCOMPLETE
        elif self.halted is not None:
            code = EXIT_HALTED
        elif self.failure is not None:
            code = EXIT_ERROR
        else:
            code = EXIT_INTERRUPTED if self.interrupted else EXIT_OK
        return ExitReport(code, self.reason, leftovers, held)

    def _begin(self, reason: str) -> None:
        if not self._begun.is_set():
            self.reason = reason
            self._begun.set()


async def watched(name: str, work: Work, ending: Ending) -> None:
    """Do the work in a task of that name; its end, with or without an exception, is a failure.

    Returns when it has ended, and ends it when cancelled. Nothing of it is raised here: a group of
    such tasks goes on, so that orders can still be taken off.
    """
    task = asyncio.get_running_loop().create_task(work(), name=name)
    try:
        await asyncio.wait((task,))
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))
    error = InvariantViolation("cancelled") if task.cancelled() else task.exception()
    if error is None:
        error = InvariantViolation("it ended by itself")
    ending.fail(_first_of(error), name)


def watch_callbacks(ending: Ending) -> Callable[[], None]:
    """End the run when a callback of the loop fails, which otherwise only a log would tell.

    Returns what puts the loop back.
    """
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def failed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            ending.fail(error, "a callback")
        loop.default_exception_handler(context)

    loop.set_exception_handler(failed)
    return lambda: loop.set_exception_handler(before)


def _first_of(error: BaseException) -> BaseException:
    """Return the first exception of what may be a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
