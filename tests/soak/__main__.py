"""`python -m tests.soak --hours N`: the bot for hours; 1 when something grows or is broken.

In virtual time by default; `--real --minutes N` runs exchange and bot as processes in real time.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.bots import BOTS
from tests.soak.real import real_soak
from tests.soak.series import Sample, failures, summary
from tests.soak.simulated import Soak


def say(words: str) -> None:
    """Print a line at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=6.0, help="simulated hours")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bot", choices=sorted(BOTS), default=next(iter(BOTS)))
    parser.add_argument("--real", action="store_true", help="processes in real time instead")
    parser.add_argument("--minutes", type=float, default=5.0, help="of a real one")
    parser.add_argument("--out", type=Path, default=Path("soak.json"), help="file to write")
    asked = parser.parse_args(arguments)
    if asked.real:
        samples, broken = real_soak(asked.minutes, say)
        return _end(asked.out, samples, [*broken, *failures(samples, "rss_mb")], {})
    soak = Soak(asked.seed, asked.hours, say)
    soak.run(asked.bot)
    broken = [str(each) for each in soak.violations]
    if soak.samples:
        broken += failures(soak.samples, "own_mb")
    broken += [f"exit code {code}" for code in soak.codes if code != 0]
    more = {
        "grown": dict(soak.grown.most_common(30)),
        "reasons": dict(soak.reasons.most_common(30)),
    }
    return _end(asked.out, soak.samples, broken, more)


def _end(out: Path, samples: Sequence[Sample], broken: Sequence[str], more: dict[str, Any]) -> int:
    found = summary(samples) if samples else {}
    told = {"summary": found, "failures": list(broken), **more}
    out.write_text(
        json.dumps({**told, "samples": [msgspec.to_builtins(each) for each in samples]}) + "\n"
    )
    say(json.dumps(told, indent=1))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
