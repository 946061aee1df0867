"""The verb `explain`: of this moment from the running bot, of an earlier one from the ledger."""

import argparse
import time

import msgspec

from mmbot.cli import control
from mmbot.cli.ledger_flags import ledger_path, moment, since_ns
from mmbot.cli.output import show, show_json
from mmbot.domain.explained import Explanation
from mmbot.errors import DataError
from mmbot.interfaces.answer_text import explain_lines
from mmbot.ledger.reader import LedgerReader, Window

# One is kept every minute, of many markets in turn.
BEFORE_NS = 600_000_000_000


def explain(args: argparse.Namespace) -> int:
    """Print why the quotes are what they are, or were."""
    if args.at is None:
        return control.explain(args)
    at_ns = since_ns(args.at, time.time_ns(), "--at")
    symbols = None if args.market is None else frozenset({args.market})
    with LedgerReader(ledger_path(args)) as reader:
        kept = reader.explained(Window(at_ns - BEFORE_NS, at_ns + 1, symbols))
    found = [msgspec.json.decode(text, type=Explanation) for text in kept.values()]
    if not found:
        raise DataError(f"nothing is kept of the ten minutes before {moment(at_ns)}")
    if args.json:
        content = {"schema": "mmbot.explain/1", "explain": found}
        show_json(content)
    else:
        for each in found:
            show([f"at {moment(each.ts_ns)}", *explain_lines([each])])
    return 0
