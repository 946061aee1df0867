"""The ledger: what telling it costs the loop, and what a commit costs the disk."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns, sleep

from mmbot.ledger import Ledger, StorageParams, open_ledger
from mmbot.ledger.rows import Kind
from tests.bench.registry import bench

NOTES = 500
COMMITS = 200


@contextmanager
def _ledger(*, inline: bool) -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as folder:
        params = StorageParams(commit_interval_ms=50)
        path = Path(folder) / "bench.ledger"
        ledger = open_ledger(path, inline=inline, synced=True, params=params)
        try:
            yield ledger
        finally:
            ledger.close(30)


@bench("ledger_note", unit="us", must=20.0, goal=5.0)
def ledger_note(runs: int) -> list[float]:
    """An event told by the loop, written by the thread."""
    samples = []
    with _ledger(inline=False) as ledger:
        for _ in range(runs):
            start = perf_counter_ns()
            for number in range(NOTES):
                ledger.note(number, Kind.INTENT, None, number, "place bid 99,990.0 x 0.0100")
            samples.append((perf_counter_ns() - start) / NOTES / 1000)
            while ledger.backlog(0)[0]:
                sleep(0.002)
    return samples


@bench("ledger_commit_normal", unit="us", must=500.0, goal=50.0)
def ledger_commit_normal(runs: int) -> list[float]:
    """A transaction of one event, not synced."""
    samples = []
    with _ledger(inline=True) as ledger:
        for _ in range(runs):
            start = perf_counter_ns()
            for number in range(COMMITS):
                ledger.note(number, Kind.INTENT, None, number, "place bid 99,990.0 x 0.0100")
            samples.append((perf_counter_ns() - start) / COMMITS / 1000)
    return samples


@bench("ledger_commit_full", unit="us", must=20_000.0, goal=500.0)
def ledger_commit_full(runs: int) -> list[float]:
    """A durable call, on the disk when it returns."""
    samples = []
    with _ledger(inline=True) as ledger:
        for number in range(runs):
            start = perf_counter_ns()
            ledger.keep("bench", str(number).encode())
            samples.append((perf_counter_ns() - start) / 1000)
    return samples
