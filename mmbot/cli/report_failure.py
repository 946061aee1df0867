"""The verb `report-failure`: tells people of a unit that systemd has given up, as the dead cannot.

systemd says in MONITOR_* what became of it; the last lines of its journal go along, redacted.
"""

import argparse
import asyncio
import os
import subprocess
import time
from collections.abc import Mapping

from mmbot.cli.output import say
from mmbot.cli.telling import tell
from mmbot.config.loader import load, load_sections
from mmbot.config.schema import Config
from mmbot.domain.alerts import Alert
from mmbot.domain.notices import Severity
from mmbot.errors import ConfigError, Unavailable
from mmbot.interfaces.webhook.posting import News, posted
from mmbot.secrets.redaction import redacted

CODE = "unit_failed"
JOURNAL_S = 10.0
# Sections of the settings by which people are told.
TELLING = ("version", "instance", "telegram", "alerts", "secrets")


def report_failure(args: argparse.Namespace) -> int:
    """Tell chats and webhook; exit 5 when one of them does not take it."""
    config = _config(args)
    unit = args.unit or os.environ.get("MONITOR_UNIT", "a unit")
    text = f"{unit} has failed{became(os.environ)}"
    say(text)
    now_ns = time.time_ns()
    alert = Alert("unit", Severity.CRITICAL, CODE, None, text, now_ns, now_ns)
    body = posted(News(alert), config.instance.name, run_mode="systemd")
    story = redacted("\n".join(_journal(unit, args.lines)))
    told = asyncio.run(tell(config, body, story))
    if not told:
        say("nobody is told: neither telegram.chats nor alerts.webhook_url is set")
    failed = [f"{each.place}: {each.why}" for each in told if each.why is not None]
    if failed:
        raise Unavailable(f"not everybody was told: {'; '.join(failed)}")
    return 0


def _config(args: argparse.Namespace) -> Config:
    try:
        return load(args.config, args.set, os.environ).config
    except ConfigError as error:
        # What has failed may just have failed for it: people are told as far as this much is sound.
        say(f"the settings are not: {'; '.join(error.problems)}")
        return load_sections(args.config, TELLING, os.environ).config


def became(env: Mapping[str, str]) -> str:
    """Say how a unit ended, by what systemd tells."""
    result, status = env.get("MONITOR_SERVICE_RESULT"), env.get("MONITOR_EXIT_STATUS")
    return "" if result is None else f": {result} ({status or '-'})"


def _journal(unit: str, lines: int) -> list[str]:
    words = ["journalctl", "--no-pager", "-o", "cat", "-n", str(lines), "-u", unit]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            words, capture_output=True, text=True, timeout=JOURNAL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"(no journal: {error})"]
    return done.stdout.splitlines()
