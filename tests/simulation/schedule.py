"""Seeded schedules of faults: what goes wrong when, for how long, and how badly.

A schedule is plain data, so that a failing one can be shrunk, written down and played again.
"""

import json
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from msgspec import Struct

from mmbot.exchange.faults.table import KNOBS, Mode


class Fault(Struct, frozen=True):
    """One fault: from `at_s`, for `for_s` seconds of the loop's time; `entry` are its parameters.

    `knob` is one of the exchange's table or of the harness (see knobs).
    """

    at_s: float
    for_s: float
    knob: str
    entry: dict[str, Any] = {}

    @property
    def end_s(self) -> float:
        """When it is over."""
        return self.at_s + self.for_s


Schedule = tuple[Fault, ...]

# What a swarm draws from: a knob, and its parameters with their bounds or choices.
SWARM: tuple[tuple[str, dict[str, Any]], ...] = (
    ("act.drop_req", {"p": (0.02, 0.3)}),
    ("act.drop_resp", {"p": (0.02, 0.3)}),
    ("act.slow", {"p": (0.05, 0.4), "ms": (50, 4000), "jitter_ms": (0, 1500)}),
    ("act.dup", {"p": (0.05, 0.4), "delay_ms": (0, 3000)}),
    ("act.reorder", {"p": (0.05, 0.3), "window_ms": (50, 1500)}),
    ("act.http_status", {"p": (0.02, 0.2), "status": [500, 502, 503, 504]}),
    ("act.truncate", {"p": (0.02, 0.2), "n": (0, 12)}),
    ("act.reset_after", {"p": (0.02, 0.2), "n": (0, 90)}),
    ("eng.clock_offset", {"s": (-20, 20)}),
    ("eng.clock_stall", {}),
    ("eng.maintenance", {}),
    ("eng.market_frozen", {"market": (0, 2)}),
    ("eng.cancel_on_margin", {}),
    ("eng.partial_fill", {"p": (0.01, 0.05), "frac": [0.2, 0.5, 1.0]}),
    ("eng.fill_before_cancel", {"p": (0.05, 0.5)}),
    ("eng.thin_book", {"frac": [0.05, 0.2, 0.5]}),
    ("md.drop", {"p": (0.01, 0.1)}),
    ("md.dup", {"p": (0.05, 0.5)}),
    ("md.reorder", {"p": (0.05, 0.3)}),
    ("md.delay", {"p": (0.05, 0.5), "ms": (10, 800)}),
    ("md.silence", {}),
    ("md.cross", {"p": (0.02, 0.2)}),
    ("md.empty_side", {"p": (0.02, 0.2)}),
    ("md.sweep", {"p": (0.02, 0.2)}),
    ("md.bad_value", {"p": (0.01, 0.1)}),
    ("md.malformed", {"p": (0.01, 0.1), "id": (0, 15)}),
    ("md.snapshot_lag", {"n": (1, 20)}),
    ("acct.dup", {"p": (0.05, 0.5)}),
    ("acct.delay", {"p": (0.05, 0.4), "ms": (10, 900)}),
    ("acct.reorder", {"p": (0.05, 0.3)}),
    ("acct.coalesce", {"p": (0.05, 0.3)}),
    ("acct.drop_fill", {"p": (0.01, 0.2)}),
    ("acct.gap_on_subscribe", {"ms": (50, 900)}),
    ("acct.replay", {"n": (1, 16)}),
    ("ws.close", {"code": [1000, 1001, 1012]}),
    ("ws.rst", {}),
    ("ws.half_open", {}),
    ("ws.refuse", {"p": (0.2, 1.0)}),
    ("rest.429", {"p": (0.02, 0.3), "retry_after": (1, 3)}),
    ("rest.5xx", {"p": (0.02, 0.4)}),
    ("rest.stale_ms", {"ms": (100, 2000)}),
    ("ref.silence", {}),
    ("ref.spike", {"p": (0.01, 0.1), "factor": [0.1, 0.9, 1.2, 10.0]}),
    ("ref.nan", {"p": (0.02, 0.3)}),
    ("net.loss", {"p": (0.01, 0.05)}),
    ("net.partition", {"part": ["both", "rest", "ws"]}),
    ("net.blackhole", {"part": ["both", "rest", "ws"]}),
    ("host.kill", {"restart_s": [0.2, 1.0, 4.0]}),
    ("host.pause", {}),
    ("net.cut", {}),
    ("net.reset", {}),
    ("net.slow", {"latency_ms": (5, 400), "jitter_ms": (0, 200)}),
)
LONGEST_S = {"host.pause": 8.0, "net.cut": 20.0, "eng.clock_stall": 15.0}
USUAL_LONGEST_S = 12.0


def swarm(seed: int, horizon_s: float, *, knobs: Iterable[str] | None = None) -> Schedule:
    """Return a random schedule: a random subset of the knobs, each with a random intensity."""
    dice = Random(f"{seed}:schedule")
    allowed = None if knobs is None else set(knobs)
    known = [each for each in SWARM if allowed is None or each[0] in allowed]
    chosen = dice.sample(known, min(len(known), dice.randint(2, 9)))
    faults = []
    for knob, bounds in chosen:
        entry = {name: _drawn(dice, bound) for name, bound in bounds.items()}
        for _ in range(dice.randint(1, 3)):
            longest = min(LONGEST_S.get(knob, USUAL_LONGEST_S), horizon_s / 2)
            length = round(dice.uniform(0.05, longest), 2)
            at_s = round(dice.uniform(0.0, horizon_s - length), 2)
            faults.append(Fault(at_s, length, knob, entry))
    return tuple(sorted(faults, key=lambda fault: (fault.at_s, fault.knob)))


def _drawn(dice: Random, bound: Any) -> Any:
    if isinstance(bound, list):
        return dice.choice(bound)
    low, high = bound
    if isinstance(low, int):
        return dice.randint(low, high)
    return round(dice.uniform(low, high), 3)


def exchange_entry(fault: Fault) -> dict[str, Any]:
    """Return what the exchange's table wants for a fault that begins now."""
    entry = {"knob": fault.knob, **fault.entry}
    mode = KNOBS[fault.knob].mode
    if mode is Mode.DEED:
        # Done once, or again and again by chance.
        return {**entry, "for_ms": _ms(fault)} if "p" in entry or "every_n" in entry else entry
    if "next_n" in entry:
        return entry
    return {**entry, "for_ms": _ms(fault)}


def _ms(fault: Fault) -> int:
    return max(1, round(fault.for_s * 1000))


def written(seed: int, schedule: Sequence[Fault]) -> str:
    """Return a schedule as one line of the regressions file."""
    faults = [[fault.at_s, fault.for_s, fault.knob, fault.entry] for fault in schedule]
    return json.dumps({"seed": seed, "faults": faults}, separators=(",", ":"))


def read(line: str) -> tuple[int, Schedule]:
    """Return seed and schedule of such a line."""
    found = json.loads(line)
    return found["seed"], tuple(Fault(*each) for each in found["faults"])


def shorter(schedule: Schedule) -> Iterable[Schedule]:
    """Give simpler schedules: without a half, without one fault, with one of half the length."""
    size = len(schedule)
    if size > 2:
        yield schedule[: size // 2]
        yield schedule[size // 2 :]
    for place in range(size):
        yield schedule[:place] + schedule[place + 1 :]
    for place, fault in enumerate(schedule):
        if fault.for_s > 0.5:
            less = Fault(fault.at_s, round(fault.for_s / 2, 2), fault.knob, fault.entry)
            yield (*schedule[:place], less, *schedule[place + 1 :])
