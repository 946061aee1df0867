"""The verb `backtest`: the bot on recorded data, event by event or bar by bar."""

import argparse
import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from mmbot import assemble
from mmbot.cli.flags import feed_options, overrides, window
from mmbot.cli.headers import Words, delay_words, described, input_of, queue_words
from mmbot.cli.output import ActionLog, Outputs
from mmbot.cli.running import drive, name_of, run_options
from mmbot.cli.simulate import simulated
from mmbot.config.loader import Loaded, load
from mmbot.errors import UsageError
from mmbot.research.results import Results
from mmbot.tape import Bar, open_feeds, read_bars, recognise


def backtest(args: argparse.Namespace) -> int:
    """Run the bot on recorded data, or on a synthetic market when there is none."""
    outputs = Outputs(args)
    settings = [*args.set, *overrides(args)]
    loaded = load(args.config, settings, os.environ)
    configs = [(name_of(args.config), loaded)]
    if args.compare is not None:
        configs.append((args.compare.stem, load([args.compare], settings, os.environ)))
    with outputs.action_log() as log:
        runs = []
        for index, (name, each) in enumerate(configs):
            results, stopped = _backtest(args, name, each, log if index == 0 else None)
            runs.append(results)
            if stopped:
                break
    return outputs.deliver(runs, loaded.config.backtest.seed)


def _backtest(
    args: argparse.Namespace, name: str, loaded: Loaded, log: ActionLog | None
) -> tuple[Results, bool]:
    """Results of one run, and whether Ctrl-C ended it."""
    options = run_options(args, log)
    if not args.data:
        return simulated(name, loaded, options, None)
    if args.format == "bars" or (args.format == "auto" and _are_bars(args.data)):
        return _bars(args, name, loaded, options)
    config = loaded.config
    feeds = open_feeds(args.data, args.format, feed_options(args, config))
    run = assemble.recorded_run(config, feeds, options)

    def share() -> float:
        return sum(feed.progress() for feed in feeds) / len(feeds)

    record, stopped = drive(run, share, args.steps)
    digest = sha256("".join(feed.sha256 for feed in feeds).encode()).hexdigest()
    read = input_of(run, config, ", ".join(map(str, args.data)), digest)
    params = config.backtest
    words = Words(queue_words(params), delay_words(params))
    return described(config, name, read, words, record), stopped


def _bars(
    args: argparse.Namespace, name: str, loaded: Loaded, options: assemble.RunOptions
) -> tuple[Results, bool]:
    if len(args.data) > 1:
        raise UsageError("bars: one file at a time")
    path = args.data[0]
    config = loaded.config
    market, bars = read_bars(path)
    given = config.backtest.instruments.get(market.symbol)
    if given is not None:
        market, bars = read_bars(path, assemble.instrument(market.symbol, given))
    counted = _Counted(within(bars, *window(args)), sum(1 for _ in read_bars(path, market)[1]))
    run = assemble.bar_run(config, market, counted, options)
    record, stopped = drive(run, counted.share, args.steps)
    digest = sha256(path.read_bytes()).hexdigest()
    params = config.backtest.bars
    words = Words(
        fill_model=f"bars, touch {params.p_touch_pct:g} %", latency="orders wait for the next bar"
    )
    read = input_of(run, config, str(path), digest)
    return described(config, name, read, words, record), stopped


class _Counted:
    """Bars that know how many of them have passed."""

    def __init__(self, bars: Iterator[Bar], total: int) -> None:
        self._bars = bars
        self._total = total
        self._passed = 0

    def __iter__(self) -> Iterator[Bar]:
        return self

    def __next__(self) -> Bar:
        bar = next(self._bars)
        self._passed += 1
        return bar

    def share(self) -> float:
        """Share of all bars that have passed."""
        return self._passed / max(1, self._total)


def within(bars: Iterator[Bar], start_ns: int | None, end_ns: int | None) -> Iterator[Bar]:
    """Bars that begin in a window of time."""
    for bar in bars:
        if start_ns is not None and bar.ts_ns < start_ns:
            continue
        if end_ns is not None and bar.ts_ns >= end_ns:
            return
        yield bar


def _are_bars(paths: Sequence[Path]) -> bool:
    return any(path.is_file() and recognise(path) == "bars" for path in paths)
