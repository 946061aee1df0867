"""Work spread over processes, with progress on standard error; Ctrl-C ends it early."""

import os
from collections.abc import Callable, Sequence

from mmbot.assemble.processes import Done, Task, spread
from mmbot.cli.progress import metered


def spread_metered(
    work: Callable[[Task], Done], tasks: Sequence[Task], workers: int | None
) -> list[Done]:
    """Do the work on every task, in a process per core unless told; fewer results after Ctrl-C."""
    done = 0

    def share() -> float:
        return done / len(tasks)

    with metered(share, None) as meter:

        def keep_going(count: int) -> bool:
            nonlocal done
            done = count
            return meter.keep_going()

        return spread(work, tasks, workers or os.cpu_count() or 1, keep_going)
