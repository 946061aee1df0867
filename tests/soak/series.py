"""What a soak notes every minute, and what its verdict is about: slopes, levels, shares."""

import statistics
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

# The first part is warm-up: caches fill, histories reach their bounds.
WARM_UP = 0.25
MOST_SLOPE_MB_H = 1.0
# In a short soak what is bounded is still filling.
LEAST_RISE_MB = 2.0
LEAST_QUOTING = 0.99
# Reconnects and requests under way make counts go up and down by a few.
FLAT_WITHIN = 2.0
_PAIRS_UP_TO = 400


class Sample(Struct, frozen=True, kw_only=True):
    """One moment. `own_mb` is what the bot's own objects take, None where that is not looked at.

    `quoting` is the share of the minute's looks at which the bot quoted, `markets` that of markets.
    """

    minute: float
    rss_mb: float
    own_mb: float | None = None
    objects: int = 0
    tasks: int = 0
    sockets: int = 0
    timers: int = 0
    fds: int = 0
    threads: int = 0
    waiting: int = 0
    ledger_mb: float = 0.0
    log_kb: float = 0.0
    ack_p50_ms: float | None = None
    ack_p99_ms: float | None = None
    lag_p99_ms: float | None = None
    cpu_s: float = 0.0
    placed: int = 0
    fills: int = 0
    reconnects: int = 0
    quoting: float = 1.0
    markets: float = 1.0


def slope_per_hour(points: Sequence[tuple[float, float]]) -> float:
    """Return the median of all slopes between two points (Theil-Sen); minutes, per hour."""
    step = max(1, len(points) // _PAIRS_UP_TO)
    kept = points[::step]
    slopes = [
        (after[1] - before[1]) / (after[0] - before[0])
        for place, before in enumerate(kept)
        for after in kept[place + 1 :]
        if after[0] > before[0]
    ]
    return statistics.median(slopes) * 60 if slopes else 0.0


def after_warm_up(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return the samples that count for slopes."""
    return samples[round(len(samples) * WARM_UP) :]


def memory_slope(samples: Sequence[Sample], name: str) -> float:
    """Return how fast a figure in MB grows after warm-up, in MB an hour."""
    points = [(each.minute, getattr(each, name)) for each in after_warm_up(samples)]
    return slope_per_hour([(at, value) for at, value in points if value is not None])


def growth(samples: Sequence[Sample], name: str) -> float:
    """Return by how much a count's usual level rose from the first quarter after warm-up on."""
    values: list[float] = [getattr(each, name) for each in after_warm_up(samples)]
    quarter = max(1, len(values) // 4)
    return statistics.median(values[-quarter:]) - statistics.median(values[:quarter])


def failures(samples: Sequence[Sample], memory: str) -> list[str]:
    """Say what forbids calling a soak good; `memory` is the figure whose slope counts."""
    if len(samples) < 4:
        return [f"{len(samples)} samples are not enough to judge by"]
    found = []
    slope = memory_slope(samples, memory)
    told = after_warm_up(samples)
    risen_mb = slope * (told[-1].minute - told[0].minute) / 60
    if slope > MOST_SLOPE_MB_H and risen_mb > LEAST_RISE_MB:
        found.append(f"{memory} grows by {slope:.2f} MB an hour")
    for name in ("tasks", "sockets", "timers", "fds", "threads", "waiting"):
        more = growth(samples, name)
        if more > FLAT_WITHIN:
            found.append(f"{name}: {more:g} more at the end than after warm-up")
    share = statistics.fmean(each.quoting for each in samples)
    if share < LEAST_QUOTING:
        found.append(f"quoting {share:.2%} of the time")
    if any(after.fills < before.fills for before, after in pairwise(samples)):
        found.append("fills were forgotten")
    return found


def summary(samples: Sequence[Sample]) -> dict[str, float | int | None]:
    """Return the figures of a soak."""
    last = samples[-1]
    told = after_warm_up(samples)
    return {
        "minutes": last.minute,
        "rss_mb": last.rss_mb,
        "own_mb": last.own_mb,
        "rss_slope_mb_h": round(memory_slope(samples, "rss_mb"), 3),
        "own_slope_mb_h": round(memory_slope(samples, "own_mb"), 3),
        "tasks": last.tasks,
        "tasks_growth": growth(samples, "tasks"),
        "sockets": last.sockets,
        "sockets_growth": growth(samples, "sockets"),
        "timers_growth": growth(samples, "timers"),
        "fds": last.fds,
        "fds_growth": growth(samples, "fds"),
        "waiting_most": max(each.waiting for each in samples),
        "ledger_mb": last.ledger_mb,
        "ack_p50_ms": last.ack_p50_ms,
        "ack_p99_ms": last.ack_p99_ms,
        "cpu_s_a_minute_first": round(statistics.median(each.cpu_s for each in told[:10]), 2),
        "cpu_s_a_minute_last": round(statistics.median(each.cpu_s for each in told[-10:]), 2),
        "placed": last.placed,
        "fills": last.fills,
        "reconnects": last.reconnects,
        "quoting": round(statistics.fmean(each.quoting for each in samples), 5),
        "markets_quoted": round(statistics.fmean(each.markets for each in samples), 5),
    }
