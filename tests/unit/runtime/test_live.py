"""The live loop on virtual time: it quotes, it stops for every cause, and it leaves nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mmbot.domain.events import BookGap, BookUpdate, Command, Hindrance, Restatement
from mmbot.domain.order import Side
from mmbot.domain.quotes import Quotes
from mmbot.domain.status import Mode
from mmbot.errors import InvariantViolation
from mmbot.ports import Leftovers
from mmbot.quoting.state import QuotingState
from mmbot.runtime.status import Named
from mmbot.runtime.supervision import EXIT_HALTED, EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_OK
from tests.simulation.loop import VirtualLoop
from tests.unit.runtime.stage import Stage, played

NAMED = Named("bot", "live", 1, 0, 1.0)
SECOND_NS = 10**9


def hindrances(stage: Stage, name: str) -> list[str | None]:
    found = [each for each in stage.diary.events if isinstance(each, Hindrance)]
    return [each.reason for each in found if each.name == name]


def test_it_quotes_when_it_is_warm_and_leaves_nothing() -> None:
    async def script(stage: Stage) -> None:
        await asyncio.sleep(0.9)
        assert not stage.venue.resting
        await stage.quoting()
        assert stage.live.status(NAMED).mode is Mode.QUOTING

    stage, report = played(script)
    assert stage.loop.now_s < 2
    assert (report.code, report.leftovers) == (EXIT_OK, Leftovers(True))
    assert not stage.venue.resting
    assert stage.diary.ended == report
    assert stage.heart.goodbye == Leftovers(True)
    assert hindrances(stage, "warming") == ["warming up", None]


def test_news_after_a_quiet_interval_is_decided_on_at_once() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        stage.books = False
        seen = stage.bench.wishes[0].seen
        await asyncio.sleep(0.5)
        decided = len(seen)
        while len(seen) == decided:  # noqa: ASYNC110 - the bot decides when it does
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.15)
        now_ns = stage.clock()
        stage.venue.emit(BookUpdate(now_ns, now_ns, 0))
        assert seen[-1][0] == now_ns

    played(script)


def test_what_cannot_be_proved_is_told_by_the_exit_code() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        stage.venue.stuck = True

    _, report = played(script)
    assert report.code == EXIT_INCOMPLETE
    assert not report.leftovers.proven


def test_a_second_interruption_cuts_nothing_short() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        stage.venue.last_s = 20.0
        stage.live.stop("Ctrl-C")
        await asyncio.sleep(0.1)
        stage.live.interrupt()

    stage, report = played(script)
    assert report.code == EXIT_INTERRUPTED
    assert report.reason == "Ctrl-C"
    assert not stage.venue.resting


def test_nothing_is_placed_while_a_stop_is_under_way() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        stage.venue.last_s = 5.0
        stage.live.stop("stop")
        await asyncio.sleep(0.1)
        stage.venue.refusing = False
        await asyncio.sleep(3)
        assert stage.live.status(NAMED).mode is Mode.DRAINING
        assert not stage.venue.resting

    played(script)


def test_a_halt_takes_off_latches_and_exits() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        stage.venue.equity_usd = 400
        await stage.ending()

    stage, report = played(script)
    assert report.code == EXIT_HALTED
    assert stage.diary.latched is not None
    assert "daily loss" in stage.diary.latched
    assert not stage.venue.resting


def test_a_disk_that_hangs_keeps_no_order_alive() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        stage.diary.latch_s = 4.0
        stage.live.command(Command.HALT, None, "test")
        await asyncio.sleep(0.1)
        assert not stage.venue.resting

    _, report = played(script)
    assert report.code == EXIT_HALTED


def test_a_halt_of_an_earlier_run_lets_nothing_be_placed() -> None:
    loop = VirtualLoop(1)

    async def whole() -> None:
        stage = Stage(loop)
        stage.bench.breaker.halt("halted before")
        report = await stage.live.run()
        assert (report.code, report.reason) == (EXIT_HALTED, "halted before")
        assert not stage.diary.batches

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(whole())


async def _break_venue(stage: Stage) -> None:
    stage.venue.break_with = RuntimeError("torn")


async def _break_engine(stage: Stage) -> None:
    def decide(_state: QuotingState) -> Quotes:
        raise RuntimeError("torn")

    stage.bench.wishes[0].decide = decide  # type: ignore[assignment]


async def _break_callback(stage: Stage) -> None:
    def fails() -> None:
        raise RuntimeError("torn")

    stage.loop.call_soon(fails)


@pytest.mark.parametrize("break_it", [_break_venue, _break_engine, _break_callback])
@pytest.mark.filterwarnings("default")
def test_whatever_breaks_inside_orders_are_off_first(
    break_it: Callable[[Stage], Awaitable[None]],
) -> None:
    seen: list[Stage] = []

    async def script(stage: Stage) -> None:
        seen.append(stage)
        await stage.quoting()
        await break_it(stage)
        broken_s = stage.loop.now_s
        await stage.ending()
        assert stage.loop.now_s - broken_s <= 1.0

    with pytest.raises(RuntimeError, match="torn"):
        played(script)
    assert not seen[0].venue.resting
    assert seen[0].diary.ended is not None


def test_a_task_that_ends_by_itself_is_a_failure() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        for task in asyncio.all_tasks():
            if task.get_name() == "checks":
                task.cancel()
        await asyncio.sleep(1)
        assert stage.live.ending.begun

    with pytest.raises(InvariantViolation):
        played(script)


def test_after_a_standstill_quotes_go_off_before_anything_is_placed() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()

        def doubted(now_ns: int) -> None:
            stage.venue.emit(BookGap(now_ns, now_ns, 0, "doubted"))

        stage.feed.on_doubt = doubted
        stage.books = False
        sent = len(stage.diary.batches)
        stage.skip_ns = 5 * SECOND_NS
        now_ns = stage.clock()
        stage.venue.emit(BookUpdate(now_ns, now_ns, 0))
        assert [len(batch.actions) for batch in stage.diary.batches[sent:]] == [2]
        assert not stage.venue.resting
        assert len(stage.feed.doubts) == 1
        await asyncio.sleep(1)
        stage.books = True
        await stage.quoting()

    stage, _ = played(script)
    assert hindrances(stage, "loop_lag") == ["nothing was done for 5.0 s", None]


def test_a_sick_disk_pauses_and_its_recovery_resumes() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        stage.diary.sick = "full"
        await asyncio.sleep(0.2)
        assert not stage.venue.resting
        assert stage.live.status(NAMED).mode is Mode.PAUSED
        stage.diary.sick = None
        await stage.quoting()

    played(script)


def test_a_book_that_lacks_a_side_is_not_worth_nothing() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        stage.venue.fill(stage.venue.side(Side.BID)[0].order_id)
        await asyncio.sleep(1)
        before = stage.live.status(NAMED).markets[0]
        assert before.exposure_uusd > 0
        stage.bench.books[0].snapshot([(990, 100)], [])
        await asyncio.sleep(1)
        after = stage.live.status(NAMED).markets[0]
        assert (after.best_bid, after.best_ask) == (990, 0)
        # At the last price there was.
        assert after.mark_half_ticks == before.mark_half_ticks
        assert (after.exposure_uusd, after.pnl_uusd) == (before.exposure_uusd, before.pnl_uusd)

    played(script)


def test_a_position_without_any_price_has_no_known_exposure() -> None:
    async def script(stage: Stage) -> None:
        stage.bench.books[0].snapshot([], [])
        await asyncio.sleep(2)
        status = stage.live.status(NAMED).markets[0]
        assert (status.position_lots, status.mark_half_ticks) == (7, 0)
        assert status.exposure_ratio is None

    played(script, lots=(7,))


def test_positions_from_before_are_taken_over_without_their_profit() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        status = stage.live.status(NAMED).markets[0]
        assert (status.position_lots, status.pnl_uusd) == (7, 0)
        stage.venue.fill(stage.venue.side(Side.BID)[0].order_id)
        await asyncio.sleep(1)
        assert stage.live.status(NAMED).markets[0].position_lots == 17

    stage, _ = played(script, lots=(7,))
    told = [each for each in stage.diary.events if isinstance(each, Restatement)]
    assert sum(each.lots for each in told) == 7


def test_positions_are_given_back_when_that_is_asked_for() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()

    stage, report = played(script, close_on_exit=True, lots=(7,))
    # Nothing fills here, so the position cannot be given back, and the exit code says so.
    assert (report.code, report.held) == (EXIT_INCOMPLETE, ("M0",))
    assert not stage.venue.resting


def test_a_fill_that_is_heard_of_while_stopping_is_not_passed_over() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        # Met at the venue, and the news of it is still on its way when the run is told to end.
        stage.venue.fill(stage.venue.side(Side.BID)[0].order_id, late_s=0.3)

    _, report = played(script, close_on_exit=True)
    assert (report.code, report.held) == (EXIT_INCOMPLETE, ("M0",))


def test_the_heart_beats_as_long_as_the_loop_turns() -> None:
    async def script(_stage: Stage) -> None:
        await asyncio.sleep(3)

    stage, _ = played(script)
    times = [at_ns for at_ns, alive in stage.heart.beats if alive]
    assert len(times) >= 55


def test_quotes_on_a_dead_book_are_no_sign_of_life() -> None:
    async def script(stage: Stage) -> None:
        await stage.quoting()
        assert not stage.heart.lacking
        stage.book_age_ms = 61_000.0
        await asyncio.sleep(1)
        assert stage.heart.lacking == {"quotes rest on fresh books"}
        stage.heart.lacking.clear()
        # A bot that knows that it is in trouble, and has taken its quotes off, lives.
        stage.live.command(Command.PAUSE, None, "news")
        await asyncio.sleep(1)
        assert not stage.venue.resting
        stage.heart.lacking.clear()
        await asyncio.sleep(1)
        assert not stage.heart.lacking

    played(script)
