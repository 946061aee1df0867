"""How things are handed to the writer: told and forgotten, or asked for and waited for."""

import asyncio
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from typing import Any

from mmbot.errors import DataError
from mmbot.ledger.writer import DURABLE_S, Job, Work, Writer


class Asking:
    """Calls of one writer. What is asked for is on the disk (FULL) when it is answered."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def tell(self, work: Work, droppable: bool = False) -> None:
        """Have something written; `droppable` when the queue is full."""
        self.writer.put(Job(work, droppable))

    def ask(self, work: Work, again: bool = True) -> "Future[Any]":
        """Ask for something; `again`: the attempt goes on after a failure."""
        answer: Future[Any] = Future()
        # From here on nobody can cancel it.
        answer.set_running_or_notify_cancel()
        self.writer.put(Job(work, durable=True, answer=answer, again=again))
        return answer

    def done(self, work: Work) -> Any:
        """Ask and wait, once; DataError when it fails or takes too long."""
        try:
            return self.ask(work, again=False).result(self.writer.wait_s)
        except TookTooLong:
            raise DataError("ledger: the disk does not take anything") from None

    def is_done(self, answer: "Future[Any]") -> bool:
        """Wait; False when it has failed or taken too long."""
        try:
            answer.result(self.writer.wait_s)
        except (DataError, TookTooLong):
            return False
        return True


async def will_be_done(answer: "Future[Any]") -> bool:
    """Wait without holding up the loop; False when it has failed or taken too long."""
    # An answer that is there needs no loop: a simulation has it at once.
    if answer.done():
        return answer.exception() is None
    # wait_for would swallow a cancellation that comes together with the answer.
    try:
        async with asyncio.timeout(DURABLE_S):
            await asyncio.wrap_future(answer)
    except (DataError, TimeoutError):
        return False
    return True
