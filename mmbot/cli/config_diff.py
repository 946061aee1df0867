"""The verb `config diff`."""

import argparse
import os
from pathlib import Path

from mmbot.cli.control import command
from mmbot.cli.output import show, show_json
from mmbot.config.live_keys import NOT_THERE, differences
from mmbot.config.loader import load
from mmbot.config.show import scalar


def config_diff(args: argparse.Namespace) -> int:
    """Print what a reload would change, or how two configurations differ."""
    if not args.against:
        args.command, args.dry_run = "reload", True
        return command(args)
    old = load(args.config, args.set, os.environ).config
    new = load([Path(path) for path in args.against], args.set, os.environ).config
    traded = sorted({*old.markets, *new.markets})
    found = differences(old, new, traded)
    rows = [
        [key, *("-" if each is NOT_THERE else scalar(each) for each in (before, after)), live]
        for key, before, after, live in found
    ]
    if args.json:
        items = [dict(zip(("key", "old", "new", "live"), row, strict=True)) for row in rows]
        content = {"schema": "mmbot.config-diff/1", "changes": items}
        show_json(content)
    else:
        show(
            [
                f"{key}: {was} -> {now}{'' if live else '  [restart]'}"
                for key, was, now, live in rows
            ]
        )
    return 0
