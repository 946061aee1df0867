"""The verb `doctor`: looks the installation over, one line a check; exit 10 when one fails."""

import argparse
import asyncio
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from mmbot.adapters.zo.keys.session_files import session_folder, state_folder
from mmbot.assemble.ledger import ledger_file
from mmbot.cli.output import EXIT_CHECK_FAILED, show
from mmbot.cli.version import version_facts
from mmbot.config.checks import remarks
from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.errors import ConfigError, MmbotError

LEAST_FREE_MIB = 500
MIB = 1024 * 1024
NS_PER_MS = 1_000_000
OTHERS = stat.S_IRWXG | stat.S_IRWXO


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
        show([msgspec.json.encode({"schema": "mmbot.doctor/1", "checks": items}).decode()])
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
        "state": _state,
        "disk": _disk,
        "ledger": _ledger,
        "session": _session,
        "bot": _bot,
    }
    if args.online:
        checks["venue"] = _venue
    for name, check in checks.items():
        try:
            yield Finding(name, *check(config))
        except (MmbotError, OSError) as error:
            yield Finding(name, good=False, text=str(error))


def _state(_config: Config) -> tuple[bool | None, str]:
    folder = state_folder(os.environ)
    if not folder.exists():
        return None, f"{folder}: not there yet"
    open_to = folder.stat().st_mode & OTHERS
    if open_to & stat.S_IWOTH:
        return False, f"{folder}: anybody may write there"
    loose = [
        path.name
        for path in (folder / "sessions").glob("**/*")
        if path.is_file() and path.stat().st_mode & OTHERS
    ]
    if loose:
        return False, f"{folder}: others may read {', '.join(loose)}"
    return True, str(folder)


def _disk(config: Config) -> tuple[bool | None, str]:
    folder = ledger_file(config, os.environ).parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free // MIB
    return free >= LEAST_FREE_MIB, f"{free:,} MiB free at {folder}"


def _ledger(config: Config) -> tuple[bool | None, str]:
    from mmbot.ledger import care

    path: Path = ledger_file(config, os.environ)
    if not path.exists():
        return None, f"{path}: not there yet"
    problems = care.verify(path)
    return not problems, "; ".join(problems) or str(path)


def _session(config: Config) -> tuple[bool | None, str]:
    kept = session_folder(config.session.dir, os.environ)
    found = list(kept.of_venue(str(config.venue.http_origin)))
    if not found:
        return None, "none is kept here: `session create`"
    lefts_h = [(each.expiry_s - time.time()) / 3600 for each in found]
    text = ", ".join(
        f"{each.session_id} {left_h:.1f} h left"
        for each, left_h in zip(found, lefts_h, strict=True)
    )
    return min(lefts_h) > config.session.refresh_before_h, text


def _bot(config: Config) -> tuple[bool | None, str]:
    from mmbot.cli.control import read_status
    from mmbot.errors import NotRunning
    from mmbot.interfaces.control_client import ControlClient
    from mmbot.runtime.control_place import control_socket

    path = control_socket(config.control, config.instance.name, os.environ)
    try:
        with ControlClient(path) as bot:
            view = read_status(bot)
    except NotRunning:
        return None, "does not run"
    return True, f"{view.run_mode}, {view.mode}"


def _venue(config: Config) -> tuple[bool | None, str]:
    return asyncio.run(_asked(config))


async def _asked(config: Config) -> tuple[bool | None, str]:
    """Reach the venue, over TLS where it is one, and compare the clocks."""
    from mmbot.adapters.zo.keys.session import read_engine_time
    from mmbot.cli.venue import connected

    async with connected(config.venue) as (http, clock):
        began = time.monotonic()
        catalog = await http.info()
        took_ms = (time.monotonic() - began) * 1000
        await read_engine_time(http, clock)
        earliest_ns, latest_ns = clock.range_ns(time.monotonic_ns())
    off_ms = abs(time.time_ns() - (earliest_ns + latest_ns) // 2) // NS_PER_MS
    text = f"{config.venue.http_origin} has {len(catalog.listings)} markets, {took_ms:.0f} ms"
    return off_ms <= config.venue.max_clock_offset_ms, f"{text}; host clock {off_ms} ms off"
