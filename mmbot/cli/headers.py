"""How a run is described at the head of its report."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from mmbot.adapters.sim.params import BacktestParams
from mmbot.assemble import Run, market_settings
from mmbot.assemble.learned import learned
from mmbot.cli.running import remarks
from mmbot.config.schema import Config
from mmbot.research.record import RunRecord
from mmbot.research.results import Learned, Results, RunHeader, describe


class Input(NamedTuple):
    """What a run read: its name, its hash, what was noticed in it and learned from it."""

    source: str
    digest: str
    notes: Sequence[str]
    market_volume_usd: float | None
    learned: tuple[Learned, ...] = ()


def input_of(run: Run, config: Config, source: str, digest: str) -> Input:
    """Say what a finished run has read."""
    remarked = remarks(run, config)
    return Input(source, digest, remarked, run.venue.market_volume_usd(), learned(run))


class Words(NamedTuple):
    """How a report describes the fills and the delays of a run."""

    fill_model: str
    latency: str


def queue_words(params: BacktestParams) -> str:
    """Name the model that decides when resting orders fill."""
    if params.fill_model == "probabilistic":
        return "probabilistic arrivals"
    return f"power {params.queue_power:g} queue" if params.fill_model == "power" else "risk queue"


def delay_words(params: BacktestParams) -> str:
    """Name the delays of orders and answers."""
    latency = params.latency
    if latency.model == "constant":
        return f"{latency.entry_ms:g} ms orders, {latency.response_ms:g} ms answers"
    return f"{latency.model} {latency.file}"


def _quoting_words(config: Config, symbol: str) -> str:
    own = market_settings(config, symbol)
    if not own.enabled:
        return "not quoted"
    return (
        f"{own.spread.min_bps:g} to {own.spread.max_bps:g} bps, "
        f"{own.levels.count} levels, skew {own.inventory.direction}"
    )


def described(config: Config, name: str, read: Input, words: Words, record: RunRecord) -> Results:
    """Compute the results of a run, under a header that says what was run on what."""
    params = config.backtest
    settings = {_quoting_words(config, entry.market.symbol) for entry in record.markets}
    header = RunHeader(
        name=name,
        strategy=settings.pop() if len(settings) == 1 else "each market by its own settings",
        source=read.source,
        data_hash=read.digest,
        config_hash=sha256(config.model_dump_json().encode()).hexdigest(),
        seed=params.seed,
        fill_model=words.fill_model,
        latency=words.latency,
        fees=f"maker {params.maker_fee_bps:g} bps, taker {params.taker_fee_bps:g} bps",
        optimistic_fills=params.fill_model == "probabilistic",
        market_volume_usd=read.market_volume_usd,
        notes=tuple(read.notes),
    )
    return describe(header, record, read.learned)
