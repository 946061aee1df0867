"""The verbs `backtest` and `simulate`: set up runs, drive them, hand their results out."""

import argparse
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import time_ns
from typing import NamedTuple

from mmbot import assemble
from mmbot.adapters.sim.bars import BarExchange
from mmbot.adapters.sim.params import BacktestParams
from mmbot.cli.output import ActionLog, Outputs, say
from mmbot.cli.progress import metered
from mmbot.config.loader import Loaded, load
from mmbot.config.schema import Config
from mmbot.errors import UsageError
from mmbot.research.compare import compare
from mmbot.research.record import RunRecord
from mmbot.research.results import Results, RunHeader, describe
from mmbot.runtime.replay import replay
from mmbot.tape import FeedOptions, TapeWriter, open_feeds, read_bars, recognise

NS_PER_S = 1_000_000_000
_FILL_MODEL = re.compile(r"risk|probabilistic|power(\d+(\.\d+)?)?")


def backtest(args: argparse.Namespace) -> int:
    """Run the bot on recorded data, or on a synthetic market when there is none."""
    outputs = Outputs(args)
    overrides = [*args.set, *_overrides(args)]
    loaded = load(args.config, overrides, os.environ)
    configs = [(_name(args.config), loaded)]
    if args.compare is not None:
        configs.append((args.compare.stem, load([args.compare], overrides, os.environ)))
    with outputs.action_log() as log:
        runs = [
            _backtest(args, name, each, log if index == 0 else None)
            for index, (name, each) in enumerate(configs)
        ]
    comparison = compare(runs, loaded.config.backtest.seed) if len(runs) > 1 else None
    return outputs.deliver(runs[0], comparison)


def simulate(args: argparse.Namespace) -> int:
    """Run the bot on a synthetic market."""
    outputs = Outputs(args)
    loaded = load(args.config, [*args.set, *_overrides(args)], os.environ)
    with outputs.action_log() as log, _recording(args.record) as recorded:
        results = _simulate(_name(args.config), loaded, _options(args, log), recorded)
    return outputs.deliver(results, None)


def _backtest(
    args: argparse.Namespace, name: str, loaded: Loaded, log: ActionLog | None
) -> Results:
    options = _options(args, log)
    if not args.data:
        return _simulate(name, loaded, options, None)
    if args.format == "bars" or (args.format == "auto" and _are_bars(args.data)):
        return _bars(args, name, loaded, options)
    config = loaded.config
    feeds = open_feeds(args.data, args.format, _feed_options(args, config))
    run = assemble.recorded_run(config, feeds, options)

    def share() -> float:
        return sum(feed.progress() for feed in feeds) / len(feeds)

    record = _drive(run, share, args.steps)
    notes = [note for feed in feeds for note in feed.notes()]
    digest = sha256("".join(feed.sha256 for feed in feeds).encode()).hexdigest()
    read = Input(", ".join(map(str, args.data)), digest, tuple(notes))
    params = config.backtest
    words = Words(_queue_words(params), _delay_words(params))
    return describe(_header(config, name, read, words), record)


def _simulate(
    name: str,
    loaded: Loaded,
    options: assemble.RunOptions,
    recorded: Callable[[bytes], None] | None,
) -> Results:
    config = loaded.config
    params = config.simulate
    run = assemble.synthetic_run(config, recorded, options)
    start_ns = run.venue.now_ns
    length_ns = params.steps * NS_PER_S

    def share() -> float:
        return min(1.0, (run.venue.now_ns - start_ns) / length_ns)

    record = _drive(run, share, None)
    source = f"synthetic {params.type}, {params.steps} s, seed {params.seed}"
    words = Words(_queue_words(config.backtest), f"{params.latency_ms:g} ms orders and answers")
    return describe(_header(config, name, Input(source, source), words), record)


def _bars(
    args: argparse.Namespace, name: str, loaded: Loaded, options: assemble.RunOptions
) -> Results:
    if len(args.data) > 1:
        raise UsageError("bars: one file at a time")
    path = args.data[0]
    config = loaded.config
    market, bars = read_bars(path)
    given = config.backtest.instruments.get(market.symbol)
    if given is not None:
        market, bars = read_bars(path, assemble.instrument(market.symbol, given))
    run = assemble.bar_run(config, market, bars, options)
    record = _drive(run, lambda: 0.0, args.steps)
    notes = (run.venue.warning,) if isinstance(run.venue, BarExchange) and run.venue.warning else ()
    digest = sha256(path.read_bytes()).hexdigest()
    params = config.backtest.bars
    words = Words(
        fill_model=f"bars, touch {params.p_touch_pct:g} %", latency="orders wait for the next bar"
    )
    return describe(_header(config, name, Input(str(path), digest, notes), words), record)


def _drive(run: assemble.Run, share: Callable[[], float], max_steps: int | None) -> RunRecord:
    with metered(share, lambda: run.venue.now_ns) as meter:
        replay(run.engine, run.venue, run.watch, max_steps=max_steps, keep_going=meter.keep_going)
    if meter.stopped:
        say("stopped early: the results are of what was done so far")
    return run.watch.finish()


def _options(args: argparse.Namespace, log: ActionLog | None) -> assemble.RunOptions:
    observe = getattr(args, "observe", False)
    return assemble.RunOptions(log=None if log is None else log.write, observe=observe)


@contextmanager
def _recording(path: Path | None) -> Iterator[Callable[[bytes], None] | None]:
    if path is None:
        yield None
        return
    with TapeWriter(
        path, [assemble.SYNTHETIC_MARKET], source="mmbot simulate", created_ns=time_ns()
    ) as tape:
        yield tape.append


def _overrides(args: argparse.Namespace) -> Iterator[str]:
    """Flags that are short for a key of the configuration."""
    model = getattr(args, "fill_model", None)
    if model is not None:
        match = _FILL_MODEL.fullmatch(model)
        if match is None:
            raise UsageError(
                f"--fill-model {model}: expected risk, power, powerN (N a number) or probabilistic"
            )
        yield f"backtest.fill_model={'power' if model.startswith('power') else model}"
        if match[1] is not None:
            yield f"backtest.queue_power={match[1]}"
    if args.seed is not None:
        yield f"backtest.seed={args.seed}"
        yield f"simulate.seed={args.seed}"
    if getattr(args, "type", None) is not None:
        yield f"simulate.type={args.type}"
    if args.steps is not None and not getattr(args, "data", None):
        yield f"simulate.steps={args.steps}"


def _feed_options(args: argparse.Namespace, config: Config) -> FeedOptions:
    params = config.backtest
    return FeedOptions(
        grids={
            symbol: assemble.instrument(symbol, each) for symbol, each in params.instruments.items()
        },
        clock_offset_ns=params.clock_offset_ns,
        start_ns=_moment(args.start, "--start"),
        end_ns=_moment(args.end, "--end"),
        feed_latency_ns=round(params.latency.feed_ms * assemble.MILLISECOND_NS),
    )


def _moment(text: str | None, flag: str) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text}: expected a time such as 2026-01-31T12:00:00Z") from error
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    whole = int(moment.timestamp()) * NS_PER_S
    return whole + moment.microsecond * 1000


def _are_bars(paths: Sequence[Path]) -> bool:
    return any(path.is_file() and recognise(path) == "bars" for path in paths)


def _name(paths: Sequence[Path]) -> str:
    return paths[-1].stem if paths else "defaults"


class Input(NamedTuple):
    """What a run read: its name, its hash, and what was noticed in it."""

    source: str
    digest: str
    notes: tuple[str, ...] = ()


class Words(NamedTuple):
    """How a report describes the fills and the delays of a run."""

    fill_model: str
    latency: str


def _queue_words(params: BacktestParams) -> str:
    if params.fill_model == "probabilistic":
        return "probabilistic arrivals"
    return f"{params.queue_power:g} power queue" if params.fill_model == "power" else "risk queue"


def _delay_words(params: BacktestParams) -> str:
    latency = params.latency
    if latency.model == "constant":
        return f"{latency.entry_ms:g} ms orders, {latency.response_ms:g} ms answers"
    return f"{latency.model} {latency.file}"


def _header(config: Config, name: str, read: Input, words: Words) -> RunHeader:
    params = config.backtest
    quoting = config.defaults
    return RunHeader(
        name=name,
        strategy=(
            f"{quoting.spread.min_bps:g} to {quoting.spread.max_bps:g} bps, "
            f"{quoting.levels.count} levels, skew {quoting.inventory.direction}"
        ),
        source=read.source,
        data_hash=read.digest,
        config_hash=sha256(config.model_dump_json().encode()).hexdigest(),
        seed=params.seed,
        fill_model=words.fill_model,
        latency=words.latency,
        fees=f"maker {params.maker_fee_bps:g} bps, taker {params.taker_fee_bps:g} bps",
        optimistic_fills=params.fill_model == "probabilistic",
        notes=read.notes,
    )
