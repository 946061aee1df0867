"""What the judge hears of the product's bot in short is what its status says at length."""

import asyncio

from tests.faults.bots import BOTS
from tests.simulation.real import Real
from tests.simulation.runs import Plan, simulate
from tests.simulation.schedule import Fault
from tests.simulation.stage import Stage

TROUBLE = (
    Fault(2, 3, "md.silence", {"market": 1}),
    Fault(7, 4, "act.drop_resp", {"p": 0.5}),
    Fault(13, 3, "ws.half_open", {"kind": "account"}),
    Fault(20, 5, "eng.maintenance", {}),
)


def test_the_short_word_is_the_long_one() -> None:
    reasons: set[str | None] = set()
    modes = set()

    async def compare(stage: Stage) -> None:
        for _ in range(300):
            await asyncio.sleep(0.1)
            run = stage.run
            assert run is not None
            assert isinstance(run.bot, Real)
            short, long = run.bot.belief(), run.bot.status()
            assert (short is None) == (long is None)
            if short is None or long is None:
                continue
            modes.add(long.mode)
            reasons.update(each.reason for each in long.markets)
            assert (short.mode, short.reasons) == (long.mode, long.reasons)
            assert (short.epoch, short.orders) == (long.epoch, long.orders)
            for one, other in zip(short.markets, long.markets, strict=True):
                assert one.reason == other.reason
                assert (one.bids, one.asks) == (other.bids, other.asks)
                assert one.position_lots == other.position_lots

    factory, terms = next(iter(BOTS.values()))()
    plan = Plan(seed=3, factory=factory, terms=terms, schedule=TROUBLE, horizon_s=31.0, act=compare)
    assert [str(each) for each in simulate(plan).violations] == []
    assert len(modes) > 1
    assert len(reasons) > 3
