"""The verbs `db backup|verify|vacuum|export` and `reset-halt`."""

import argparse
import getpass
from pathlib import Path
from time import time_ns

from mmbot.cli.ledger_flags import ledger_path, moment
from mmbot.cli.output import EXIT_CHECK_FAILED, say, show, show_json
from mmbot.errors import DataError, UsageError
from mmbot.ledger import care, open_ledger
from mmbot.ledger.lock import Lock
from mmbot.ledger.rows import Kind


def backup_db(args: argparse.Namespace) -> int:
    """Write a copy, also while a bot runs."""
    path = ledger_path(args)
    target: Path = args.to or care.dated_copy(args.into, path, time_ns())
    if args.keep is not None and args.into is None:
        raise UsageError("--keep goes with --into")
    if args.into is not None:
        # Where copies are kept is made with the first of them.
        args.into.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not target.absolute().parent.is_dir():
        raise UsageError(f"{target}: there is no folder {target.parent} to write it to")
    care.backup(path, target)
    say(f"wrote {target}, {target.stat().st_size:,} bytes")
    if args.keep is not None:
        # Only when the new one is whole.
        for old in care.older_copies(args.into, path, args.keep):
            old.unlink()
            say(f"removed {old}")
    return 0


def verify_db(args: argparse.Namespace) -> int:
    """Say whether the file is sound; exit 10 when it is not."""
    path = ledger_path(args)
    if not path.is_file():
        raise DataError(f"{path}: there is no ledger; a bot that runs makes one")
    try:
        problems = care.verify(path)
    except DataError as error:
        problems = [str(error)]
    if args.json:
        content = {"schema": "mmbot.ledger-check/1", "path": str(path), "problems": problems}
        show_json(content)
    else:
        show([f"{path}  {'bad' if problems else 'good'}"])
        show([f"  problem: {problem}" for problem in problems])
    return EXIT_CHECK_FAILED if problems else 0


def vacuum_db(args: argparse.Namespace) -> int:
    """Give back unused room; no bot may run."""
    path = ledger_path(args)
    if not path.is_file():
        raise DataError(f"{path}: there is no ledger; a bot that runs makes one")
    lock = Lock(path)
    try:
        before, after = care.vacuum(path)
    finally:
        lock.release()
    say(f"{path}: {before:,} bytes before, {after:,} after")
    return 0


def export_db(args: argparse.Namespace) -> int:
    """Write every table as CSV into a folder."""
    folder: Path = args.to
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in care.export(ledger_path(args), folder):
        say(f"wrote {folder / name}, {count:,} rows")
    return 0


def reset_halt(args: argparse.Namespace) -> int:
    """Clear the halt, when no bot runs; the reason is kept."""
    if not args.reason.strip():
        raise UsageError("--reason: say why it may trade again")
    if args.ledger is None:
        from mmbot.cli.control import halt_reset_by_bot

        by_bot = halt_reset_by_bot(args)
        if by_bot is not None:
            return by_bot
    path = ledger_path(args)
    if not path.exists():
        raise DataError(f"{path}: there is no ledger; a bot that runs makes one")
    who, now_ns = getpass.getuser(), time_ns()
    ledger = open_ledger(path, inline=True, synced=True, now_ns=now_ns)
    try:
        held = ledger.halted()
        if held is None:
            _cleared(args, "not halted: there is nothing to clear")
            return 0
        if ledger.damage is not None:
            # Found just now: nobody can have decided on it yet.
            raise DataError(f"{ledger.damage}; look at it, then run reset-halt again")
        if not ledger.clear_latch(who, args.reason, now_ns):
            raise DataError(str(ledger.failure))
        ledger.note(now_ns, Kind.COMMAND, None, None, f"reset-halt by {who}: {args.reason}")
    finally:
        ledger.close(0)
    _cleared(args, f"cleared by {who}: {held.reason} ({moment(held.ts_ns)})")
    return 0


def _cleared(args: argparse.Namespace, text: str) -> None:
    if args.json:
        # What a running bot answers begins so, too.
        answer = {"result": "ok", "message": text, "exit_code": 0}
        content = {"schema": "mmbot.reset-halt/1", "reset-halt": answer}
        show_json(content)
    else:
        say(text)
