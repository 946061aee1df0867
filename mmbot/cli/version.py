"""The verb `version`: what runs here, as far as a report of a fault has to say it."""

import argparse
import hashlib
import platform
import subprocess
import sys
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from mmbot import __file__ as package
from mmbot import __version__
from mmbot.cli.output import show, show_json

GIT_S = 2.0


def version(args: argparse.Namespace) -> int:
    """Print it."""
    facts = version_facts()
    if args.json:
        show_json({"schema": "mmbot.version/1", **facts})
    else:
        show([f"{name:<9} {value}" for name, value in facts.items()])
    return 0


def version_facts() -> dict[str, str]:
    """Return the facts by name."""
    return {
        "mmbot": __version__,
        "commit": commit() or "-",
        "python": f"{platform.python_version()} {platform.machine()} {sys.platform}",
        "kernels": _kernels(),
        "protocol": _protocol(),
    }


def commit() -> str:
    """Return the commit of a checkout; an installed package has none."""
    folder = Path(package).parents[1]
    if not (folder / ".git").exists():
        return ""
    words = ["git", "-C", str(folder), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            words, capture_output=True, text=True, timeout=GIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _kernels() -> str:
    found = find_spec("mmbot.cext.orderbook")
    if found is None or found.origin is None:
        return "not built"
    content = Path(found.origin).read_bytes()
    return f"{Path(found.origin).name} {hashlib.sha256(content).hexdigest()[:12]}"


def _protocol() -> str:
    proto = resources.files("mmbot.adapters.zo.wire.proto").joinpath("nord.proto")
    return hashlib.sha256(proto.read_bytes()).hexdigest()[:12]
