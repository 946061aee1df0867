"""The verb `report-failure`: tells of a unit that systemd has given up, since a dead bot cannot.

systemd says in MONITOR_* what became of it; the last lines of its journal go along, redacted.
"""

import argparse
import asyncio
import os
import subprocess
import time
from collections.abc import Mapping

import msgspec

from mmbot.cli.output import say
from mmbot.config.loader import load
from mmbot.domain.alerts import Alert
from mmbot.domain.notices import Severity
from mmbot.errors import Unavailable
from mmbot.interfaces.webhook.params import host_of
from mmbot.interfaces.webhook.posting import News, posted
from mmbot.interfaces.webhook.sending import outside_session, send
from mmbot.secrets.redaction import KNOWN, redacted

CODE = "unit_failed"
JOURNAL_S = 10.0


def report_failure(args: argparse.Namespace) -> int:
    """Post it; exit 5 when the webhook does not take it."""
    config = load(args.config, args.set, os.environ).config
    unit = args.unit or os.environ.get("MONITOR_UNIT", "a unit")
    text = f"{unit} has failed{became(os.environ)}"
    say(text)
    url = config.alerts.url(config.alerts.webhook_url)
    if url is None:
        say("nobody is told: alerts.webhook_url is not set")
        return 0
    KNOWN.add_text(url)
    now_ns = time.time_ns()
    alert = Alert("unit", Severity.CRITICAL, CODE, None, text, now_ns, now_ns)
    told = posted(News(alert), config.instance.name, run_mode="systemd")
    story = redacted("\n".join(_journal(unit, args.lines)))
    content = f"{told.text}\n{story}" if story else told.text
    body = msgspec.structs.replace(told, text=content, content=content)
    why = asyncio.run(_post(url, msgspec.json.encode(body)))
    if why is not None:
        raise Unavailable(f"the webhook at {host_of(url)} did not take it: {why}")
    return 0


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


async def _post(url: str, body: bytes) -> str | None:
    async with outside_session() as session:
        return await send(session, url, body)
