"""Commands to a live bot on virtual time: who may, what happens, what is proven and kept."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mmbot.assemble.live.settings_in_use import FIXED, FixedSettings
from mmbot.config.schema import Config
from mmbot.domain.control import NEEDS, Answer, OperatorCommand, Result, Role, Verb, Who
from mmbot.domain.events import Command, Fill
from mmbot.domain.notices import Notice, Severity
from mmbot.domain.status import Mode
from mmbot.errors import Unavailable
from mmbot.runtime.audit import Audited
from mmbot.runtime.commands import Doing
from mmbot.runtime.control import BotControl, ControlParts
from mmbot.runtime.operating import CANCEL_TIMEOUT_S, Operating
from mmbot.runtime.status import Named
from mmbot.runtime.supervision import EXIT_HALTED, EXIT_INCOMPLETE, ExitReport
from mmbot.runtime.watching import Watched, Watching
from tests.unit.runtime.stage import Stage, played

ADMIN = Who("cli", "me", Role.ADMIN)
DAY_NS = 86_400 * 10**9


class Desk:
    """A control over a stage; `hidden` orders are what the venue shows besides those that rest."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.kept: list[Audited] = []
        self.levels: list[str] = []
        self.cleared: list[str] = []
        self.stuck: str | None = None
        self.hidden = 0
        self.unreachable = False
        settings = FixedSettings(Config())
        named = Named("bot", "live", 1, 0, 1.0)
        self.watching = Watching(
            Watched(
                live=stage.live, named=named, settings=settings, session_ends_ns=None, version="1"
            )
        )
        stage.diary.watching = self.watching
        self.control = BotControl(
            ControlParts(
                doing=Doing(
                    live=stage.live,
                    operating=Operating(stage.live, self._resting, self.watching.sent),
                    settings=settings,
                    alerts=self.watching.alerts,
                    log_level=self._level,
                    clear_halt=self._clear,
                ),
                watching=self.watching,
                audit=lambda row, _: self.kept.append(row),
                tell=stage.diary.notices,
            )
        )

    async def do(self, verb: Verb, who: Who = ADMIN, **more: str) -> Answer:
        command = OperatorCommand(verb, who, self.stage.clock(), **more)  # type: ignore[arg-type]
        return await self.control.submit(command)

    async def _resting(self, _market: int | None) -> int:
        if self.unreachable:
            raise Unavailable("no route")
        return len(self.stage.venue.resting) + self.hidden

    async def _clear(self, who: str, reason: str) -> str | None:
        self.cleared.append(f"{who}: {reason}")
        return self.stuck

    def _level(self, level: str) -> str | None:
        self.levels.append(level)
        return None if level == "debug" else f"{level} is no level"


def commanded(
    script: Callable[[Desk], Awaitable[None]], *, stay_halted: bool = False
) -> tuple[Stage, ExitReport]:
    async def whole(stage: Stage) -> None:
        desk = Desk(stage)
        await stage.quoting()
        await script(desk)

    return played(whole, stay_halted=stay_halted)


def test_cancel_all_takes_everything_off_and_it_stays_off() -> None:
    async def script(desk: Desk) -> None:
        answer = await desk.do(Verb.CANCEL_ALL, reason="news")
        assert answer.result is Result.OK
        assert answer.facts["left"] == 0
        assert answer.facts["cancelled"] == 2
        assert answer.facts["batches"] in (1, 2)
        assert not desk.stage.venue.resting
        await asyncio.sleep(5)
        assert not desk.stage.venue.resting
        view = desk.control.status()
        assert view.mode is Mode.PAUSED
        assert view.reasons == ("paused: news (cli:me, 00:00Z)",)
        answer = await desk.do(Verb.RESUME)
        assert answer.message == "all markets resumed"
        await desk.stage.quoting()

    commanded(script)


def test_what_the_venue_still_shows_is_not_called_gone() -> None:
    async def script(desk: Desk) -> None:
        desk.hidden = 3
        began_s = desk.stage.loop.now_s
        answer = await desk.do(Verb.CANCEL_ALL)
        assert desk.stage.loop.now_s - began_s >= CANCEL_TIMEOUT_S
        assert (answer.result, answer.exit_code) == (Result.UNKNOWN, EXIT_INCOMPLETE)
        assert "the venue shows 3 orders" in answer.message
        assert desk.control.status().mode is Mode.PAUSED

    commanded(script)


def test_a_venue_that_cannot_be_asked_proves_nothing_until_it_can() -> None:
    async def script(desk: Desk) -> None:
        desk.unreachable = True
        asking = asyncio.create_task(desk.do(Verb.CANCEL_ALL))
        await asyncio.sleep(3)
        assert not desk.stage.venue.resting
        assert not asking.done()
        desk.unreachable = False
        assert (await asking).result is Result.OK

    commanded(script)


@pytest.mark.parametrize(
    ("bps", "face", "why"),
    [
        ("0", "cli", "slippage is above 0"),
        ("-5", "cli", "slippage is above 0"),
        ("nan", "cli", "slippage is above 0"),
        ("1000.1", "cli", "at most 1000 bps"),
        ("much", "cli", "slippage is above 0"),
        ("5", "telegram", "on the machine only"),
    ],
)
def test_a_slippage_that_makes_no_sense_or_comes_from_afar(bps: str, face: str, why: str) -> None:
    async def script(desk: Desk) -> None:
        answer = await desk.do(Verb.FLATTEN, Who(face, "me", Role.ADMIN), value=bps)
        assert answer.result is Result.REFUSED
        assert why in answer.message
        assert desk.control.status().mode is Mode.QUOTING

    commanded(script)


def test_flatten_gives_the_position_back() -> None:
    async def script(desk: Desk) -> None:
        held = next(iter(desk.stage.venue.resting))
        desk.stage.venue.fill(held)
        # The pretend venue rests the order that closes; somebody takes it.
        closing = asyncio.create_task(desk.do(Verb.FLATTEN))
        while desk.stage.live.works.engine.positions[0].lots:
            await asyncio.sleep(0.05)
            for order_id in list(desk.stage.venue.resting):
                desk.stage.venue.fill(order_id)
        answer = await closing
        assert answer.result is Result.OK
        assert "flat after" in answer.message
        assert desk.control.status().mode is Mode.PAUSED

    commanded(script)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("verb", Verb)
def test_nobody_does_what_their_role_does_not_allow(verb: Verb, role: Role) -> None:
    async def script(desk: Desk) -> None:
        who = Who("telegram", "op", role)
        resting = dict(desk.stage.venue.resting)
        answer = await desk.do(verb, who, reason="r", key="spread.min_bps", value="debug")
        forbidden = "needs the role" in answer.message
        assert forbidden is (role < NEEDS[verb])
        if forbidden:
            assert answer.result is Result.REFUSED
            assert (answer.before, answer.after) == ("quoting", "quoting")
            await asyncio.sleep(0.05)
            assert desk.stage.venue.resting.keys() & resting.keys()
        (row,) = desk.kept
        assert (row.verb, row.user, row.role) == (verb, "op", role.name.lower())
        assert (row.result, row.message) == (answer.result, answer.message)

    commanded(script)


def test_what_makes_no_sense_is_refused() -> None:
    async def script(desk: Desk) -> None:
        senseless: tuple[tuple[Verb, dict[str, str], str], ...] = (
            (Verb.PAUSE, {"market": "DOGE"}, "not traded here, only M0"),
            (Verb.RESET_PNL, {}, "needs a reason"),
            (Verb.UNSET, {}, "needs a key"),
            (Verb.RESET_HALT, {"reason": "x"}, "not halted"),
            (Verb.ACK, {"key": "ffff"}, "is open and not acknowledged"),
            (Verb.LOG_LEVEL, {"value": "loud"}, "loud is no level"),
            (Verb.SET, {"key": "spread.min_bps", "value": "4"}, "not from files"),
        )
        for verb, more, words in senseless:
            answer = await desk.do(verb, ADMIN, **more)
            assert answer.result is Result.REFUSED
            assert words in answer.message
        assert desk.control.status().mode is Mode.QUOTING
        assert (await desk.do(Verb.LOG_LEVEL, value="DEBUG")).result is Result.OK
        assert desk.levels == ["loud", "debug"]

    commanded(script)


def test_a_run_that_ends_takes_no_orders() -> None:
    async def script(desk: Desk) -> None:
        desk.stage.venue.last_s = 5.0
        assert (await desk.do(Verb.STOP, reason="enough")).result is Result.OK
        await asyncio.sleep(0.1)
        answer = await desk.do(Verb.RESUME)
        assert (answer.result, "the run ends" in answer.message) == (Result.REFUSED, True)

    _, report = commanded(script)
    assert report.reason.startswith("enough (cli:me")


def test_resume_says_what_still_stops_it() -> None:
    async def script(desk: Desk) -> None:
        await desk.do(Verb.PAUSE)
        await desk.do(Verb.PAUSE, market="M0", reason="thin")
        answer = await desk.do(Verb.RESUME, market="M0")
        assert "still stopped: paused: by cli:me, " in answer.message

    commanded(script)


def test_resetting_losses_counts_from_the_next_figure_on() -> None:
    async def script(desk: Desk) -> None:
        desk.stage.venue.equity_usd = 990
        await asyncio.sleep(1)
        assert desk.control.status().day_pnl_uusd == -10_000_000
        assert (await desk.do(Verb.RESET_PNL, reason="moved on")).result is Result.OK
        await asyncio.sleep(1)
        view = desk.control.status()
        assert (view.day_pnl_uusd, view.drawdown_uusd) == (0, 0)

    commanded(script)


def test_a_refusal_alarms_only_when_nobody_has_heard_it() -> None:
    async def script(desk: Desk) -> None:
        answer = await desk.do(Verb.SET, key="spread.min_bps", value="8")
        assert answer.result is Result.REFUSED
        assert desk.control.status().alerts == ()
        await desk.do(Verb.RELOAD, who=Who("signal", "hup", Role.ADMIN))
        (alert,) = desk.control.status().alerts
        assert alert.code == "reload_refused"

    commanded(script)


def test_alerts_open_are_shown_and_acknowledged() -> None:
    async def script(desk: Desk) -> None:
        now_ns = desk.stage.clock()
        desk.stage.diary.notices([Notice(now_ns, Severity.CRITICAL, "zombie_order", 0, "it rests")])
        (alert,) = desk.control.status().alerts
        assert (alert.code, alert.market, alert.acked_by) == ("zombie_order", "M0", None)
        answer = await desk.do(Verb.ACK, key=alert.id)
        assert answer.message == "1 alert acknowledged"
        assert desk.control.status().alerts[0].acked_by == "cli:me"

    commanded(script)


def test_subscribers_hear_fills_once_and_lose_the_oldest() -> None:
    async def script(desk: Desk) -> None:
        quick, slow = desk.control.subscribe(), desk.control.subscribe(2)
        order_id = next(iter(desk.stage.venue.resting))
        desk.stage.venue.fill(order_id)
        told = await quick.next()
        while not isinstance(told, Fill):
            told = await quick.next()
        assert told.order_id == order_id
        # The venue tells of the same fill again, as it does when it was not sure of the order.
        desk.watching.event(told)
        notices = [Notice(1, Severity.INFO, f"n{number}", None, "") for number in range(5)]
        desk.stage.diary.notices(notices)
        heard = [await quick.next() for _ in range(5)]
        assert [each.code for each in heard if isinstance(each, Notice)][-5:] == [
            f"n{number}" for number in range(5)
        ]
        assert [(await slow.next()), (await slow.next())] == notices[-2:]
        assert slow.dropped >= 4
        quick.close()
        desk.stage.diary.notices(notices)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(quick.next(), 1)
        fills = desk.control.status().day_fills
        assert fills.bids + fills.asks == 1

    commanded(script)


def test_the_day_of_a_market_begins_at_midnight() -> None:
    async def script(desk: Desk) -> None:
        order_id = next(iter(desk.stage.venue.resting))
        desk.stage.venue.fill(order_id)
        await asyncio.sleep(1)
        (market,) = desk.control.status().markets
        assert market.day_pnl_uusd == market.pnl_uusd != 0
        desk.stage.skip_ns = DAY_NS
        await asyncio.sleep(2)
        view = desk.control.status()
        assert view.markets[0].day_pnl_uusd == 0
        assert view.markets[0].pnl_uusd == market.pnl_uusd
        assert view.day_fills.bids + view.day_fills.asks == 0

    commanded(script)


async def halted(desk: Desk) -> None:
    """Have the bot halt, and wait until nothing of it rests any more."""
    desk.stage.live.command(Command.HALT, None, "night")
    async with asyncio.timeout(60):
        while not desk.stage.live.ending.stays:  # noqa: ASYNC110 - time is virtual
            await asyncio.sleep(0.1)
    assert not desk.stage.venue.resting
    assert desk.stage.diary.latched == "operator: night"


def test_a_halted_bot_stays_answers_and_sends_nothing() -> None:
    async def script(desk: Desk) -> None:
        await halted(desk)
        before = len(desk.stage.diary.batches)
        await asyncio.sleep(600)
        view = desk.control.status()
        assert (view.mode, view.reasons[0]) == (Mode.HALTED, "operator: night")
        assert view.ts_ns - desk.stage.heart.beats[-1][0] < 10**9
        assert len(view.reasons) == 1
        for verb in (Verb.RESUME, Verb.FLATTEN, Verb.CANCEL_ALL):
            answer = await desk.do(verb)
            assert (answer.result, answer.exit_code) == (Result.REFUSED, 6)
        # Settings may be changed: of this run they come from nowhere.
        for verb in (Verb.SET, Verb.UNSET, Verb.RELOAD):
            answer = await desk.do(verb, key="defaults.spread.min_bps", value="9")
            assert answer.message == FIXED
        assert len(desk.stage.diary.batches) == before

    stage, report = commanded(script, stay_halted=True)
    # The end of the script is a stop: still halted.
    assert (report.code, report.cleared) == (EXIT_HALTED, False)
    assert stage.diary.ended == report


def test_a_halt_is_cleared_for_a_reason_once_it_is_off_the_disk() -> None:
    async def script(desk: Desk) -> None:
        await halted(desk)
        desk.stuck = "the disk is full"
        answer = await desk.do(Verb.RESET_HALT, reason="looked")
        assert (answer.result, desk.stage.live.ending.stays) == (Result.REFUSED, True)
        assert "the disk is full" in answer.message
        assert (await desk.do(Verb.RESET_HALT)).exit_code == 2
        operator = Who("telegram", "op", Role.OPERATOR)
        assert (await desk.do(Verb.RESET_HALT, operator, reason="x")).result is Result.REFUSED
        desk.stuck = None
        assert (await desk.do(Verb.RESET_HALT, reason="looked")).result is Result.OK
        assert desk.cleared == ["cli:me: looked"] * 2

    _, report = commanded(script, stay_halted=True)
    assert (report.code, report.cleared) == (EXIT_HALTED, True)


def test_without_staying_a_halt_ends_the_run() -> None:
    async def script(desk: Desk) -> None:
        desk.stage.live.command(Command.HALT, None, "night")
        await asyncio.sleep(60)
        assert desk.control.status().mode is Mode.EXIT

    _, report = commanded(script)
    assert (report.code, report.cleared) == (EXIT_HALTED, False)
