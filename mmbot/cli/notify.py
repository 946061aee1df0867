"""The verb `notify test`: does what people are told arrive."""

import argparse
import asyncio
import os
import time

from mmbot.cli.output import EXIT_CHECK_FAILED, show, show_json
from mmbot.cli.telling import tell
from mmbot.config.loader import load
from mmbot.domain.alerts import Alert
from mmbot.domain.notices import Severity
from mmbot.errors import UsageError
from mmbot.interfaces.webhook.posting import News, posted

TEST = "test"


def test(args: argparse.Namespace) -> int:
    """Send a message to every chat and to the webhook; exit 10 when one does not take it."""
    config = load(args.config, args.set, os.environ).config
    now_ns = time.time_ns()
    alert = Alert(TEST, Severity.INFO, TEST, None, "this is a test", now_ns, now_ns)
    body = posted(News(alert), config.instance.name, run_mode=TEST)
    told = asyncio.run(tell(config, body))
    if not told:
        raise UsageError(
            "nobody is set to be told: neither telegram.chats (`mmbot notify whoami` tells ids) nor"
            " alerts.webhook_url"
        )
    if args.json:
        items = [{"place": place, "sent": why is None, "why": why} for place, why in told]
        show_json({"schema": "mmbot.notify/1", "items": items})
    else:
        show([f"{place}: {'sent' if why is None else f'FAIL, {why}'}" for place, why in told])
    return EXIT_CHECK_FAILED if any(each.why is not None for each in told) else 0
