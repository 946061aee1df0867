"""Tasks that must not end: when one does, the run ends in order, with the others still at work."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from mmbot.errors import InvariantViolation
from mmbot.runtime.ending import Ending

Work = Callable[[], Coroutine[Any, Any, None]]


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
    if task.cancelled():
        return
    error = task.exception()
    if error is None:
        error = InvariantViolation("it ended by itself")
    ending.fail(first_of(error), name)


def first_of(error: BaseException) -> BaseException:
    """Return the first exception of what may be a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
