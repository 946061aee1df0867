"""Flags of the verbs for a bot that systemd runs."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Add = Callable[[Any, str, str, tuple[str, str]], argparse.ArgumentParser]


def unit_verbs(verbs: Any, add: Add) -> None:
    """Add the verbs; `add` makes one."""
    summary = "put the systemd units in place; starts nothing, says what to run next"
    made = add(verbs, "install-service", summary, ("unit_files", "install_service"))
    made.add_argument("--print", action="store_true", help="print the files, write nothing")
    made.add_argument("--dry-run", action="store_true", help="only say which files would change")
    made.add_argument(
        "--program", type=Path, metavar="FILE", help="mmbot as the service runs it (this one)"
    )
    made.add_argument(
        "--root", type=Path, default=Path("/"), metavar="DIR", help="write below it (/)"
    )
