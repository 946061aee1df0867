"""What the process itself tells: memory, and pauses of the garbage collector."""

import gc
import os
import time
from pathlib import Path
from typing import Any

from mmbot.domain.figures import PAUSE_NS, Histogram, Labels, Readings

_MEMORY = Path("/proc/self/statm")


class ProcessFigures:
    """Measures from `begin` until `end`."""

    def __init__(self) -> None:
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._pauses: dict[Labels, Histogram] = {
            (str(each),): Histogram(PAUSE_NS) for each in range(3)
        }
        self._began_ns = 0

    def begin(self) -> None:
        """Look at every collection from now on."""
        gc.callbacks.append(self._collected)

    def end(self) -> None:
        """Look no more."""
        gc.callbacks.remove(self._collected)

    def readings(self) -> Readings:
        """Return what was seen."""
        resident_pages = int(_MEMORY.read_text().split()[1])
        return Readings(
            gauges={"resident_memory_bytes": {(): resident_pages * self._page_bytes}},
            times={"gc_pause_seconds": self._pauses},
        )

    def _collected(self, phase: str, told: dict[str, Any]) -> None:
        now_ns = time.perf_counter_ns()
        if phase == "start":
            self._began_ns = now_ns
        else:
            self._pauses[str(told["generation"]),].add(now_ns - self._began_ns)
