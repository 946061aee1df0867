"""Whole jobs in fresh processes: raw capture to report, a long simulation, and their memory."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.capture import CAPTURE
from tests.bench.registry import Skipped, bench

ROOT = Path(__file__).resolve().parents[2]
JOB_RUNS = 5
KIB_PER_MB = 1000 / 1.024
PEER_S = 6.7


def _run(*argv: str) -> tuple[float, float]:
    """Seconds and peak resident megabytes of one mmbot process."""
    start_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "mmbot", *argv],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start_s
    if status != 0:
        raise RuntimeError(f"mmbot {' '.join(argv)} ended with status {status}")
    return seconds, usage.ru_maxrss / KIB_PER_MB


def _report() -> tuple[float, float]:
    if not CAPTURE.exists():
        raise Skipped(f"{CAPTURE} is not there")
    with tempfile.TemporaryDirectory() as folder:
        return _run("backtest", "--data", str(CAPTURE), "--report", folder)


@bench("capture_to_report", unit="s", must=3.0, goal=1.0, peers={"hftbacktest, no report": PEER_S})
def capture_to_report(runs: int) -> list[float]:
    """Raw .gz to HTML report in a fresh process."""
    return [_report()[0] for _ in range(min(runs, JOB_RUNS))]


@bench(
    "capture_to_report_memory", unit="MB", must=200.0, goal=120.0, peers={"hftbacktest MM": 327.0}
)
def capture_to_report_memory(runs: int) -> list[float]:
    """Peak resident memory of the same job."""
    return [_report()[1] for _ in range(min(runs, JOB_RUNS))]


@bench("simulate_10000_steps", unit="s", must=10.0, goal=3.0)
def simulate(runs: int) -> list[float]:
    """10,000 s of synthetic market with the bot deciding ten times a second."""
    argv = ("simulate", "--type", "normal", "--steps", "10000", "--seed", "1")
    return [_run(*argv)[0] for _ in range(min(runs, JOB_RUNS))]
