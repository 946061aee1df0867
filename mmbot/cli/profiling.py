"""`--profile FILE`: where a session's processor time goes, for `python -m pstats` and its like."""

import cProfile
import io
import pstats
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmbot.cli.output import say

HEAVIEST = 10


@contextmanager
def profiled(path: Path | None) -> Iterator[None]:
    """Profile what happens within, if there is a file to write it to; says what it wrote.

    Compiled modules and kernels appear as one entry each; everything takes about twice as long.
    """
    if path is None:
        yield
        return
    # A file that cannot be written should be known before the session, not after it.
    path.touch()
    # A bot waits most of the time; that would be the heaviest of all by the clock on the wall.
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        profile.dump_stats(path)
        listing = io.StringIO()
        stats = pstats.Stats(profile, stream=listing)
        stats.sort_stats("tottime").print_stats(HEAVIEST)
        say(listing.getvalue().strip())
        say(f"wrote the profile {path}: look into it with `python -m pstats {path}`")
