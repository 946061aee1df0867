"""What scenarios do besides setting knobs, and what they look for that no other one does."""

import asyncio
from collections.abc import Callable
from functools import partial
from signal import SIGTERM
from typing import Any

from mmbot.adapters.zo.wire import codec
from mmbot.domain.events import Command
from mmbot.domain.status import Mode
from mmbot.engine.stops import UNSOLICITED
from mmbot.exchange.model import Trade
from mmbot.exchange.running.journal import Kind
from mmbot.ledger.opening import open_ledger
from mmbot.runtime.supervision import EXIT_HALTED
from tests.faults.scenario import ALL, Act
from tests.simulation.bot import PARTS
from tests.simulation.knobs import throw_in
from tests.simulation.process import Process
from tests.simulation.requests import Request, Tap, read_request
from tests.simulation.stage import Run, Stage
from tests.simulation.supervising import PET_EVERY_S

END_S = 20.0
# The account's stream has no stamps: that it lags shows when the account is compared, every 5 s.
OLD_S = 6.5
# WatchdogSec and RestartSec of the unit.
WATCHDOG_S = 20.0
RESTART_S = 5.0


async def until(stage: Stage, holds: Callable[[], bool], most_s: float) -> bool:
    """Wait until something holds; whether it came to."""
    deadline = stage.loop.now_s + most_s
    while stage.loop.now_s < deadline:
        if holds():
            return True
        await asyncio.sleep(0.02)
    return holds()


def cancels_before_places(knob: str) -> Act:
    """Look that after a fault no place is executed while an order from before it rests."""

    async def act(stage: Stage) -> None:
        await until(stage, lambda: stage.venue.faults.armed(knob), 10.0)
        old = {order.order_id for order in stage.judge.resting.own()}

        def watch(kind: Kind, body: bytes, receipt: Any) -> None:
            request = read_request(body) if kind is Kind.ACT else None
            if request is None or not request.places:
                return
            if codec.decode_receipt(receipt).WhichOneof("kind") == "err":
                return
            resting = {order.order_id for order in stage.judge.resting.own()}
            if old & resting:
                stage.judge.report("FIRST", "a place before everything old was cancelled")

        stage.venue.operation.watches.append(watch)
        await asyncio.sleep(14.0)
        stage.venue.operation.watches.remove(watch)

    return act


async def first_word_is_no_place(stage: Stage) -> None:
    """Look that the first action after a pause has no place."""
    run = stage.run
    assert run is not None
    frozen = await until(stage, lambda: run.process.frozen_until > stage.loop.now_s, 10.0)
    assert frozen
    first: list[Request] = []

    def told(process: Process, body: bytes | None) -> None:
        request = None if body is None else read_request(body)
        if process is run.process and request is not None and not first:
            first.append(request)
            if request.places:
                stage.judge.report("FIRST", "the first action after a pause is a place")

    stage.loop.network.taps.append(Tap(told))
    await asyncio.sleep(12.0)


async def session_lost(stage: Stage) -> None:
    """The session ends: no place may be sent from a second after the venue has said so.

    Nothing can be cancelled with it either; that is the guard's work (tests of the guard).
    """
    sessions = stage.venue.exchange.state.session_owners
    await until(stage, lambda: stage.cast.session not in sessions, 10.0)
    run = stage.run
    assert run is not None
    stage.troubles.begin(session_lost)
    lost_s: list[float] = []

    def told(process: Process, body: bytes | None) -> None:
        request = None if body is None else read_request(body)
        if process is not run.process or request is None:
            return
        lost_s.append(stage.loop.now_s)
        if request.places and stage.loop.now_s > lost_s[0] + 1.0:
            stage.judge.report("SESSION", "a place after the session was lost")

    stage.loop.network.taps.append(Tap(told))
    await asyncio.sleep(12.0)
    view = stage.belief
    if view is not None and view.mode is Mode.QUOTING:
        stage.judge.report("SESSION", "it believes that it quotes, without a session")


async def operator_resumes(stage: Stage) -> None:
    """The venue took orders off, which is for a person to look at: one looks, and resumes."""
    await until(stage, lambda: _waits_for_operator(stage), 6.0)
    if _waits_for_operator(stage):
        empty = await until(stage, lambda: not stage.judge.resting.own(), 2.0)
        if not empty:
            stage.judge.report("V04", "orders rest while an operator is needed")
        await asyncio.sleep(1.0)
        command(stage, Command.RESUME)


def operator(for_s: float) -> Act:
    """Let a person be there who resumes what waits for one."""

    async def act(stage: Stage) -> None:
        end_s = stage.loop.now_s + for_s
        while stage.loop.now_s < end_s:
            await asyncio.sleep(0.5)
            if _waits_for_operator(stage):
                command(stage, Command.RESUME)

    return act


def _waits_for_operator(stage: Stage) -> bool:
    view = stage.belief
    return view is not None and UNSOLICITED in view.reasons


async def relisted(stage: Stage) -> None:
    """A market whose decimals have changed is stopped for good, the others go on."""
    await asyncio.sleep(66.0)
    for market in (0, 2):
        if not await until(stage, partial(_quotes, stage, market), 5.0):
            stage.judge.report("V12", f"market {market} is stopped, too")
    if any(order.market_id == 1 for order in stage.judge.resting.own()):
        stage.judge.report("V12", "a market is quoted whose decimals have changed")


def _quotes(stage: Stage, market: int) -> bool:
    return any(order.market_id == market for order in stage.judge.resting.own())


async def liquidated(stage: Stage) -> None:
    """The venue closes the position: halted, over restarts, until an operator has cleared it."""
    first = await _position(stage)
    # At once: a moment later the market may have closed the position itself.
    stage.venue.operation.force({"do": "liquidate", "account": stage.terms.account})
    stage.venue.floor.publish()
    # Belief and truth need not agree in the end: it is not to trade any more.
    await ended(stage, first, {EXIT_HALTED})
    second = stage.begin()
    await ended(stage, second, {EXIT_HALTED})
    for path in stage.machine.folder.rglob("*.ledger"):
        ledger = open_ledger(path, inline=True)
        if not ledger.clear_latch("operator", "looked at it", stage.venue.pace.now_ns):
            stage.judge.report("I16", "the halt cannot be cleared")
        ledger.close(1.0)
    stage.judge.sendings.halted = False
    stage.begin()
    # The pause for orders that nobody cancelled is another matter, and to be ended as well.
    await operator(5.0)(stage)
    if not await until(stage, lambda: bool(stage.judge.resting.own()), END_S):
        stage.judge.report("I16", "no quotes after an operator has cleared the halt")


async def _position(stage: Stage) -> Run:
    """Let orders of the first market be filled until there is a position, and known."""
    run = stage.run
    assert run is not None
    await asyncio.sleep(1.0)
    for _ in range(20):
        for order in stage.judge.resting.own():
            if order.market_id == 0 and not stage.judge.resting.held(0):
                stage.venue.floor.fill(order.order_id)
        await asyncio.sleep(0.1)
        if stage.judge.resting.held(0):
            break
    return run


async def flattens(stage: Stage) -> None:
    """Get a position, then order it closed; it must come down to nothing, or be said not to."""
    await _position(stage)
    command(stage, Command.FLATTEN)
    flat = await until(stage, lambda: stage.judge.resting.held(0) == 0, 25.0)
    if not flat:
        stage.judge.report("FLATTEN", "still not flat after 25 s")


async def stops_while_busy(stage: Stage) -> None:
    """Send SIGTERM while something is under way, and once more."""
    await asyncio.sleep(4.0)
    run = stage.run
    assert run is not None
    run.signal(SIGTERM)
    await asyncio.sleep(0.5)
    await ended(stage, run, {0})


async def ended(stage: Stage, run: Run, codes: set[int]) -> None:
    """Wait until a run has ended; it must have one of these codes and leave nothing."""
    if not await until(stage, lambda: not run.is_on, END_S):
        stage.judge.report("I11", f"not ended {END_S:g} s after it had to")
    elif run.code not in codes:
        stage.judge.report("I11", f"exit code {run.code}, not one of {sorted(codes)}")
    elif stage.judge.resting.own():
        stage.judge.report("I11", "orders rest after the end")


async def task_dies(stage: Stage) -> None:
    """Let a part die of an exception: the bot must stop by itself, with nothing left."""
    part = PARTS[stage.seed % len(PARTS)]
    run = stage.run
    assert run is not None
    await asyncio.sleep(1.0 + 0.1 * (stage.seed % 7))
    throw_in(stage, part)
    await ended(stage, run, set(range(1, 131)))


async def wedged(stage: Stage) -> None:
    """Let nothing be decided any more: the supervisor sees it, and starts the bot again."""
    run = stage.run
    assert run is not None
    machine = stage.machine
    await asyncio.sleep(2 * PET_EVERY_S)
    if stage.loop.now_s - machine.petted_s > PET_EVERY_S + 1:
        stage.judge.report("X06", "a bot that is well does not say so")
    run.bot.wedge()
    wedged_s = stage.loop.now_s
    seen = await until(stage, lambda: stage.loop.now_s - machine.petted_s > WATCHDOG_S, 60.0)
    if not seen:
        stage.judge.report("X06", "a wedged bot says that it is well")
    if stage.loop.now_s - wedged_s > WATCHDOG_S + 2.0:
        stage.judge.report("X06", "a wedged bot went on saying that it is well")
    run.kill()
    await asyncio.sleep(RESTART_S)
    stage.begin()
    for market in ALL:
        if not await until(stage, partial(_quotes, stage, market), 30.0):
            stage.judge.report("X06", f"market {market} is not quoted after the restart")


async def late_fills(stage: Stage) -> None:
    """Look that no market is quoted on a position that trades have changed long ago.

    By the exchange's stamp of the first trade that the bot does not know of.
    """
    known = dict.fromkeys(ALL, 0)
    end_s = stage.loop.now_s + 14.0
    while stage.loop.now_s < end_s:
        await asyncio.sleep(0.05)
        view = stage.belief
        for market in ALL if view is not None else ():
            assert view is not None
            trades = [
                each for each in stage.venue.exchange.state.trades if _ours(stage, each, market)
            ]
            if view.markets[market].position_lots == stage.judge.resting.held(market):
                known[market] = len(trades)
            elif len(trades) > known[market] and _quotes(stage, market):
                age_s = (stage.venue.pace.now_ns - trades[known[market]].time_ns) / 1e9
                if age_s > OLD_S:
                    stage.judge.report("N13", f"market {market}: quoted {age_s:.2f} s after a fill")


def _ours(stage: Stage, trade: Trade, market: int) -> bool:
    account = stage.terms.account
    return trade.market_id == market and account in (trade.maker_id, trade.taker_id)


async def second_instance(stage: Stage) -> None:
    """Start a second one beside the first: it must end by itself, the first go on."""
    first = stage.run
    assert first is not None
    await asyncio.sleep(1.0)
    second = stage.begin()
    # What is asked of the bot is asked of the first.
    stage.runs.remove(second)
    stage.runs.insert(0, second)
    stage.judge.deadlines.bot = first.process
    if not await until(stage, lambda: not second.is_on, 3.0):
        stage.judge.report("X09", "two instances run on one account")
    elif second.code != 7:
        stage.judge.report("X09", f"the second one ended with {second.code}, not 7")


async def halt_ordered(stage: Stage) -> None:
    """Order a halt in the middle of everything else."""
    await asyncio.sleep(2.0)
    command(stage, Command.HALT)
    empty = await until(stage, lambda: not stage.judge.resting.own(), 8.0)
    if not empty:
        stage.judge.report("HALT", "orders rest 8 s after the halt")


async def foreign_order_stays(stage: Stage) -> None:
    """The order of somebody else must still rest in the end."""
    account = stage.venue.exchange.state.accounts[stage.terms.account]

    def foreign() -> list[int]:
        orders = account.orders.values()
        return [order.order_id for order in orders if order.client_order_id is None]

    await until(stage, lambda: bool(foreign()), 10.0)
    await asyncio.sleep(8.0)
    if not foreign():
        stage.judge.report("O01", "somebody else's order was cancelled")


async def many_commands(stage: Stage) -> None:
    """Pause, resume, stop, stop again, resume: it must end once, and well."""
    run = stage.run
    assert run is not None
    for each in (Command.PAUSE, Command.RESUME, Command.PAUSE, Command.RESUME):
        command(stage, each)
        await asyncio.sleep(0.4)
    for each in (Command.STOP, Command.STOP, Command.RESUME, Command.STOP):
        command(stage, each)
        await asyncio.sleep(0.05)
    await ended(stage, run, {0})


def command(stage: Stage, what: Command) -> None:
    """Give an order to whatever runs."""
    if stage.run is not None:
        stage.run.command(what)
