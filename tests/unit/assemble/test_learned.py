"""What models have learned goes from one engine to the next, through the bytes of the ledger."""

from decimal import Decimal

import pytest

from mmbot.assemble import Footing, RunOptions, build_engine
from mmbot.assemble.live.learned import go_on, memories
from mmbot.cext.orderbook import OrderBook
from mmbot.config.schema import Config
from mmbot.domain.market import Market
from mmbot.engine import Engine, VenueTraits
from mmbot.execution.order_ids import OrderIds
from mmbot.quoting.strategy import MarketMaker
from mmbot.risk.breaker import Breaker

MINUTE = 60 * 10**9
LEARNING = {"defaults": {"spread": {"model": "markout"}}}


def engine(settings: object = LEARNING, symbol: str = "BTCUSD") -> Engine:
    config = Config.model_validate(settings)
    market = Market(symbol, Decimal("0.1"), Decimal("0.001"))
    footing = Footing(OrderIds(1, epoch=0), Breaker(config.risk.loss), VenueTraits())
    return build_engine(config, [market], [OrderBook()], RunOptions(), footing)


def strategy(of: Engine) -> MarketMaker:
    found = of.desks[0].strategy
    assert isinstance(found, MarketMaker)
    return found


def test_a_table_outlives_its_run() -> None:
    first, second = engine(), engine()
    control = strategy(first).learning.markout
    assert control is not None
    control.shadows.restore(2.0, [(30.0, 60.0, 200.0)] * 8, 0.0)
    control.floor_bps = 4.5
    lines = go_on(second, memories(first, 5 * MINUTE), 15 * MINUTE)
    assert lines == ["BTCUSD: goes on with what was learned 10 min ago"]
    learning = strategy(second).learning
    assert learning.signals.floor_bps == 4.5
    assert learning.markout is not None
    away, count, mean, _ = learning.markout.shadows.table()[0]
    # Ten minutes are its memory: a 2.718th is left of the weight, the mean is as it was.
    assert [away, mean] == pytest.approx([1.0, 2.0])
    assert count == pytest.approx(30.0 / 2.718281828)


@pytest.mark.parametrize(
    ("kept", "line"),
    [
        (b"{", "what models had learned cannot be read; they begin anew"),
        (b'{"BTCUSD": 3}', "what models had learned cannot be read; they begin anew"),
        (
            b'{"BTCUSD":{"ts_ns":0,"scale":1.0,"rows":[],"floor_bps":4.0}}',
            "BTCUSD: what was learned is damaged (not a state of shadows); begun anew",
        ),
    ],
)
def test_what_is_damaged_is_learned_anew(kept: bytes, line: str) -> None:
    made = engine()
    assert go_on(made, kept, MINUTE) == [line]
    assert strategy(made).learning.signals.floor_bps == 6.0


def test_nothing_is_kept_where_nothing_learns_and_nobody_gets_what_is_not_his() -> None:
    plain = engine({})
    assert memories(plain, MINUTE) == b"{}"
    assert go_on(plain, None, MINUTE) == []
    assert go_on(engine(symbol="ETHUSD"), memories(engine(), 0), MINUTE) == []
