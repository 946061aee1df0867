"""The flags of the verbs that show a run and judge it afterwards: demo and compare."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

FLOW_TYPES = ("normal", "illiquid", "trending", "ranging", "volatile", "flash-crash", "toxic")
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Add = Callable[[Verbs, str, str, tuple[str, str]], argparse.ArgumentParser]
ConfigFlags = Callable[[argparse.ArgumentParser], None]


def demo_verbs(verbs: Verbs, add: Add, config_flags: ConfigFlags) -> None:
    """Add the verbs."""
    _demo(verbs, add, config_flags)
    _compare(verbs, add)


def _demo(verbs: Verbs, add: Add, config_flags: ConfigFlags) -> None:
    summary = "watch the bot trade on a local exchange, with play money"
    verb = add(verbs, "demo", summary, ("demo", "demo"))
    config_flags(verb)
    verb.add_argument(
        "--for",
        dest="duration",
        default="60s",
        metavar="TIME",
        help="stop after 90s, 15m or 12h; 0: on Ctrl-C (default: 60s)",
    )
    verb.add_argument("--flow", choices=FLOW_TYPES, help="kind of market (default: illiquid)")
    verb.add_argument(
        "--replay", dest="recording", type=Path, metavar="CAPTURE", help="play a recorded market"
    )
    verb.add_argument("--speed", type=float, default=1.0, metavar="X", help="of the recording")
    verb.add_argument("--seed", type=int, default=1, metavar="N", help="of everything random")
    verb.add_argument("--json", action="store_true", help="print the results as JSON")
    verb.add_argument(
        "--report",
        type=Path,
        metavar="DIR",
        help="folder of the report and the run, new or empty (default: reports/demo-TIME)",
    )
    verb.add_argument("--no-report", action="store_true", help="write nothing")


def _compare(verbs: Verbs, add: Add) -> None:
    summary = "replay a run on its own recording and say how far the two differ, and why"
    verb = add(verbs, "compare", summary, ("compare", "compare"))
    verb.add_argument("folder", type=Path, metavar="RUN_FOLDER", help="what a run left behind")
    verb.add_argument(
        "--tolerance",
        type=_share,
        default=25.0,
        metavar="PCT",
        help="share of the volume that only the run, or only its own orders replayed, may have "
        "traded; more: exit 10 (default: 25)",
    )
    verb.add_argument("--json", action="store_true", help="print JSON")
    verb.add_argument("--report", type=Path, metavar="DIR", help="write the page of the replay")


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage from 0 to 100")
    return share
