"""Lists of trades that are short, late or old: every trade is taken once, and nothing too soon."""

from fractions import Fraction

import pytest

from mmbot.adapters.zo.trading.params import Start
from mmbot.domain.events import Hindrance
from mmbot.domain.order import OrderState, Side
from tests.unit.adapters.zo.trading.scene import PARAMS, PRICE, Desk, play

SHORT = {"knob": "rest.partial_page", "kind": "trades", "n": 1}
DEAF = {"knob": "acct.drop_fill"}
ATOMS_PER_USD = 10**12
SIDES = (Side.BID, Side.ASK)


async def quoted(desk: Desk) -> None:
    """Have an order of 90 lots rest on either side."""
    for side in SIDES:
        await desk.told(desk.place(side, PRICE - 40 * side, 90), OrderState.OPEN)


async def both(desk: Desk, lots: int = 10) -> None:
    """Have both sides filled, one after the other: the position is what it was before."""
    for side in SIDES:
        await desk.sneak(Side(-side), lots, PRICE - 40 * side)


def booked(desk: Desk) -> bool:
    """Whether the trades taken are those made, once each."""
    taken = sorted(own.trade.trade_id for own in desk.trades)
    return taken == [each.trade_id for each in desk.truth()]


async def read_often(desk: Desk, readings: int = 3) -> None:
    await desk.pause(readings * PARAMS.audit_ms / 1000)


def test_a_first_list_that_is_cut_short_loses_nothing_that_was_told() -> None:
    async def work(desk: Desk) -> None:
        await quoted(desk)
        await desk.control(SHORT)
        await both(desk)
        await read_often(desk)
        await desk.control()
        await desk.until(lambda: booked(desk))
        assert desk.warnings == []

    play(work)


def test_what_was_told_and_is_listed_too_late_is_not_told_again() -> None:
    async def work(desk: Desk) -> None:
        await quoted(desk)
        await desk.control(SHORT)
        await both(desk)
        await desk.until(
            lambda: any("lacks what the stream told" in each for each in desk.warnings)
        )
        await desk.control()
        await desk.until(lambda: booked(desk))
        await read_often(desk, 1)
        assert len(desk.fills()) == 2
        assert desk.position() == desk.owner.lots() == 0

    play(work)


@pytest.mark.parametrize("items", [0, 1])
@pytest.mark.parametrize("readings", [0, 3])
def test_a_list_that_is_cut_short_after_a_gap_that_no_position_shows(
    items: int, readings: int
) -> None:
    async def work(desk: Desk) -> None:
        await quoted(desk)
        await both(desk)
        await desk.until(lambda: booked(desk))
        await read_often(desk, readings)
        await desk.control({**SHORT, "n": items}, DEAF)
        await both(desk)
        await desk.until(lambda: "account" in desk.hindered())
        await read_often(desk, 1)
        # The list does not show what it had: nothing says that it shows what is missing.
        assert "account" in desk.hindered()
        await desk.control()
        await desk.ready()
        await desk.until(lambda: booked(desk))
        assert len(desk.fills()) == 4

    play(work)


@pytest.mark.parametrize("then", ["nothing", "killed", "emptied"])
def test_a_new_list_that_is_cut_short_is_read_again_until_it_explains_the_position(
    then: str,
) -> None:
    async def work(desk: Desk) -> None:
        await quoted(desk)
        await desk.sneak(Side.ASK, 10, PRICE - 40)
        await desk.until(lambda: booked(desk))
        await desk.other.posted(PRICE, 7)
        await desk.control(SHORT, DEAF)
        for lots in (3, 4):
            await desk.sneak(Side.ASK, lots, PRICE, desk.owner)
        await desk.until(lambda: len(desk.trades) == 2)
        await desk.pause(3.0)
        # Of the account's first takings the list shows the newer one.
        assert desk.owner.lots() == 3
        assert [own.trade.lots for own in desk.trades] == [10, 4]
        if then == "emptied":
            await desk.control({**SHORT, "n": 0})
            await desk.until(lambda: bool(desk.warnings))
        if then == "killed":
            await desk.stop()
            desk.venue = desk.renew(Start(desk.cursor, previous_run_clean=True))
            desk.begin()
        await desk.control()
        await desk.until(lambda: {own.trade.lots for own in desk.trades} == {10, 3, 4})
        if then != "killed":
            await desk.ready()
            assert booked(desk)
            assert desk.position() == 3
            assert desk.restated() == []

    play(work)


def test_a_list_that_never_shows_again_what_it_had_is_taken_in_the_end() -> None:
    async def work(desk: Desk) -> None:
        await quoted(desk)
        await both(desk)
        await desk.until(lambda: booked(desk))
        await desk.control({**SHORT, "n": 0}, {"knob": "ws.rst"})
        await desk.until(lambda: "account" in desk.hindered())
        await desk.ready()
        assert desk.warnings == ["the list of trades does not show any more what it had"]

    play(work)


def test_a_run_begins_where_everything_was_booked() -> None:
    async def work(desk: Desk) -> None:
        await quoted(desk)
        await both(desk)
        await desk.until(lambda: booked(desk))
        await read_often(desk)
        first, known = desk.cursor, len(desk.trades)
        assert first > 0
        await both(desk)
        await desk.stop()
        await both(desk)
        await desk.control({**SHORT, "n": 1})
        desk.venue = desk.renew(Start(first, previous_run_clean=True))
        desk.begin()
        await read_often(desk)
        await desk.control()
        await desk.until(lambda: len({own.trade.trade_id for own in desk.trades}) == 6)
        again = [own.trade.trade_id for own in desk.trades[known:]]
        assert len(set(again)) == len(again)
        assert all(trade_id > first for trade_id in again)

    play(work)


def test_a_trade_that_is_listed_after_its_lots_were_taken_counts_once() -> None:
    async def work(desk: Desk) -> None:
        await quoted(desk)
        late = {"knob": "rest.stale_ms", "kind": "trades", "ms": 60_000}
        await desk.control(late)
        # The next answers are those that are repeated.
        await read_often(desk, 2)
        await desk.sneak(Side.ASK, 5, PRICE - 40)
        await desk.until(lambda: desk.position() == 5)
        await desk.served.set(late, {**DEAF, "next_n": 1})
        await desk.sneak(Side.ASK, 10, PRICE - 40)
        await desk.until(lambda: bool(desk.restated()))
        assert desk.position() == desk.owner.lots() == 15
        await desk.control()
        await desk.until(lambda: booked(desk))
        await desk.until(lambda: len(desk.restated()) == 2)
        taken, money = desk.restated()
        _, trade = desk.truth()
        atom_usd = Fraction(desk.market.atom)
        assert (taken.lots, money.lots) == (10, 0)
        # A price of 59,996.0 USD, and lots of 0.00001.
        assert trade.ticks == 599_960
        assert money.cash_atoms * atom_usd == -Fraction(599_960, 10) * 10 / 100_000
        fee_usd = Fraction(trade.maker_fee_atoms, ATOMS_PER_USD)
        assert money.fees_atoms * atom_usd == fee_usd > 0
        assert [own.side * own.trade.lots for own in desk.late] == [10]
        assert desk.position() == desk.owner.lots()
        assert len(desk.fills()) == 1
        await read_often(desk)
        assert len(desk.restated()) == 2

    play(work)


def test_a_list_asked_for_before_a_gap_says_nothing_of_it() -> None:
    async def work(desk: Desk) -> None:
        await quoted(desk)
        slow = {"knob": "http.slowloris", "kind": "trades", "ms": 30}
        # The lists that are read for this gap are two seconds on their way, one that has a trade is
        # so for longer than is waited.
        await desk.control(slow, {"knob": "ws.rst"})
        await desk.until(lambda: "account" in desk.hindered())
        await desk.pause(0.3)
        await desk.control(slow, {**DEAF, "next_n": 1})
        await desk.sneak(Side.ASK, 10, PRICE - 40)
        await desk.control(slow, {"knob": "ws.rst"})
        await desk.pause(4.0)
        told = [each for each in desk.events if isinstance(each, Hindrance)]
        over = [each for each in told if each.name == "account" and each.reason is None]
        # Known at the start, and not once more since.
        assert len(over) == 1
        await desk.control()
        await desk.ready()
        assert desk.position() == desk.owner.lots() == 10

    play(work)
