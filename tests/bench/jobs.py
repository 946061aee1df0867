"""Whole jobs in fresh processes: raw capture to report, a long simulation, and their memory."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.capture import CAPTURE
from tests.bench.registry import Skipped, bench

ROOT = Path(__file__).resolve().parents[2]
JOB_RUNS = 5
PEER_S = 6.7
# Its own high-water mark: what wait() tells of a child includes the parent it was forked from.
MEASURED = """
import sys
from pathlib import Path
from mmbot.cli import main
code = main(sys.argv[2:])
Path(sys.argv[1]).write_text(Path("/proc/self/status").read_text())
sys.exit(code)
"""
HIGH_WATER = re.compile(r"VmHWM:\s*(\d+) kB")


def _run(*argv: str) -> tuple[float, float]:
    """Seconds and peak resident megabytes of one mmbot process."""
    with tempfile.NamedTemporaryFile("r") as status:
        start_s = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", MEASURED, status.name, *argv],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        seconds = time.perf_counter() - start_s
        found = HIGH_WATER.search(status.read())
    if found is None:
        raise Skipped("this system does not tell the memory of a process")
    return seconds, int(found[1]) * 1024 / 1e6


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
