"""An hour of engine time with three markets and two users: what both ends hold is the same.

Our client over loopback sockets against the exchange in its own process. At the end the books are
those of REST, positions and money those of the exchange to the atom, and no order is left.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from fractions import Fraction
from random import Random

import pytest
import uvloop

from mmbot.adapters.zo.rest.own_trades import own_trades
from mmbot.domain.order import FillMode, Side
from tests.contract.desk import Desk
from tests.contract.people import rested
from tests.contract.process import Json, Running, running

STEP_MS = 30_000
# The hour, and a little of the next: funding is paid at its end and realised by what trades then.
ROUNDS = 3_600_000 // STEP_MS + 4
ATOMS = 10**12
DEPOSIT_ATOMS = 10_000 * ATOMS
PPM = 10**6
MOST_S = 240
MAKER_PPM, TAKER_PPM = 100, 350
FAULTS: list[Json] = [
    {"knob": "md.drop", "p": 0.0005},
    {"knob": "md.dup", "p": 0.005},
    {"knob": "md.reorder", "p": 0.0005},
    {"knob": "acct.dup", "p": 0.05},
    {"knob": "acct.reorder", "p": 0.02},
    {"knob": "acct.coalesce", "p": 0.02},
    {"knob": "act.drop_resp", "every_n": 97},
    {"knob": "act.http_status", "every_n": 89, "executed": True},
    {"knob": "act.dup", "every_n": 31},
    {"knob": "proto.shape", "ids_as_strings": True, "object_levels": True, "float_noise": True},
]

Hour = Callable[[Running, list[Desk], Random], Awaitable[None]]


async def _by_turns(venue: Running, desks: list[Desk], rng: Random) -> None:
    """Everybody acts in turn, and before that compares all it holds with REST."""
    for number in range(ROUNDS):
        for desk in rng.sample(desks, len(desks)):
            await desk.caught_up()
            await desk.trade(10)
        await venue.step(STEP_MS)
        if number % 30 in (14, 29):
            knob = "ws.close" if number % 30 == 14 else "ws.rst"
            await venue.post("/_ctl/faults", {"set": [{"knob": knob}]})


async def _at_once(venue: Running, desks: list[Desk], rng: Random) -> None:
    """Everybody acts while time passes, and messages and answers are lost, doubled and late."""
    await venue.faults(*FAULTS)
    for number in range(ROUNDS):
        await asyncio.gather(venue.step(STEP_MS), *(desk.trade(10) for desk in desks))
        if rng.random() < 0.06:
            knob = rng.choice(("ws.close", "ws.rst"))
            await venue.post("/_ctl/faults", {"set": [{"knob": knob}]})
        if number % 10 == 0:
            for desk in desks:
                await desk.in_step()
    await venue.faults()
    # What was lost or held back last shows when the next message comes.
    await venue.step(2_000)
    for desk in desks:
        book = await desk.http.orderbook(desk.books.markets[0].listing)
        far = book.bids[0].ticks * 9 // 10
        outcome = await desk.person.place(Side.BID, far, 1, FillMode.POST_ONLY)
        await desk.person.cancel(rested(outcome))


@pytest.mark.parametrize(("seed", "hour"), [(1, _by_turns), (2, _at_once)])
def test_both_ends_agree_after_an_hour(seed: int, hour: Hour) -> None:
    async def work() -> None:
        async with running("--flow", "normal", "--seed", str(seed)) as venue:
            desks = [Desk(venue.url, seed * 10 + number) for number in (1, 2)]
            try:
                for desk in desks:
                    await desk.open()
                await hour(venue, desks, Random(seed))
                for desk in desks:
                    await desk.leave()
                for desk in desks:
                    await desk.caught_up()
                    await _prove(venue, desk)
                assert await venue.violations() == []
                _check_meant(desks, hour)
            finally:
                for desk in desks:
                    await desk.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(work(), MOST_S))


def _check_meant(desks: list[Desk], hour: Hour) -> None:
    """A test in which little happens proves little."""
    for desk in desks:
        assert desk.told["Accepted"] > 500
        assert desk.told["prints"] > 1_000
        assert desk.ledger.frames > 500
        assert desk.books.connection.generation > 5
        assert bool(desk.told["Unknown"]) is (hour is _at_once)
        assert all(sync.health().reason == "" for sync in desk.books.syncs)


async def _prove(venue: Running, desk: Desk) -> None:
    """Compare what one user can work out with REST and with the truth."""
    person = desk.person
    view = await person.account()
    truth = (await venue.get("/_ctl/truth?newest=1"))["accounts"][str(person.account_id)]
    assert view.orders == ()
    assert truth["orders"] == {}
    lots, cash = await _ledger(desk)
    paid = await venue.pages(f"/account/{person.account_id}/history/funding")
    assert len({row["actionId"] for row in paid}) == len(paid)
    cash += Fraction(sum(row["fundingPnl"] for row in paid)) * ATOMS
    held = {int(market): each for market, each in truth["positions"].items()}
    for market_id in desk.person.catalog.listings:
        expected = lots[market_id]
        assert desk.ledger.lots[market_id] == expected
        assert await person.lots(market_id) == expected
        assert held[market_id]["lots"] == expected
    raw = await venue.get(f"/account/{person.account_id}")
    assert Fraction(raw["balances"][0]["amount"]) * ATOMS == truth["balanceAtoms"]["0"]
    if desk.ledger.balance is not None:
        assert Fraction(desk.ledger.balance) * ATOMS == truth["balanceAtoms"]["0"]
    perps = [each["perp"] for each in raw["positions"] if each["perp"]]
    unpaid = sum(Fraction(perp["fundingPaymentPnl"]) for perp in perps) * ATOMS
    cost = sum(each["cost_atoms"] for each in held.values())
    assert truth["balanceAtoms"]["0"] - cost + unpaid == cash
    await _prove_equity(desk, lots, cash)


async def _ledger(desk: Desk) -> tuple[Counter[int], Fraction]:
    """Return lots by market and cash in atoms without funding, from the account's own trades."""
    person = desk.person
    lots: Counter[int] = Counter()
    cash = Fraction(DEPOSIT_ATOMS)
    for own in await own_trades(person.http, person.account_id, person.catalog, 0):
        listing = person.catalog.listings[own.trade.market_id]
        atoms = 10 ** (12 - listing.price_decimals - listing.size_decimals)
        value = own.trade.ticks * own.trade.lots * atoms
        ppm = MAKER_PPM if own.is_maker else TAKER_PPM
        fee = -(-value * ppm // PPM)
        told = own.trade.maker_fee_uusd if own.is_maker else own.trade.taker_fee_uusd
        assert told is not None
        assert abs(told - Fraction(fee, PPM)) <= 1
        lots[own.trade.market_id] += own.side * own.trade.lots
        cash -= own.side * value + fee
    return lots, cash


async def _prove_equity(desk: Desk, lots: Counter[int], cash: Fraction) -> None:
    """Equity at the index is what came in and what the lots are worth, to the cent."""
    worth = cash / ATOMS
    for market in desk.books.markets:
        stats = await desk.http.stats(market.listing)
        assert stats.index_price is not None
        size = Fraction(lots[market.listing.market_id], 10**market.listing.size_decimals)
        worth += size * Fraction(stats.index_price)
    equity = (await desk.person.account()).margins.mf_uusd
    assert abs(Fraction(equity, PPM) - worth) < Fraction(1, 100)
