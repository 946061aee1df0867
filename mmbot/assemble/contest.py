"""Runs of a comparison: a strategy on a recording or a synthetic market, in a process of its own.

A job is named by texts and numbers only, so that any process can make it afresh.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mmbot.assemble import (
    MILLISECOND_NS,
    Run,
    RunOptions,
    instrument,
    recorded_run,
    synthetic_run,
)
from mmbot.assemble.entrants import factory_of, read_rule
from mmbot.config.loader import load
from mmbot.config.presets import PRESETS
from mmbot.config.schema import Config
from mmbot.domain.actions import Batch
from mmbot.domain.market import Market
from mmbot.quoting.strategy import Strategy
from mmbot.research.contest.outcome import Entry, Outcome, condense
from mmbot.research.results import RunHeader, describe
from mmbot.runtime.replay import replay
from mmbot.tape import Feed, FeedOptions, open_feeds
from mmbot.tape.opening import Format

DEFAULTS = "defaults"
SECOND_NS = 1_000_000_000
# A rule is compared as it trades by itself: without what the bot's engine adds to its strategies.
AS_IT_IS = (
    "defaults.requote.price_tolerance_bps=0",
    "defaults.requote.size_tolerance_pct=0",
    "defaults.requote.cancel_when_near=false",
    "defaults.market_risk.shock.enabled=false",
    "defaults.hedge.enabled=false",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Recorded events; the window is in nanoseconds of exchange time."""

    path: Path
    format: Format = "auto"
    start_ns: int | None = None
    end_ns: int | None = None

    @property
    def words(self) -> str:
        """What it is called."""
        return str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthetic:
    """A synthetic market of `steps` seconds."""

    type: str
    seed: int
    steps: int

    @property
    def words(self) -> str:
        """What it is called."""
        return f"synthetic {self.type}, {self.steps} s, seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run: `strategy` is a YAML file, "defaults", a preset, a contestant or a Python file.

    `configs` and `sets` are the settings of all runs; a YAML file comes on top of the files.
    """

    name: str
    strategy: str
    market: Recording | Synthetic
    configs: tuple[Path, ...] = ()
    sets: tuple[str, ...] = ()


Making = Callable[[Market], Strategy]


def settings_of(job: Job) -> tuple[Config, Making | None]:
    """Return the settings of a run and what makes its strategy, None for the bot's own.

    ConfigError and UsageError say what is wrong with either.
    """
    sets = list(job.sets)
    configs = list(job.configs)
    if isinstance(job.market, Synthetic):
        sets += [
            f"simulate.type={job.market.type}",
            f"simulate.seed={job.market.seed}",
            f"simulate.steps={job.market.steps}",
        ]
    if job.strategy == DEFAULTS:
        return load(configs, sets).config, None
    if job.strategy in PRESETS:
        return load(configs, [f"defaults.preset={job.strategy}", *sets]).config, None
    if job.strategy.endswith((".yaml", ".yml")):
        return load([*configs, Path(job.strategy)], sets).config, None
    rule = read_rule(job.strategy)
    config = load(configs, [*AS_IT_IS, *sets]).config
    own = config.defaults
    sizes = {"order_usd": float(own.sizing.fixed_usd)}
    cap = own.market_risk.max_position_usd
    if cap is not None:
        sizes["max_position_usd"] = float(cap)
    return config, factory_of(rule, sizes)


def run_job(job: Job) -> Outcome:
    """Run one to its end."""
    config, making = settings_of(job)
    requests: Counter[int] = Counter()

    def count(batch: Batch) -> None:
        requests[batch.ts_ns // SECOND_NS] += 1

    options = RunOptions(strategy=making, log=count)
    if isinstance(job.market, Synthetic):
        run = synthetic_run(config, None, options)
        digest, notes = job.market.words, list[str]()
    else:
        run, digest, notes = _recorded(config, job.market, options)
    replay(run.engine, run.venue, run.watch, keep_going=lambda: True)
    params = config.backtest
    header = RunHeader(
        name=job.name,
        strategy=job.strategy,
        source=job.market.words,
        data_hash=digest,
        config_hash=sha256(config.model_dump_json().encode()).hexdigest(),
        seed=params.seed,
        fill_model=params.fill_model,
        latency="",
        fees=f"maker {params.maker_fee_bps:g} bps, taker {params.taker_fee_bps:g} bps",
        notes=tuple(notes),
    )
    results = describe(header, run.watch.finish())
    most = max(requests.values(), default=0)
    return condense(Entry(job.name, job.market.words, digest), results, most)


def _recorded(
    config: Config, recording: Recording, options: RunOptions
) -> tuple[Run, str, list[str]]:
    feeds = feeds_of(config, recording)
    digest = sha256("".join(feed.sha256 for feed in feeds).encode()).hexdigest()
    return recorded_run(config, feeds, options), digest, []


def feeds_of(config: Config, recording: Recording) -> list[Feed]:
    """Open a recording as the settings of backtests say."""
    params = config.backtest
    return open_feeds(
        [recording.path],
        recording.format,
        FeedOptions(
            grids={symbol: instrument(symbol, each) for symbol, each in params.instruments.items()},
            clock_offset_ns=params.clock_offset_ns,
            start_ns=recording.start_ns,
            end_ns=recording.end_ns,
            feed_latency_ns=round(params.latency.feed_ms * MILLISECOND_NS),
        ),
    )
