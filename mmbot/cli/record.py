"""The verb `record`: the venue's streams and an outside price, as tapes that `backtest` reads."""

import argparse
import asyncio
import re
import signal
import time
from contextlib import suppress
from pathlib import Path
from random import SystemRandom

import uvloop

from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.zo.market_terms import Outside
from mmbot.adapters.zo.rest.http import open_http
from mmbot.assemble.recording.together import Recorded, Wanted, open_recording
from mmbot.cli.live_markets import wanted_listings
from mmbot.cli.recorded import Progress, summarise
from mmbot.cli.venue import venue_settings
from mmbot.config.schema import Config
from mmbot.errors import UsageError
from mmbot.tape.folder_lock import locked_folder

REDRAW_EVERY_S = 1.0
_DURATION = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def record(args: argparse.Namespace) -> int:
    """Record until the time is over, Ctrl-C or SIGTERM."""
    seconds = duration(args.duration)
    if args.url is not None:
        # The streams and REST are at one place: either address will do.
        args.url = re.sub("^ws", "http", args.url)
    config = venue_settings(args)
    folder: Path = args.out
    folder.mkdir(parents=True, exist_ok=True)
    started_s = time.monotonic()
    with (
        locked_folder(folder),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        recorded = runner.run(_record(args, config, seconds))
    summarise(recorded, time.monotonic() - started_s, as_json=args.json)
    return 0


async def _record(args: argparse.Namespace, config: Config, seconds: float | None) -> Recorded:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    async with open_http(config.venue) as http:
        catalog = await http.info()
        listings = wanted_listings(args.market, config, catalog)
        outside = Outside(http.orderbook, steady_clock(), SystemRandom())
        wanted = Wanted(config.venue.ws_origin, listings, args.account, args.reference)
        recording = open_recording(wanted, args.out, outside, over.set)
        task = asyncio.create_task(recording.run(), name="recording")
        task.add_done_callback(lambda _: over.set())
        progress = Progress(recording, quiet=args.json)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not over.is_set():
                    await _waited(over, REDRAW_EVERY_S)
                    progress.step()
        before = recording.recorded()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        progress.close()
        if recording.guard.failure is not None:
            raise recording.guard.failure
        # The end of the recording ends what is known of a book; it is no gap in it.
        return recording.recorded().with_gaps_of(before)


async def _waited(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def duration(text: str | None) -> float | None:
    """Return the seconds of a time such as 15m, None without one."""
    if text is None:
        return None
    found = _DURATION.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise UsageError(f"--for {text}: expected a time such as 90s, 15m, 12h or 7d")
    return float(int(found[1]) * _SECONDS[found[2]])
