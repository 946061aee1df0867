"""Run the benches, print them beside the musts, goals and peers, and write bench.json."""

import argparse
import json
import os
import platform
import statistics
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmbot.cext.orderbook import DEBUG_BUILD
from tests.bench.registry import Bench, Skipped, discover

RUNS, QUICK_RUNS = 11, 3
WIDTH = 120
Result = dict[str, str | float | int]


def main(arguments: list[str]) -> int:
    """Return 0 when every must that could be measured holds, 1 when one does not, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="run the benches whose name starts so")
    parser.add_argument("--out", type=Path, default=Path("bench.json"), help="file to write")
    parser.add_argument("--quick", action="store_true", help="fewer runs, for a first look")
    options = parser.parse_args(arguments)
    chosen = [one for one in discover() if one.name.startswith(options.only or "")]
    if not chosen:
        parser.error(f"no bench is called {options.only}")
    table = Table("bench", "median", "unit", "min", "max", "must", "goal", "peers (times better)")
    results = []
    missed = False
    for one in chosen:
        try:
            samples = one.run(QUICK_RUNS if options.quick else RUNS)
        except Skipped as reason:
            table.add_row(one.name, "skipped", "", "", "", "", "", str(reason))
            continue
        results.append(_result(one, samples))
        table.add_row(*_row(one, samples))
        missed |= one.must is not None and not one.meets(statistics.median(samples), one.must)
    console = Console()
    Console(width=max(console.width, WIDTH)).print(table)
    written = {"machine": _machine(), "results": results}
    options.out.write_text(json.dumps(written, indent=1) + "\n")
    return int(missed)


def _result(one: Bench, samples: list[float]) -> Result:
    return {
        "name": one.name,
        "value": statistics.median(samples),
        "unit": one.unit,
        "runs": len(samples),
        "min": min(samples),
        "max": max(samples),
    }


def _row(one: Bench, samples: list[float]) -> list[str]:
    value = statistics.median(samples)
    return [
        one.name,
        _number(value),
        one.unit,
        _number(min(samples)),
        _number(max(samples)),
        _limit(one, value, one.must),
        _limit(one, value, one.goal),
        "\n".join(
            f"{name} {_number(peer)} ({one.times_better(value, peer):.1f}x)"
            for name, peer in one.peers.items()
        ),
    ]


def _limit(one: Bench, value: float, limit: float | None) -> str:
    if limit is None:
        return ""
    word = "met" if one.meets(value, limit) else "missed"
    return f"{'>=' if one.higher else '<='} {_number(limit)} {word}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _machine() -> dict[str, str | int | bool]:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count() or 0,
        "system": platform.platform(),
        "python": platform.python_version(),
        "debug_build": DEBUG_BUILD,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
