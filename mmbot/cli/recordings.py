"""The verbs `data list|verify|convert|import`: print what mmbot.tape finds and writes."""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import time_ns

from mmbot.cli.flags import grids
from mmbot.cli.output import EXIT_CHECK_FAILED, say, show, show_json
from mmbot.cli.progress import metered
from mmbot.config.loader import load
from mmbot.domain.market import Market
from mmbot.research.text import iso_time, span
from mmbot.tape import FeedOptions
from mmbot.tape.catalog import Recording, Verification, list_recordings, verify
from mmbot.tape.convert import Conversion, Target, convert, import_recordings

NS_PER_S = 1_000_000_000


def list_data(args: argparse.Namespace) -> int:
    """Print one line per recording."""
    recordings = list_recordings(args.paths, _options(args))
    if args.json:
        _print_json("mmbot.recordings/1", [_recording(each) for each in recordings])
    else:
        for each in recordings:
            show([_line(each)])
    return 1 if any(each.problem is not None for each in recordings) else 0


def verify_data(args: argparse.Namespace) -> int:
    """Print what a full pass found; exit 10 when something is wrong."""
    with _progress() as report:
        results = verify(args.paths, args.format, _options(args), report)
    if args.json:
        _print_json("mmbot.verification/1", [_verification(each) for each in results])
    else:
        for each in results:
            show(_verdict(each))
    return EXIT_CHECK_FAILED if any(each.problems for each in results) else 0


def convert_data(args: argparse.Namespace) -> int:
    """Write one tape."""
    with _progress() as report:
        target = Target(created_ns=time_ns(), on_progress=report)
        written = convert(args.paths, args.format, args.out, _options(args), target)
    _print_written([written], args.json)
    return 0


def import_data(args: argparse.Namespace) -> int:
    """Write a tape per symbol into a folder."""
    with _progress() as report:
        target = Target(created_ns=time_ns(), on_progress=report)
        options = _options(args)
        written = import_recordings(args.paths, args.format, args.into, options, target)
    _print_written(written, args.json)
    return 0


def _options(args: argparse.Namespace) -> FeedOptions:
    """Grids and clock offset as configured; what is not configured is inferred."""
    params = load(args.config, args.set, os.environ).config.backtest
    return FeedOptions(grids=grids(params), clock_offset_ns=params.clock_offset_ns)


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    done = 0.0

    def update(share: float) -> None:
        nonlocal done
        done = share
        if not meter.keep_going():
            raise KeyboardInterrupt

    with metered(lambda: done, None) as meter:
        yield update


def _print_json(schema: str, items: Sequence[dict[str, object]]) -> None:
    show_json({"schema": schema, "items": items})


def _print_written(written: Sequence[Conversion], as_json: bool) -> None:
    if as_json:
        items: list[dict[str, object]] = [
            {
                "path": str(each.path),
                "symbols": each.symbols,
                "rows_count": each.rows,
                "size_bytes": each.size_bytes,
                "notes": each.notes,
            }
            for each in written
        ]
        _print_json("mmbot.conversions/1", items)
        return
    for each in written:
        symbols = " ".join(each.symbols)
        show([f"{each.path}  {symbols}  {each.rows:,} rows  {each.size_bytes:,} bytes"])
        for note in each.notes:
            say(f"note: {note}")


def _grid(market: Market | None) -> dict[str, object]:
    if market is None:
        return {}
    return {
        "symbol": market.symbol,
        "tick": str(market.tick),
        "lot": str(market.lot),
        "contract": str(market.contract),
        "contract_size": str(market.contract_size),
    }


def _recording(each: Recording) -> dict[str, object]:
    return {
        "path": str(each.path),
        "format": each.format,
        **_grid(each.market),
        "size_bytes": each.size_bytes,
        "rows_count": each.rows,
        "first_ns": each.first_ns,
        "last_ns": each.last_ns,
        "problem": each.problem,
    }


def _line(each: Recording) -> str:
    if each.market is None:
        return f"{each.path}  unreadable: {each.problem}"
    length = span((each.last_ns - each.first_ns) / NS_PER_S)
    return (
        f"{each.path}  {each.format}  {each.market.symbol}  {iso_time(each.first_ns)}  {length}"
        f"  {each.rows:,} rows  {each.size_bytes:,} bytes"
    )


def _verification(each: Verification) -> dict[str, object]:
    return {
        "paths": [str(path) for path in each.paths],
        "symbol": each.symbol,
        "rows_count": each.rows,
        "trades_count": each.trades,
        "first_ns": each.first_ns,
        "last_ns": each.last_ns,
        "longest_silence_ns": each.longest_silence_ns,
        "crossed_pct": 100 * each.crossed_share,
        "one_sided_pct": 100 * each.one_sided_share,
        "notes": each.notes,
        "problems": each.problems,
    }


def _verdict(each: Verification) -> list[str]:
    verdict = "bad" if each.problems else "good"
    name = each.symbol or ", ".join(map(str, each.paths))
    seen = "no rows"
    if each.rows:
        seen = (
            f"{each.rows:,} rows, {each.trades:,} trades, "
            f"{iso_time(each.first_ns)} to {iso_time(each.last_ns)}, "
            f"longest silence {each.longest_silence_ns / NS_PER_S:.1f} s"
        )
    return [
        f"{name}  {verdict}  {seen}",
        *(f"  problem: {problem}" for problem in each.problems),
        *(f"  note: {note}" for note in each.notes),
    ]
