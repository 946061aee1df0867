"""The verb `doctor`: looks the installation over, one line a check; exit 10 when one fails."""

import argparse
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mmbot.cli import doctor_checks as here
from mmbot.cli.output import EXIT_CHECK_FAILED, show, show_json
from mmbot.cli.version import version_facts
from mmbot.config.checks import remarks
from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.errors import ConfigError, MmbotError


class Finding(NamedTuple):
    """What a check found; `good` None: nothing to be said, as there is nothing yet."""

    name: str
    good: bool | None
    text: str


def doctor(args: argparse.Namespace) -> int:
    """Look everything over."""
    found = list(_findings(args))
    if args.json:
        items = [each._asdict() for each in found]
        show_json({"schema": "mmbot.doctor/1", "checks": items})
    else:
        marks = {True: "good", False: "BAD", None: "-"}
        show([f"{marks[each.good]:<5}{each.name:<10}{each.text}" for each in found])
    return EXIT_CHECK_FAILED if any(each.good is False for each in found) else 0


def _findings(args: argparse.Namespace) -> Iterator[Finding]:
    facts = version_facts()
    yield Finding("kernels", facts["kernels"] != "not built", facts["kernels"])
    try:
        config = load(args.config, args.set, os.environ).config
    except ConfigError as error:
        yield Finding("config", good=False, text="; ".join(error.problems))
        return
    doubts = [remark.key for remark in remarks(config)]
    text = f"valid, doubts about {', '.join(doubts)}" if doubts else "valid"
    yield Finding("config", good=True, text=text)
    checks: dict[str, Callable[[Config], tuple[bool | None, str]]] = {
        "state": here.state,
        "disk": here.disk,
        "ledger": here.ledger,
        "session": here.session,
        "bot": here.bot,
    }
    if args.online:
        checks["venue"] = here.venue
    for name, check in checks.items():
        try:
            yield Finding(name, *check(config))
        except (MmbotError, OSError) as error:
            yield Finding(name, good=False, text=str(error))
