"""Who writes: a thread of its own in batches, or the caller itself in a simulation.

What cannot be written stays in the queue and is tried again; nothing is raised into the trading
path, `failure` says what is wrong until a write succeeds. Of a queue that is full only events of
the journal are dropped, and counted: money is never dropped, and as the bot takes its quotes off
when the backlog grows, little of it comes.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from itertools import islice
from threading import Condition, Thread
from typing import Any, NamedTuple

from mmbot.errors import DataError

QUEUE_COUNT = 2_000
BATCH_COUNT = 1_000
IDLE_S = 30.0

Work = Callable[[sqlite3.Connection], Any]


class Job(NamedTuple):
    """Something to write; `answer` gets the result when it is on the disk (FULL), or the error.

    `again`: stays in the queue when it fails though somebody has been told so.
    """

    work: Work
    droppable: bool = False
    answer: "Future[Any] | None" = None
    again: bool = True


class Store:
    """The connection of the one who writes."""

    def __init__(self, connection: sqlite3.Connection, chore: Work) -> None:
        """Take the connection; `chore` is what is to be done when there is nothing to do."""
        self._connection = connection
        self._chore = chore
        self.failure: str | None = None

    def write(self, jobs: "list[Job]") -> bool:
        """Do jobs in one transaction, durable when one of them wants an answer; False: none is done."""
        connection = self._connection
        durable = any(job.answer is not None for job in jobs)
        try:
            if durable:
                connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            results = [job.work(connection) for job in jobs]
            connection.execute("COMMIT")
            if durable:
                connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            self.failure = f"ledger: {error}"
            self._back()
            return False
        self.failure = None
        for job, result in zip(jobs, results, strict=True):
            if job.answer is not None:
                job.answer.set_result(result)
        return True

    def rest(self) -> None:
        """Clean up while nothing is to be written."""
        try:
            self._chore(self._connection)
        except sqlite3.Error as error:
            self.failure = f"ledger: {error}"
            self._back()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            self.failure = f"ledger: {error}"


class Inline:
    """Writes at once, in the caller. `stalled`: as if the disk took nothing for a while."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[Job] = deque()
        self._stalled = False
        self.dropped = 0
        self.written = 0

    @property
    def failure(self) -> str | None:
        """What is wrong, None when the latest write has succeeded."""
        return self._store.failure

    @property
    def waiting(self) -> int:
        """Jobs that are not written yet."""
        return len(self._waiting)

    @property
    def stalled(self) -> bool:
        """The disk takes nothing."""
        return self._stalled

    @stalled.setter
    def stalled(self, stalled: bool) -> None:
        self._stalled = stalled
        self._drain()

    def put(self, job: Job) -> None:
        """Write a job, and those that failed before it."""
        if job.droppable and len(self._waiting) >= QUEUE_COUNT:
            self.dropped += 1
            return
        self._waiting.append(job)
        self._drain()

    def close(self, timeout_s: float) -> bool:
        """Let go of the file; False when something is left unwritten, which waits no `timeout_s`."""
        del timeout_s
        self._drain()
        self._store.close()
        return not self._waiting

    def _drain(self) -> None:
        while self._waiting and not self._stalled:
            jobs = [self._waiting[0]]
            if not self._store.write(jobs):
                refuse(self._waiting, 1, self._store.failure)
                return
            self._waiting.popleft()
            self.written += 1


class Threaded:
    """Writes in a thread, whatever has come within an interval in one transaction."""

    def __init__(self, store: Store, interval_s: float) -> None:
        self._store = store
        self._interval_s = interval_s
        self._waiting: deque[Job] = deque()
        self._change = Condition()
        self._urgent = False
        self._closing = False
        self.dropped = 0
        self.written = 0
        self._thread = Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> str | None:
        """What is wrong, None when the latest write has succeeded."""
        if not self._thread.is_alive() and not self._closing:
            return "ledger: its thread has ended"
        return self._store.failure

    @property
    def waiting(self) -> int:
        """Jobs that are not written yet."""
        return len(self._waiting)

    def put(self, job: Job) -> None:
        """Queue a job; one that wants an answer is written at once."""
        with self._change:
            if job.droppable and len(self._waiting) >= QUEUE_COUNT:
                self.dropped += 1
                return
            self._waiting.append(job)
            if job.answer is not None:
                self._urgent = True
            if self._urgent or len(self._waiting) == 1 or len(self._waiting) >= BATCH_COUNT:
                self._change.notify()

    def close(self, timeout_s: float) -> bool:
        """Write what is left and let go of the file; False when that has not been done in time."""
        with self._change:
            self._closing = True
            self._change.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self._waiting

    def _run(self) -> None:
        while jobs := self._next():
            done = self._store.write(jobs)
            with self._change:
                if done:
                    for _ in jobs:
                        self._waiting.popleft()
                    self.written += len(jobs)
                    continue
                refuse(self._waiting, len(jobs), self._store.failure)
                if self._closing:
                    break
                self._change.wait(self._interval_s)
        self._store.rest()
        self._store.close()

    def _next(self) -> list[Job]:
        """Wait for something to write; empty when there will be nothing any more."""
        with self._change:
            while not self._waiting and not self._closing:
                if not self._change.wait(IDLE_S):
                    self._change.release()
                    try:
                        self._store.rest()
                    finally:
                        self._change.acquire()
            self._change.wait_for(self._is_due, self._interval_s)
            self._urgent = False
            return list(islice(self._waiting, BATCH_COUNT))

    def _is_due(self) -> bool:
        return self._urgent or self._closing or len(self._waiting) >= BATCH_COUNT


Writer = Inline | Threaded


def refuse(waiting: "deque[Job]", count: int, failure: str | None) -> None:
    """Tell those who wait for the first `count` jobs; keep the jobs that are to be tried again."""
    kept = []
    for _ in range(count):
        job = waiting.popleft()
        if job.answer is not None:
            job.answer.set_exception(DataError(failure or "ledger: cannot be written"))
            job = job._replace(answer=None)
            if not job.again:
                continue
        kept.append(job)
    waiting.extendleft(reversed(kept))
