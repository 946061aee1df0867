"""What the flags of a run mean in terms of the configuration and of the data readers."""

import argparse
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from mmbot.adapters.sim.params import BacktestParams
from mmbot.assemble import MILLISECOND_NS, instrument
from mmbot.config.schema import Config
from mmbot.domain.market import Market
from mmbot.errors import UsageError
from mmbot.tape import FeedOptions

NS_PER_S = 1_000_000_000
_FILL_MODEL = re.compile(r"risk|probabilistic|power(\d+(\.\d+)?)?")


def overrides(args: argparse.Namespace) -> Iterator[str]:
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


def grids(params: BacktestParams) -> dict[str, Market]:
    """Markets that the configuration describes, by symbol."""
    return {symbol: instrument(symbol, each) for symbol, each in params.instruments.items()}


def feed_options(args: argparse.Namespace, config: Config) -> FeedOptions:
    """How the files of a backtest are read; UsageError for a time that is none."""
    params = config.backtest
    start_ns, end_ns = window(args)
    return FeedOptions(
        grids=grids(params),
        clock_offset_ns=params.clock_offset_ns,
        start_ns=start_ns,
        end_ns=end_ns,
        feed_latency_ns=round(params.latency.feed_ms * MILLISECOND_NS),
    )


def window(args: argparse.Namespace) -> tuple[int | None, int | None]:
    """First and last moment wanted, nanoseconds; UsageError for a time that is none."""
    start_ns, end_ns = _moment(args.start, "--start"), _moment(args.end, "--end")
    if start_ns is not None and end_ns is not None and end_ns <= start_ns:
        raise UsageError(f"--end {args.end} is not after --start {args.start}")
    return start_ns, end_ns


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
