"""A soak in virtual time: the bot, the exchange and the network of the fault harness for hours."""

import asyncio
import gc
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from mmbot.domain.status import Mode, StatusView
from mmbot.exchange.params import ExchangeParams, MemoryParams
from mmbot.runtime.inbox import Inbox
from tests.faults.bots import BOTS
from tests.simulation import knobs
from tests.simulation.loop import VirtualLoop
from tests.simulation.process import owner
from tests.simulation.runs import stopped, warmed
from tests.simulation.stage import Run, Stage
from tests.simulation.terms import Violation
from tests.soak.bounded import Newest, NewestKeys
from tests.soak.drizzle import drizzle, reconnects
from tests.soak.proc import descriptors, resident_mb, threads
from tests.soak.series import Sample
from tests.soak.weight import Weight, weigh

EVERY_S = 60.0
LOOKS_A_MINUTE = 240
QUIET_S = 30.0
WARM_S = 60.0
# Something is always going wrong, so deadlines leave room for a lost request: its life and proof.
REACTION_S = 7.0
LOOK_S = 0.25
MEMORY = MemoryParams(trades=2_000, orders=2_000, actions=1_000, records=1_000)

Say = Callable[[str], None]


class Soak:
    """One soak; `samples` and `violations` are what came of it."""

    def __init__(self, seed: int, hours: float, say: Say) -> None:
        self.seed = seed
        self.length_s = hours * 3600
        self.samples: list[Sample] = []
        self.violations: list[Violation] = []
        self.grown: Counter[str] = Counter()
        # Why markets were not quoted, by looks.
        self.reasons: Counter[str] = Counter()
        self.codes: tuple[int | None, ...] = ()
        self._say = say
        self._first: Weight | None = None
        self._cpu_s = time.process_time()

    def run(self, bot: str) -> None:
        """Let it happen."""
        factory, terms = BOTS[bot]()
        terms = replace(terms, reaction_s=REACTION_S)
        loop = VirtualLoop(self.seed)
        params = ExchangeParams(auto_fund_usd=100_000, memory=MEMORY)
        with (
            tempfile.TemporaryDirectory() as folder,
            asyncio.Runner(loop_factory=lambda: loop) as runner,
        ):
            stage = Stage(loop, factory, Path(folder), self.seed, terms, params)
            _bound(stage)
            runner.run(self._whole(stage))
        self.violations = stage.judge.violations
        self.codes = tuple(run.code for run in stage.runs)

    async def _whole(self, stage: Stage) -> None:
        await stage.open()
        stage.begin()
        await warmed(stage, WARM_S)
        stage.venue.faults.put(drizzle())
        knobs.play(stage, reconnects(self.length_s))
        minutes = max(1, round(self.length_s / EVERY_S))
        for minute in range(1, minutes + 1):
            quoting, markets = await self._minute(stage)
            run = stage.run
            if run is None:
                stage.judge.report("I20", f"no bot runs in minute {minute}")
                break
            self._note(stage, run, (minute, quoting, markets))
        stage.venue.faults.clear(None)
        await asyncio.sleep(QUIET_S)
        await stage.judge.finish()
        await stopped(stage)
        await stage.close()

    async def _minute(self, stage: Stage) -> tuple[float, float]:
        quoting = markets = 0.0
        for _ in range(LOOKS_A_MINUTE):
            await asyncio.sleep(EVERY_S / LOOKS_A_MINUTE)
            view = stage.belief
            if view is not None and view.mode is Mode.QUOTING:
                quoting += 1
                markets += sum(each.reason is None for each in view.markets) / len(view.markets)
            if view is not None:
                self.reasons.update(view.reasons)
                self.reasons.update(each.reason for each in view.markets if each.reason)
        return quoting / LOOKS_A_MINUTE, markets / LOOKS_A_MINUTE

    def _note(self, stage: Stage, run: Run, told: tuple[int, float, float]) -> None:
        minute, quoting, markets = told
        gc.collect()
        weight = weigh(run.bot)
        view = run.bot.status()
        cpu_s = time.process_time()
        sample = Sample(
            minute=minute,
            rss_mb=resident_mb(),
            own_mb=round(weight.mb, 3),
            objects=weight.objects,
            tasks=len(run.process.tasks),
            sockets=len(run.process.sockets),
            timers=_timers(stage, run),
            fds=descriptors(),
            threads=threads(),
            waiting=_waiting(run),
            ledger_mb=_folder_mb(stage.machine.folder),
            cpu_s=round(cpu_s - self._cpu_s, 3),
            quoting=quoting,
            markets=markets,
            **_figures(view),
        )
        # Weighing is the harness's own work.
        self._cpu_s = time.process_time()
        self.samples.append(sample)
        self._compare(weight, minute)
        self._say(line(sample, len(stage.judge.violations)))

    def _compare(self, weight: Weight, minute: int) -> None:
        if self._first is None or minute <= self.length_s / EVERY_S / 4:
            self._first = weight
        self.grown = Counter(
            {
                kind: count - self._first.kinds[kind]
                for kind, count in weight.kinds.items()
                if count > self._first.kinds[kind]
            }
        )


def line(sample: Sample, violations: int) -> str:
    """Return a sample as a line of progress."""
    own = "" if sample.own_mb is None else f", own {sample.own_mb:.2f} MB"
    return (
        f"minute {sample.minute:g}: RSS {sample.rss_mb:.1f} MB{own}, {sample.tasks} tasks, "
        f"{sample.sockets} sockets, {sample.fds} fds, ledger {sample.ledger_mb:.1f} MB, "
        f"{sample.placed} placed, {sample.fills} fills, {sample.reconnects} reconnects, "
        f"quoting {sample.quoting:.1%} ({sample.markets:.1%} of markets), "
        f"{sample.cpu_s:.1f} s CPU, {violations} violations"
    )


def _figures(view: StatusView | None) -> dict[str, Any]:
    if view is None:
        return {}
    return {
        "ack_p50_ms": view.ack_p50_ms,
        "ack_p99_ms": view.ack_p99_ms,
        "lag_p99_ms": view.loop_lag_p99_ms,
        "placed": view.placed,
        "fills": view.fills,
        "reconnects": view.reconnects,
    }


def _bound(stage: Stage) -> None:
    """Let the judge remember what matters still, so that memory is the bot's."""
    judge = stage.judge
    judge.look_s = LOOK_S
    judge.sendings._known = NewestKeys()
    judge.executions._carriers = Newest()
    judge.executions._effects = Newest()


def _timers(stage: Stage, run: Run) -> int:
    timers = (each[2] for each in stage.loop.timers)
    return sum(not each.cancelled() and owner(each) is run.process for each in timers)


def _waiting(run: Run) -> int:
    """Return how many events wait in the bot's inboxes; between two moments there are none."""
    found = (each for each in gc.get_objects() if type(each) is Inbox)
    return sum(len(each._waiting) for each in found if run.is_on)


def _folder_mb(folder: Path) -> float:
    sizes = (each.stat().st_size for each in folder.rglob("*") if each.is_file())
    return round(sum(sizes) / 1e6, 3)
