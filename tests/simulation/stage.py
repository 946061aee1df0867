"""The stage of a simulation: exchange, network, judge, and the bot that comes and goes."""

import asyncio
import gc
from contextvars import Context
from pathlib import Path
from random import Random
from typing import Any

from nacl.signing import SigningKey

from mmbot.adapters.zo.wire import actions, codec
from mmbot.adapters.zo.wire.actions import CreateSession, Envelope
from mmbot.adapters.zo.wire.signing import Keypair, Scheme, signed_bytes
from mmbot.domain.events import Command
from mmbot.exchange.params import ExchangeParams
from tests.simulation.bot import Bot, Factory, Setting
from tests.simulation.exchange import Venue
from tests.simulation.judge import Judge
from tests.simulation.loop import Task, VirtualLoop, freeze, kill, start
from tests.simulation.machine import Machine
from tests.simulation.process import PROCESS, Process, owner
from tests.simulation.schedule import Fault
from tests.simulation.terms import Belief, Decision, Terms

SESSION_S = 20 * 86_400
# The bot's host believes in another time than the engine, on purpose.
HOST_AHEAD_NS = 90 * 10**9
NEVER = 1e18
PARAMS = ExchangeParams(auto_fund_usd=100_000)


class Cast:
    """Who the bot is at the venue: made by the exchange itself before anything starts."""

    def __init__(self, venue: Venue) -> None:
        wallet, key = SigningKey(bytes([11] * 32)), SigningKey(bytes([12] * 32))
        self.wallet = bytes(wallet.verify_key)
        self.keypair = Keypair(bytes(key) + bytes(key.verify_key))
        now_s = venue.exchange.state.now_s
        self.expiry_s = now_s + SESSION_S
        action = CreateSession(self.wallet, self.keypair.public, self.expiry_s)
        raw = actions.encode(action, Envelope(now_s, 1))
        body = raw + wallet.sign(signed_bytes(Scheme.HEX, raw, self.wallet)).signature
        receipt = codec.decode_receipt(venue.operation.act(body))
        self.session = receipt.create_session_result.session_id
        self.account = venue.exchange.state.users[self.wallet].account_ids[0]


class Troubles:
    """What keeps the bot from seeing or from being understood, and since when nothing does.

    `slowed` has what slows the network now, the newest last.
    """

    def __init__(self) -> None:
        self.slowed: list[Fault] = []
        self._under_way: dict[int, None] = {}
        self._calm_from = 0.0

    @property
    def calm_from(self) -> float:
        """When the last trouble was over, with what it leaves behind; NEVER while one lasts."""
        return NEVER if self._under_way else self._calm_from

    def begin(self, what: object) -> None:
        """It is hindered from now on."""
        self._under_way[id(what)] = None

    def end(self, what: object, now_s: float, after_s: float) -> None:
        """By this it is hindered no more, and has had time to recover `after_s` later."""
        self._under_way.pop(id(what), None)
        self._calm_from = max(self._calm_from, now_s + after_s)


class Stage:
    """One simulation. `bot` is the run that is on now, `codes` what ended ones returned."""

    def __init__(
        self,
        loop: VirtualLoop,
        factory: Factory,
        folder: Path,
        seed: int,
        terms: Terms,
        params: ExchangeParams = PARAMS,
    ) -> None:
        self.loop = loop
        self.seed = seed
        self.venue = Venue(loop, params, seed)
        self.cast = Cast(self.venue)
        assert self.cast.account == terms.account
        self.terms = terms
        self.exchange = Process("exchange")
        self.judge = Judge(loop, self.venue, terms, self)
        self.machine = Machine(folder)
        self.runs: list[Run] = []
        self.troubles = Troubles()
        # What went wrong in callbacks and unawaited tasks; the harness's own are its bugs.
        self.own_errors: list[BaseException] = []
        loop.set_exception_handler(self._unhandled)
        self._factory = factory

    @property
    def run(self) -> "Run | None":
        """The bot that runs now; of a pair the one that trades, the newer if both do."""
        on = [each for each in self.runs if each.is_on]
        if len(on) < 2:
            return on[0] if on else None
        return next((each for each in reversed(on) if each.bot.belief() is not None), on[-1])

    @property
    def belief(self) -> Belief | None:
        """See Surroundings."""
        run = self.run
        return None if run is None else run.bot.belief()

    def told_by(self, process: Process) -> Belief | None:
        """See Surroundings."""
        return next((each.bot.belief() for each in self.runs if each.process is process), None)

    def decided_by(self, process: Process, client_id: int | None) -> Decision | None:
        """See Surroundings."""
        run = next((each for each in self.runs if each.process is process), None)
        return None if run is None or client_id is None else run.bot.decided(client_id)

    @property
    def started_s(self) -> float:
        """See Surroundings."""
        run = self.run
        return NEVER if run is None else run.started_s

    @property
    def calm_since(self) -> float:
        """See Surroundings."""
        run = self.run
        if run is None:
            return NEVER
        return max(self.troubles.calm_from, run.started_s, run.process.frozen_until)

    async def open(self) -> None:
        """Open the exchange."""
        self.serving = start(self.loop, self.exchange, self.venue.serve())
        await self.venue.is_open.wait()
        self.judge.begin()

    async def close(self) -> None:
        """Close it; whatever broke it is raised here."""
        self.serving.cancel()
        await asyncio.gather(self.serving, return_exceptions=True)
        if not self.serving.cancelled() and (error := self.serving.exception()) is not None:
            raise error
        if self.own_errors:
            raise self.own_errors[0]
        for violation in self.venue.exchange.violations():
            self.judge.report("EXCHANGE", violation)

    def begin(self, factory: Factory | None = None, machine: Machine | None = None) -> "Run":
        """Start a bot, on its usual machine or another one."""
        number = len(self.runs) + 1
        place = machine or self.machine
        run = Run(self, number, (factory or self._factory)(self._setting(number, place)), place)
        self.runs.append(run)
        self.judge.started()
        self.judge.deadlines.bot = run.process
        return run

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        process = PROCESS.get()
        source = context.get("handle") or context.get("task") or context.get("future")
        if isinstance(source, asyncio.Handle):
            process = owner(source)
        elif isinstance(source, Task):
            process = source.process
        if process is None:
            self.own_errors.append(error or RuntimeError(context["message"]))
        elif process.alive:
            self.judge.report("CRASH", f"{process.name}: {context['message']}: {error!r}")

    def _setting(self, number: int, machine: Machine) -> Setting:
        cast, pace = self.cast, self.venue.pace

        def clock() -> int:
            return pace.now_ns + HOST_AHEAD_NS

        def wall() -> int:
            return pace.now_ns + HOST_AHEAD_NS + machine.wall_step_ns

        return Setting(
            url=self.venue.url,
            reference_url=self.venue.reference_url,
            number=number,
            rng=Random(f"{self.seed}:bot:{number}"),
            clock=clock,
            wall=wall,
            wallet=cast.wallet,
            account=cast.account,
            session=cast.session,
            session_expiry_s=cast.expiry_s,
            keypair=cast.keypair,
            instance=self.terms.instance,
            symbols=tuple(market.symbol for market in self.venue.exchange.params.markets),
            lifetime_s=self.terms.lifetime_s,
            machine=machine,
        )


class Run:
    """One run of a bot, from its start to its end or death."""

    def __init__(self, stage: Stage, number: int, bot: Bot, machine: Machine) -> None:
        self.bot = bot
        self.machine = machine
        self.process = Process(f"bot {number}", machine.folder.name)
        self.started_s = stage.loop.now_s
        self.code: int | None = None
        self._stage = stage
        self.task = start(stage.loop, self.process, bot.run())
        self.task.add_done_callback(self._ended, context=Context())

    @property
    def is_on(self) -> bool:
        """It has neither ended nor died."""
        return self.process.alive and not self.task.done()

    def kill(self, *, silently: bool = False) -> None:
        """End it as SIGKILL does."""
        kill(self._stage.loop, self.process, silently=silently)

    def pause(self, for_s: float) -> None:
        """Stop it for a while, as SIGSTOP or a machine that moves does."""
        freeze(self._stage.loop, self.process, for_s)

    def signal(self, number: int) -> None:
        """Send a signal; without a place for it in the bot it is STOP."""
        waits = self.process.signals.get(number)
        if waits is None:
            self.command(Command.STOP)
        else:
            waits()

    def command(self, command: Command) -> None:
        """Give an operator's order inside the bot's process."""
        self.process.context.copy().run(self.bot.command, command)

    def _ended(self, task: "asyncio.Task[int]") -> None:
        if task.cancelled() or not self.process.alive:
            return
        if (error := task.exception()) is not None:
            self._stage.judge.report("CRASH", repr(error))
            return
        self.code = task.result()
        # What a program has open ends with it.
        gc.collect()
        self._stage.judge.exited(self.code)
