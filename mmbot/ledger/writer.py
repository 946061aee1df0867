"""Who writes: a thread of its own in batches, or the caller itself in a simulation.

What cannot be written stays in the queue and is tried again; nothing is raised into the trading
path, `failure` says what is wrong until a write succeeds. Of a queue that is full only what the
venue can tell again, or what is for reading, is dropped, and counted. Money is never dropped: the
bot takes its quotes off when the backlog grows, so little of it comes.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from enum import Enum
from itertools import islice
from threading import Condition, Thread
from typing import Any, NamedTuple

from mmbot.errors import DataError

QUEUE_COUNT = 2_000
BATCH_COUNT = 1_000
CHORE_COUNT = 5_000
IDLE_S = 30.0
DURABLE_S = 5.0
_MOST_PAGES = 0xFFFF_FFFE

Work = Callable[[sqlite3.Connection], Any]
# Not the disk's fault: trying again would end the same way.
_UNFIT = (
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    OverflowError,
)


class Job(NamedTuple):
    """Something to write; `durable`: with all before it, it is on the disk when it is done (FULL).

    `answer` gets the result, or the error; `again`: it stays in the queue after that.
    """

    work: Work
    droppable: bool = False
    durable: bool = False
    answer: "Future[Any] | None" = None
    again: bool = True


class Outcome(Enum):
    """How a write went: all done, nothing done yet, or one of the jobs never can be."""

    DONE = 1
    LATER = 2
    NEVER = 3


class Store:
    """The connection of the one who writes."""

    def __init__(self, connection: sqlite3.Connection, chore: Work, *, synced: bool) -> None:
        """Take the connection; `chore` tidies up. Not `synced`: the machine never loses power."""
        self._connection = connection
        self._chore = chore
        self._synced = synced
        self.failure: str | None = None

    def write(self, jobs: Sequence[Job]) -> Outcome:
        """Do jobs in one transaction."""
        connection = self._connection
        durable = self._synced and any(job.durable for job in jobs)
        try:
            if durable:
                connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            results = [job.work(connection) for job in jobs]
            connection.execute("COMMIT")
            if durable:
                connection.execute("PRAGMA synchronous = NORMAL")
        except (sqlite3.Error, OverflowError) as error:
            self._failed(error)
            return Outcome.NEVER if isinstance(error, _UNFIT) else Outcome.LATER
        self.failure = None
        for job, result in zip(jobs, results, strict=True):
            if job.answer is not None:
                job.answer.set_result(result)
        return Outcome.DONE

    def tidy(self) -> None:
        """Remove what is too old and shorten the write-ahead log."""
        try:
            self._chore(self._connection)
        except sqlite3.Error as error:
            self._failed(error)

    def limit(self, more_pages: int | None) -> None:
        """Let the file grow by so many pages and no more, or without limit: a full disk."""
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        most = _MOST_PAGES if more_pages is None else pages + more_pages
        self._connection.execute(f"PRAGMA max_page_count = {most}")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _failed(self, error: Exception) -> None:
        self.failure = f"ledger: {error}"
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if self._synced:
                self._connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as second:
            self.failure = f"ledger: {error}, {second}"


class Queue:
    """Jobs in order, those that failed in front."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.waiting: deque[Job] = deque()
        self.done = 0
        self.dropped = 0
        self.lost: str | None = None
        self._one_by_one = False
        self._until_chore = CHORE_COUNT

    @property
    def failure(self) -> str | None:
        """What is wrong, None when the latest write has succeeded and no row is lost."""
        return self.lost or self.store.failure

    def take(self, job: Job) -> bool:
        """Queue a job, or drop it."""
        if job.droppable and len(self.waiting) >= QUEUE_COUNT:
            self.dropped += 1
            return False
        self.waiting.append(job)
        return True

    def batch(self) -> list[Job]:
        """Return what is to be written next."""
        return list(islice(self.waiting, 1 if self._one_by_one else BATCH_COUNT))

    def settle(self, count: int, outcome: Outcome) -> None:
        """Take the first `count` jobs out, or what is left of them after a failure."""
        if outcome is Outcome.DONE:
            for _ in range(count):
                self.waiting.popleft()
            self.done += count
            self._until_chore -= count
            self._one_by_one = False
        elif outcome is Outcome.NEVER and count > 1:
            self._one_by_one = True
        else:
            self._refuse(count, never=outcome is Outcome.NEVER)

    def chore_due(self) -> bool:
        """Tell, once, that a lot has been written since the last time."""
        if self._until_chore > 0:
            return False
        self._until_chore = CHORE_COUNT
        return True

    def _refuse(self, count: int, never: bool) -> None:
        """Tell those who wait for an answer; keep what is to be tried again."""
        failure = self.store.failure or "ledger: cannot be written"
        kept = []
        for _ in range(count):
            job = self.waiting.popleft()
            if job.answer is not None:
                job.answer.set_exception(DataError(failure))
                if never or not job.again:
                    self.done += 1
                    continue
                job = job._replace(answer=None)
            elif never:
                self.lost = f"{failure}: something could not be written at all"
                self.done += 1
                continue
            kept.append(job)
        self.waiting.extendleft(reversed(kept))


class Inline:
    """Writes at once, in the caller."""

    wait_s = 0.0

    def __init__(self, store: Store) -> None:
        self.queue = Queue(store)
        self._stalled = False

    @property
    def failure(self) -> str | None:
        """What is wrong with the disk."""
        return self.queue.failure

    @property
    def ended(self) -> bool:
        """Nothing is being written."""
        return True

    def stall(self, stalled: bool) -> None:
        """Let the disk take nothing, or let it go on."""
        self._stalled = stalled
        self._drain()

    def put(self, job: Job) -> None:
        """Write a job, and those that failed before it."""
        if self.queue.take(job):
            self._drain()

    def close(self, _timeout_s: float) -> bool:
        """Let go of the file; False when something is left unwritten."""
        self._drain()
        self.queue.store.close()
        return not self.queue.waiting

    def _drain(self) -> None:
        queue = self.queue
        while queue.waiting and not self._stalled:
            jobs = queue.batch()
            outcome = queue.store.write(jobs)
            queue.settle(len(jobs), outcome)
            if outcome is Outcome.LATER:
                return
            if queue.chore_due():
                queue.store.tidy()


class Threaded:
    """Writes in a thread, whatever has come within an interval in one transaction."""

    wait_s = DURABLE_S

    def __init__(self, store: Store, interval_s: float) -> None:
        self.queue = Queue(store)
        self._interval_s = interval_s
        self._change = Condition()
        self._urgent = False
        self._closing = False
        self._thread = Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> str | None:
        """What is wrong with the disk, or with the thread."""
        if not self._closing and not self._thread.is_alive():
            return "ledger: its thread has ended"
        return self.queue.failure

    @property
    def ended(self) -> bool:
        """Nothing is being written any more."""
        return not self._thread.is_alive()

    def put(self, job: Job) -> None:
        """Queue a job; a durable one is written at once, with all before it."""
        with self._change:
            if self.queue.take(job):
                self._urgent = self._urgent or job.durable
                if self._urgent or len(self.queue.waiting) in (1, BATCH_COUNT):
                    self._change.notify()

    def close(self, timeout_s: float) -> bool:
        """Write what is left and let go of the file; False when that has not been done in time."""
        with self._change:
            self._closing = True
            self._change.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self.queue.waiting

    def _run(self) -> None:
        queue = self.queue
        while jobs := self._next():
            outcome = queue.store.write(jobs)
            with self._change:
                queue.settle(len(jobs), outcome)
                if outcome is Outcome.LATER:
                    if self._closing:
                        break
                    self._change.wait(self._interval_s)
            if queue.chore_due():
                queue.store.tidy()
        queue.store.tidy()
        queue.store.close()

    def _next(self) -> list[Job]:
        """Wait for something to write; empty when there will be nothing any more."""
        queue = self.queue
        while not queue.waiting and not self._closing:
            with self._change:
                idle = not self._change.wait_for(self._is_wanted, IDLE_S)
            if idle:
                queue.store.tidy()
        with self._change:
            self._change.wait_for(self._is_due, self._interval_s)
            self._urgent = False
            return queue.batch()

    def _is_wanted(self) -> bool:
        return bool(self.queue.waiting) or self._closing

    def _is_due(self) -> bool:
        return self._urgent or self._closing or len(self.queue.waiting) >= BATCH_COUNT


Writer = Inline | Threaded
