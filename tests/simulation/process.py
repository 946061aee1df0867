"""Programs of a simulation: one loop runs several, and each can be stopped, frozen or killed.

What a program starts belongs to it: tasks and timers carry its context, connections its mark.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any, Protocol


class Socket(Protocol):
    """A connection, as far as its owner's death is concerned."""

    def abort(self) -> None:
        """End at once."""
        ...

    def vanish(self) -> None:
        """End without a word to the other side."""
        ...


class Process:
    """One program: `alive` until it is killed, frozen until a moment of the loop's time.

    `host` names the machine it runs on.
    """

    def __init__(self, name: str, host: str = "") -> None:
        self.name = name
        self.host = host
        self.alive = True
        self.frozen_until = 0.0
        # Handles of turns that were put off; what they hold has no public name.
        self.put_off: list[Any] = []
        # Dicts keep an order that does not depend on addresses in memory.
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.sockets: dict[Socket, None] = {}
        self.signals: dict[int, Callable[[], None]] = {}
        self.context: Context = copy_context()
        self.context.run(PROCESS.set, self)

    def __repr__(self) -> str:
        return f"Process({self.name})"


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


def owner(handle: asyncio.Handle) -> Process | None:
    """Return the program a scheduled call belongs to."""
    context: Context = handle._context  # type: ignore[attr-defined]
    return context.get(PROCESS)
