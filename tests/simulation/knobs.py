"""Faults of the harness: of the network between the programs, the bot's host, its disk, itself.

Those of the exchange are set there, when they begin.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from signal import SIGTERM

from mmbot.exchange.faults.table import KNOBS
from tests.simulation.leases import Leases
from tests.simulation.network import End, Terms
from tests.simulation.process import Process
from tests.simulation.schedule import Fault, Schedule, exchange_entry
from tests.simulation.stage import Run, Stage

# What leaves sight of the account and the way to the venue alone.
UNHINDERED = ("md.", "ref.", "acct.transfer", "acct.foreign", "eng.partial_fill", "eng.thin_book")
# Time to come back after a hindrance: new connections, snapshots, what is still under way.
RECOVERY_S = 5.0
RESTART_S = 1.0
# What a supervisor waits at least: a new run cannot know what the old one has just sent, and both
# together keep to the venue's limits of a second.
SOONEST_S = 1.0
End_ = Callable[[], None]


class InjectedError(Exception):
    """Thrown into a task of the bot."""


def play(stage: Stage, schedule: Schedule) -> None:
    """Let a schedule happen, from now on."""
    now_s = stage.loop.now_s
    for fault in schedule:
        stage.loop.call_at(now_s + fault.at_s, _begin, stage, fault)


def _begin(stage: Stage, fault: Fault) -> None:
    hinders = not fault.knob.startswith(UNHINDERED)
    if hinders:
        stage.troubles.begin(fault)
    if fault.knob in KNOBS:
        stage.venue.faults.put([exchange_entry(fault)])
        end: End_ | None = None
    else:
        end = _HARNESS[fault.knob](stage, fault)
    stage.loop.call_later(fault.for_s, _end, stage, fault, end if hinders or end else None)


def _end(stage: Stage, fault: Fault, end: End_ | None) -> None:
    if end is not None:
        end()
    late_ms = sum(fault.entry.get(name, 0) for name in ("ms", "jitter_ms", "delay_ms", "window_ms"))
    if not fault.knob.startswith(UNHINDERED):
        stage.troubles.end(fault, stage.loop.now_s, RECOVERY_S + late_ms / 1000)


def _cut(stage: Stage, _fault: Fault) -> End_:
    stage.loop.network.cut(stage.exchange)
    return partial(stage.loop.network.heal, stage.exchange)


def _reset(stage: Stage, _fault: Fault) -> None:
    stage.loop.network.reset(stage.exchange)


def _half_open(stage: Stage, _fault: Fault) -> None:
    """Let every connection there is be dead without a word."""
    for end in list(stage.exchange.sockets):
        assert isinstance(end, End)
        end.out.blocked = end.into.blocked = True


def _slow(stage: Stage, fault: Fault) -> End_:
    stage.troubles.slowed.append(fault)
    _as_slow_as_asked(stage)

    def end() -> None:
        stage.troubles.slowed.remove(fault)
        _as_slow_as_asked(stage)

    return end


def _as_slow_as_asked(stage: Stage) -> None:
    """As the newest of those that last has it: they overlap, and end in any order."""
    terms, usual = stage.loop.network.terms, Terms()
    terms.latency_s, terms.jitter_s = usual.latency_s, usual.jitter_s
    if stage.troubles.slowed:
        entry = stage.troubles.slowed[-1].entry
        terms.latency_s = entry["latency_ms"] / 1000
        terms.jitter_s = entry.get("jitter_ms", 0) / 1000


def _nameless(stage: Stage, _fault: Fault) -> End_:
    stage.loop.network.terms.unresolved = True

    def end() -> None:
        stage.loop.network.terms.unresolved = False

    return end


def _kill(stage: Stage, fault: Fault) -> None:
    """Kill the bot now, or at `point` after_send: when it has just sent a place."""
    if fault.entry.get("point", "now") == "after_send":
        _after_send(stage, lambda: _killed(stage, fault, SOONEST_S))
    else:
        _killed(stage, fault, SOONEST_S)


def _killed(stage: Stage, fault: Fault, soonest_s: float = 0.0) -> None:
    run = stage.run
    if run is not None:
        run.kill(silently=fault.entry.get("silently", False))
        after_s = max(soonest_s, fault.entry.get("restart_s", RESTART_S))
        stage.loop.call_later(after_s, _again, stage)


def _again(stage: Stage) -> None:
    if stage.run is None:
        stage.begin()


def _after_send(stage: Stage, then: Callable[[], None]) -> None:
    taps = stage.loop.network.taps

    def tap(process: Process | None, _end: End, data: bytes) -> None:
        run = stage.run
        if run is not None and process is run.process and data.startswith(b"POST /action"):
            taps.remove(tap)
            stage.loop.call_soon(then)

    taps.append(tap)


def _crash_loop(stage: Stage, fault: Fault) -> None:
    """Kill the bot, and each of the next `times` runs soon after its start."""
    for number in range(fault.entry.get("times", 5)):
        at_s = number * (fault.entry.get("lives_s", 0.3) + 0.2)
        stage.loop.call_later(at_s, _killed, stage, Fault(0, 0, fault.knob, {"restart_s": 0.2}))


def _pause(stage: Stage, fault: Fault) -> None:
    if stage.run is not None:
        stage.run.pause(fault.for_s)


def _clock_step(stage: Stage, fault: Fault) -> End_:
    step_ns = round(fault.entry["s"] * 1e9)
    stage.machine.wall_step_ns += step_ns

    def end() -> None:
        stage.machine.wall_step_ns -= step_ns

    return end


def _signal(stage: Stage, _fault: Fault) -> None:
    if stage.run is not None:
        stage.run.signal(SIGTERM)


def _disk_full(stage: Stage, _fault: Fault) -> End_:
    stage.machine.is_full = True

    def end() -> None:
        stage.machine.is_full = False

    return end


def _disk_slow(stage: Stage, fault: Fault) -> End_:
    stage.machine.slow_s = fault.entry.get("ms", 3_000) / 1000

    def end() -> None:
        stage.machine.slow_s = 0.0

    return end


def _raise_in(stage: Stage, fault: Fault) -> None:
    throw_in(stage, fault.entry["task"])


def throw_in(stage: Stage, part: str) -> None:
    """Let a part of the bot die of an exception; see PARTS."""
    run = stage.run
    name = None if run is None else run.bot.task(part)
    if run is not None and name is not None:
        _throw(stage, run, name)


def _throw(stage: Stage, run: Run, name: str) -> None:
    """Let what a task waits for fail; when it waits for a task, try again a moment later."""
    for task in run.process.tasks:
        waiter = getattr(task, "_fut_waiter", None)
        if task.get_name() == name and not task.done():
            if isinstance(waiter, asyncio.Task) or waiter is None or waiter.done():
                stage.loop.call_later(0.01, _throw, stage, run, name)
            else:
                waiter.set_exception(InjectedError(name))
            return


def _wedge(stage: Stage, _fault: Fault) -> None:
    if stage.run is not None:
        stage.run.bot.wedge()


def _redis_down(stage: Stage, _fault: Fault) -> End_:
    leases = _leases(stage)
    leases.down = True

    def end() -> None:
        leases.down = False

    return end


def _redis_slow(stage: Stage, fault: Fault) -> End_:
    leases = _leases(stage)
    leases.slow_s = fault.entry["ms"] / 1000

    def end() -> None:
        leases.slow_s = 0.0

    return end


def _redis_garbage(stage: Stage, _fault: Fault) -> End_:
    rules = _leases(stage).rules
    rules.garbage = True

    def end() -> None:
        rules.garbage = False

    return end


def _redis_lose_write(stage: Stage, _fault: Fault) -> End_:
    leases = _leases(stage)
    leases.lose_write()
    return leases.heal


def _leases(stage: Stage) -> Leases:
    assert stage.machine.leases is not None
    return stage.machine.leases


_HARNESS: Mapping[str, Callable[[Stage, Fault], End_ | None]] = {
    "net.cut": _cut,
    "net.reset": _reset,
    "net.half_open": _half_open,
    "net.slow": _slow,
    "dns.fail": _nameless,
    "host.kill": _kill,
    "host.pause": _pause,
    "host.clock_step": _clock_step,
    "host.signal": _signal,
    "disk.full": _disk_full,
    "disk.slow": _disk_slow,
    "app.block_loop": _pause,
    "app.raise_in": _raise_in,
    "app.freeze_strategy": _wedge,
    "app.crash_on_start": _crash_loop,
    "redis.down": _redis_down,
    "redis.slow": _redis_slow,
    "redis.garbage": _redis_garbage,
    "redis.lose_write": _redis_lose_write,
}
