"""Requests in parallel: threads with a connection each, more of them while there is more to do.

A request that hangs holds up its own thread only. Actions share one rate, and all wait when the
venue asks to be left alone.
"""

import threading
from queue import Empty, SimpleQueue
from time import monotonic
from typing import NamedTuple

from mmbot.adapters.zo.origin import Origin
from mmbot.errors import MmbotError, OutcomeUnknown
from mmbot.rescue.web import Answer, Line

MOST_THREADS = 16
ANSWER_S = 2.0
# What the venue takes of cancels, and how many of them at once (design, section 5.2).
ACTIONS_PER_S = 20.0
BURST = 20.0
_TOO_MANY = 429
_LONGEST_HOLD_S = 10.0


class Done(NamedTuple):
    """What became of a request: an answer, or why there is none."""

    number: int
    answer: Answer | None
    error: MmbotError | None


class _Job(NamedTuple):
    number: int
    target: str
    body: bytes | None


class Crew:
    """Sends what it is given and keeps what comes back until somebody takes it."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._done: SimpleQueue[Done] = SimpleQueue()
        self._pace = _Pace()
        self._threads = 0
        self._lock = threading.Lock()
        self._open = 0
        self._sent: dict[int, float] = {}
        self._number = 0

    def send(self, target: str, body: bytes | None = None) -> int:
        """Send a request as soon as there is a thread for it; returns its number."""
        self._number += 1
        with self._lock:
            self._open += 1
            more = self._open > self._threads and self._threads < MOST_THREADS
            self._threads += more
        self._jobs.put(_Job(self._number, target, body))
        if more:
            threading.Thread(target=self._work, daemon=True, name="rescue").start()
        return self._number

    def waited_s(self, number: int) -> float:
        """Return how long a request has been on its way, 0 before it is sent."""
        sent = self._sent.get(number)
        return 0.0 if sent is None else monotonic() - sent

    def take(self, within_s: float) -> Done | None:
        """Return the next request that is over, None when none is in that time."""
        try:
            return self._done.get(timeout=max(0.0, within_s))
        except Empty:
            return None

    def dismiss(self) -> None:
        """Let the threads end when they have done what they are doing."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        line = Line(self._origin)
        while (job := self._jobs.get()) is not None:
            done = self._ask(line, job)
            with self._lock:
                self._open -= 1
            self._done.put(done)
        line.close()

    def _ask(self, line: Line, job: _Job) -> Done:
        self._pace.wait(job.body is not None)
        self._sent[job.number] = monotonic()
        try:
            answer = line.ask(job.target, job.body, ANSWER_S)
        except MmbotError as error:
            return Done(job.number, None, error)
        if answer.status == _TOO_MANY:
            self._pace.hold(_seconds(answer.retry_after))
        if answer.status != 200:
            return Done(job.number, None, OutcomeUnknown(f"{job.target}: HTTP {answer.status}"))
        return Done(job.number, answer, None)


class _Pace:
    # A bucket of actions; a hold stops everything.

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = BURST
        self._at = monotonic()
        self._hold = threading.Event()
        self._until = 0.0

    def wait(self, is_action: bool) -> None:
        """Come back when one more may be sent."""
        while (left_s := self._left_s(is_action)) > 0:
            self._hold.wait(left_s)

    def hold(self, seconds: float) -> None:
        """Let nothing go for a while."""
        with self._lock:
            self._until = max(self._until, monotonic() + seconds)

    def _left_s(self, is_action: bool) -> float:
        with self._lock:
            now = monotonic()
            if now < self._until:
                return self._until - now
            if not is_action:
                return 0.0
            self._free = min(BURST, self._free + (now - self._at) * ACTIONS_PER_S)
            self._at = now
            if self._free < 1.0:
                return (1.0 - self._free) / ACTIONS_PER_S
            self._free -= 1.0
            return 0.0


def _seconds(retry_after: str) -> float:
    asked = float(retry_after) if retry_after.isdecimal() and len(retry_after) < 9 else 1.0
    return min(asked, _LONGEST_HOLD_S)
