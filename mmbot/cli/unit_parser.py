"""Flags of the verbs for a bot that systemd runs."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmbot.cli.rescue_parser import positive

Add = Callable[[Any, str, str, tuple[str, str]], argparse.ArgumentParser]


def unit_verbs(
    verbs: Any, add: Add, config_flags: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add the verbs; `add` makes one, `config_flags` adds -c and --set to it."""
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
    summary = "tell chats and webhook that a unit has failed; systemd starts this"
    made = add(verbs, "report-failure", summary, ("report_failure", "report_failure"))
    config_flags(made)
    made.add_argument("--unit", metavar="NAME", help="which one (default: what systemd says)")
    made.add_argument(
        "--lines", type=positive, default=30, metavar="N", help="of its journal (%(default)s)"
    )
