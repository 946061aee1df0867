"""What the process itself tells: memory, pauses of the garbage collector, records logged."""

import gc
import logging
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from mmbot.domain.figures import PAUSE_NS, Histogram, Labels, Readings

_MEMORY = Path("/proc/self/statm")
_LEVELS = ("error", "warning", "info", "debug")


class ProcessFigures(logging.Handler):
    """Measures from `begin` until `end`."""

    def __init__(self) -> None:
        super().__init__()
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._pauses: dict[Labels, Histogram] = {
            (str(each),): Histogram(PAUSE_NS) for each in range(3)
        }
        self._began_ns = 0
        self._records = Counter[Labels]({(level,): 0 for level in _LEVELS})

    def begin(self) -> None:
        """Look at every collection and every record from now on."""
        gc.callbacks.append(self._collected)
        logging.getLogger().addHandler(self)

    def end(self) -> None:
        """Look no more."""
        gc.callbacks.remove(self._collected)
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record."""
        reached = (level for level in _LEVELS if record.levelno >= _number(level))
        self._records[next(reached, "debug"),] += 1

    def readings(self) -> Readings:
        """Return what was seen."""
        resident_pages = int(_MEMORY.read_text().split()[1])
        return Readings(
            counts={"log_records": self._records},
            gauges={"resident_memory_bytes": {(): resident_pages * self._page_bytes}},
            times={"gc_pause_seconds": self._pauses},
        )

    def _collected(self, phase: str, told: dict[str, Any]) -> None:
        now_ns = time.perf_counter_ns()
        if phase == "start":
            self._began_ns = now_ns
        else:
            self._pauses[str(told["generation"]),].add(now_ns - self._began_ns)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
