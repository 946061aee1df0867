"""kill -9 in the middle of trading: what was answered has happened, and is known afterwards."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import open_http
from mmbot.adapters.zo.wire.outcomes import Accepted, Placed, Unknown
from mmbot.domain.order import FillMode, Side
from mmbot.errors import Unavailable
from tests.contract.desk import Desk
from tests.contract.people import Person, order, refused
from tests.contract.process import Running, running


@asynccontextmanager
async def _desks(venue: Running, *seeds: int) -> AsyncIterator[list[Desk]]:
    desks = [Desk(venue.url, seed) for seed in seeds]
    try:
        for desk in desks:
            await desk.open()
        yield desks
    finally:
        for desk in desks:
            await desk.close()


def test_two_traders_find_everything_as_it_was(tmp_path: Path) -> None:
    flags = ("--flow", "normal", "--seed", "5", "--state", str(tmp_path / "state"))

    async def work() -> None:
        async with running(*flags) as venue, _desks(venue, 51, 52) as desks:
            for _ in range(15):
                await venue.step(5_000)
                for desk in desks:
                    await desk.trade(5)
            before = await venue.get("/_ctl/truth")
            venue.kill()
            await venue.process.wait()
        assert len(before["fills"]) > 50
        assert all(before["accounts"][number]["positions"] for number in ("1", "2"))
        async with running(*flags) as venue:
            assert await venue.get("/_ctl/truth") == before
            async with _desks(venue, 51, 52) as desks:
                for _ in range(5):
                    await venue.step(5_000)
                    for desk in desks:
                        await desk.caught_up()
                        await desk.trade(5)
                for desk in desks:
                    await desk.leave()
                    await desk.caught_up()
            assert await venue.violations() == []

    _run(work())


@pytest.mark.parametrize("after", [7, 40])
def test_whatever_was_accepted_survives(tmp_path: Path, after: int) -> None:
    flags = ("--flow", "none", "--state", str(tmp_path / "state"))

    async def work() -> None:
        rests: dict[int, int] = {}
        asked = 0
        async with running(*flags) as venue, open_http(VenueParams(http_url=venue.url)) as http:
            person = await Person(http, 61).open()
            now = await person.now()
            first = await person.session()
            for number in range(190):
                action = order(Side.BID, 500_000, 1, FillMode.POST_ONLY, client_order_id=number)
                signed = await person.forged(action, now_s=now)
                first = signed if number == 0 else first
                if number == after:
                    asyncio.get_running_loop().call_later(0.003, venue.kill)
                asked = number + 1
                try:
                    outcome = await person.send(signed)
                except Unavailable:
                    asked = number
                    break
                if isinstance(outcome, Unknown):
                    break
                assert isinstance(outcome, Accepted)
                assert isinstance(outcome.results[0], Placed)
                rests[number] = outcome.results[0].order_id or 0
            assert after <= len(rests)
        async with running(*flags) as venue, open_http(VenueParams(http_url=venue.url)) as http:
            taken = await http.act(first.body, first.action, 1)
            assert refused(taken) == "DUPLICATE"
            await venue.step(61_000)
            again = await Person(http, 61).open()
            found = {each.client_order_id: each.order_id for each in (await again.account()).orders}
            assert {number: found[number] for number in rests} == rests
            # What was asked and never answered may have happened; nothing else may.
            assert set(found) - set(rests) <= {asked - 1}
            assert await venue.violations() == []

    _run(work())


def _run(work: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(work, 60))
