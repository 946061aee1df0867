"""The disk under a ledger in a simulation: written in batches, slowly, or not at all.

As the product's thread does it, on the loop's time: what has come within an interval is one
transaction, and what a program has not written when it dies is lost.
"""

import asyncio
from collections.abc import Callable, Sequence

from mmbot.ledger.writer import Inline, Job, Outcome, Store, Writer
from tests.simulation.machine import Machine
from tests.simulation.process import PROCESS

INTERVAL_S = 0.25


class Disk(Inline):
    """A writer whose writes take the time that the machine says; see Inline."""

    def __init__(self, store: Store, machine: Machine) -> None:
        super().__init__(store)
        self._machine = machine
        self._process = PROCESS.get()
        self._busy_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._now = asyncio.get_running_loop().time

    def put(self, job: Job) -> None:
        """Take a job. Who asks for it to be done before anything else waits for it."""
        if not self.queue.take(job):
            return
        if job.durable and not job.again:
            self._write()
        elif self._timer is None:
            self._later(0.0 if job.durable else INTERVAL_S)

    def close(self, _timeout_s: float) -> bool:
        """Write what is left and let go of the file."""
        self._write()
        if self._timer is not None:
            self._timer.cancel()
        self.queue.store.close()
        return not self.queue.waiting

    def _later(self, after_s: float) -> None:
        wait_s = max(after_s, self._busy_s - self._now())
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._due)

    def _due(self) -> None:
        self._timer = None
        self._write()
        if self.queue.waiting:
            self._later(INTERVAL_S)

    def _write(self) -> None:
        queue = self.queue
        while queue.waiting and (self._process is None or self._process.alive):
            jobs = queue.batch()
            outcome = self._done(jobs)
            queue.settle(len(jobs), outcome)
            if outcome is Outcome.LATER or self._busy_s > self._now():
                return

    def _done(self, jobs: Sequence[Job]) -> Outcome:
        try:
            took_s = self._machine.write()
        except OSError as error:
            self.queue.store.failure = f"ledger: {error}"
            return Outcome.LATER
        self._busy_s = self._now() + took_s
        return self.queue.store.write(jobs)


def slow_disk(machine: Machine) -> Callable[[Store], Writer]:
    """Return what makes the writers of a machine's ledgers."""
    return lambda store: Disk(store, machine)
