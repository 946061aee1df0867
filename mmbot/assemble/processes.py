"""The same work on many tasks, in several processes, with progress and an early end."""

from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing import TimeoutError as NotYet
from multiprocessing import get_context
from signal import SIG_IGN, SIGINT, signal
from typing import TypeVar

LOOK_S = 0.5

Task = TypeVar("Task")
Done = TypeVar("Done")


def spread(
    work: Callable[[Task], Done],
    tasks: Sequence[Task],
    workers: int,
    keep_going: Callable[[int], bool],
) -> list[Done]:
    """Do the work on every task; the results in the order of the tasks.

    `work` and tasks are pickled. `keep_going` is told how many are done, twice a second with
    processes and after each task without; when it says no, what is done is returned.
    """
    if workers <= 1 or len(tasks) == 1:
        results = []
        for number, task in enumerate(tasks):
            if not keep_going(number):
                break
            results.append(work(task))
        return results
    context = get_context("spawn")
    with context.Pool(min(workers, len(tasks)), partial(signal, SIGINT, SIG_IGN)) as pool:
        coming = pool.imap_unordered(partial(_numbered, work), enumerate(tasks))
        done: dict[int, Done] = {}
        while len(done) < len(tasks) and keep_going(len(done)):
            try:
                number, result = coming.next(timeout=LOOK_S)
            except NotYet:
                continue
            done[number] = result
    return [done[number] for number in sorted(done)]


def _numbered(work: Callable[[Task], Done], task: tuple[int, Task]) -> tuple[int, Done]:
    return task[0], work(task[1])
