"""The verb `record`: the venue's order books and trades, as tapes that `backtest` reads."""

import argparse
import asyncio
import re
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import SystemRandom

import msgspec
import uvloop
from msgspec.structs import replace

from mmbot.adapters.web.clock import steady_clock
from mmbot.adapters.zo.market_terms import Outside
from mmbot.adapters.zo.rest.answers import Listing
from mmbot.adapters.zo.rest.http import ZoHttp, open_http
from mmbot.assemble.recording import RecordedMarket, VenueRecording
from mmbot.cli.live_markets import wanted_listings
from mmbot.cli.output import say, show
from mmbot.cli.venue import venue_settings
from mmbot.config.schema import Config
from mmbot.errors import UsageError

FLUSH_EVERY_S = 10.0
LINE_EVERY_S = 10.0
REDRAW_EVERY_S = 1.0
_DURATION = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def record(args: argparse.Namespace) -> int:
    """Record until the time is over, Ctrl-C or SIGTERM."""
    seconds = _duration(args.duration)
    if args.url is not None:
        # The streams and REST are at one place: either address will do.
        args.url = re.sub("^ws", "http", args.url)
    config = venue_settings(args)
    folder: Path = args.out
    folder.mkdir(parents=True, exist_ok=True)
    started_s = time.monotonic()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        markets = runner.run(_record(args, config, seconds))
    _summarise(markets, time.monotonic() - started_s, as_json=args.json)
    return 0


async def _record(
    args: argparse.Namespace, config: Config, seconds: float | None
) -> list[RecordedMarket]:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    async with open_http(config.venue) as http:
        catalog = await http.info()
        listings = wanted_listings(args.market, config, catalog)
        recording = _recording(http, config, listings, args.out, over)
        task = asyncio.create_task(recording.run(), name="recording")
        task.add_done_callback(lambda _: over.set())
        progress = _Progress(recording, quiet=args.json)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not over.is_set():
                    await _waited(over, REDRAW_EVERY_S)
                    progress.step()
        gaps = [each.gaps for each in recording.markets()]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        progress.close()
        if recording.failure is not None:
            raise recording.failure
        # The end of the recording ends what is known of a book; it is no gap in it.
        markets = zip(recording.markets(), gaps, strict=True)
        return [replace(each, gaps=before) for each, before in markets]


def _recording(
    http: ZoHttp, config: Config, listings: Sequence[Listing], folder: Path, over: asyncio.Event
) -> VenueRecording:
    outside = Outside(http.orderbook, steady_clock(), SystemRandom())
    return VenueRecording(config.venue.ws_origin, listings, folder, outside, over.set)


async def _waited(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class _Progress:
    """Flushes now and then, and tells how far it is: on a terminal in place, else in lines."""

    def __init__(self, recording: VenueRecording, *, quiet: bool) -> None:
        self._recording = recording
        self._terminal = sys.stderr.isatty() and not quiet
        self._started_s = self._told_s = self._flushed_s = time.monotonic()

    def step(self) -> None:
        """Do what it is time for."""
        now_s = time.monotonic()
        if now_s - self._flushed_s >= FLUSH_EVERY_S:
            self._flushed_s = now_s
            self._recording.flush()
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{self._line(now_s)}")
            sys.stderr.flush()
        elif now_s - self._told_s >= LINE_EVERY_S:
            self._told_s = now_s
            say(self._line(now_s))

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")

    def _line(self, now_s: float) -> str:
        markets = self._recording.markets()
        waiting = [each.symbol for each in markets if each.problem]
        state = f", no book of {', '.join(waiting)}" if waiting else ""
        rows, size = sum(each.rows for each in markets), sum(each.size_bytes for each in markets)
        gaps = sum(each.gaps for each in markets)
        return (
            f"{now_s - self._started_s:,.0f} s: {len(markets)} markets, {rows:,} rows, "
            f"{size / 1e6:,.1f} MB, {gaps} gaps{state}"
        )


def _summarise(markets: Sequence[RecordedMarket], seconds: float, *, as_json: bool) -> None:
    if as_json:
        items = [
            {
                "symbol": each.symbol,
                "rows_count": each.rows,
                "trades_count": each.trades,
                "snapshots_count": each.snapshots,
                "gaps_count": each.gaps,
                "misdated_trades_count": each.misdated,
                "size_bytes": each.size_bytes,
                "paths": [str(path) for path in each.paths],
            }
            for each in markets
        ]
        document = {"schema": "mmbot.record/1", "seconds": round(seconds, 3), "items": items}
        show([msgspec.json.encode(document).decode()])
        return
    for each in markets:
        paths = ", ".join(map(str, each.paths)) or "nothing"
        show([f"{each.symbol}  {each.rows:,} rows, {each.trades:,} trades  {paths}"])
        if each.misdated:
            say(f"note: {each.symbol}: {each.misdated:,} trades with times far off this host's")


def _duration(text: str | None) -> float | None:
    if text is None:
        return None
    found = _DURATION.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise UsageError(f"--for {text}: expected a time such as 90s, 15m, 12h or 7d")
    return float(int(found[1]) * _SECONDS[found[2]])
