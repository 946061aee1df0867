"""What `doctor` looks at. A check says whether it is good (None: nothing there yet), and why."""

import asyncio
import os
import shutil
import stat
import time
from pathlib import Path
from typing import TypeAlias

from mmbot.adapters.zo.keys.session import read_engine_time
from mmbot.adapters.zo.keys.session_files import session_folder, state_folder
from mmbot.assemble.ledger import ledger_file
from mmbot.cli.bot_line import Bot, read_status
from mmbot.cli.venue import connected
from mmbot.config.schema import Config
from mmbot.errors import NotRunning
from mmbot.ledger import care
from mmbot.runtime.control_place import control_socket

Found: TypeAlias = tuple[bool | None, str]
LEAST_FREE_MIB = 500
MIB = 1024 * 1024
NS_PER_MS = 1_000_000
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def state(_config: Config) -> Found:
    """The state folder is private."""
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


def disk(config: Config) -> Found:
    """There is room for the ledger."""
    folder = ledger_file(config, os.environ).parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free // MIB
    return free >= LEAST_FREE_MIB, f"{free:,} MiB free at {folder}"


def ledger(config: Config) -> Found:
    """The ledger is sound."""

    path: Path = ledger_file(config, os.environ)
    if not path.exists():
        return None, f"{path}: not there yet"
    problems = care.verify(path)
    return not problems, "; ".join(problems) or str(path)


def session(config: Config) -> Found:
    """A session is kept here and lasts."""
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


def bot(config: Config) -> Found:
    """A bot runs, or none."""

    path = control_socket(config.control, config.instance.name, os.environ)
    try:
        with Bot(path) as bot:
            view = read_status(bot)
    except NotRunning:
        return None, "does not run"
    return True, f"{view.run_mode}, {view.mode}"


def venue(config: Config) -> Found:
    """The venue answers, and the clocks agree."""
    return asyncio.run(_asked(config))


async def _asked(config: Config) -> Found:
    """Reach the venue, over TLS where it is one, and compare the clocks."""

    async with connected(config.venue) as (http, clock):
        began = time.monotonic()
        catalog = await http.info()
        took_ms = (time.monotonic() - began) * 1000
        await read_engine_time(http, clock)
        earliest_ns, latest_ns = clock.range_ns(time.monotonic_ns())
    off_ms = abs(time.time_ns() - (earliest_ns + latest_ns) // 2) // NS_PER_MS
    text = f"{config.venue.http_origin} has {len(catalog.listings)} markets, {took_ms:.0f} ms"
    return off_ms <= config.venue.max_clock_offset_ms, f"{text}; host clock {off_ms} ms off"
