"""An exchange that goes on from a saved state: the market around it, seen from outside."""

import shutil
from itertools import pairwise
from pathlib import Path

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.assemble.exchange import ExchangeOptions, open_exchange
from mmbot.exchange.params import ExchangeParams
from mmbot.exchange.running.pacing import SteppedPace
from mmbot.exchange.serving.floor import Floor
from tests.unit.exchange.traders import LIMIT, Trader

SECOND_NS = 10**9
PARAMS = ExchangeParams(auto_fund_usd=10_000)


def opened(state: Path, flow: str = "normal") -> Floor:
    options = ExchangeOptions(params=PARAMS, flow=flow, state=state, stepped=True, seed=3)
    return open_exchange(options).floor


def steps(floor: Floor, seconds: int) -> list[float]:
    """Let time pass; what the outside price of the first market did in every second."""
    pace, background = floor.operation.pace, floor.operation.background
    assert isinstance(pace, SteppedPace)
    assert background is not None
    prices = []
    for _ in range(seconds):
        pace.move(pace.now_ns + SECOND_NS)
        floor.operation.tick()
        price = background.outside(0)
        assert price is not None
        prices.append(price)
    return [round(later / before, 6) for before, later in pairwise(prices)]


def test_a_restarted_market_is_another_hour_but_the_same_every_time(tmp_path: Path) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    first = opened(state)
    before = steps(first, 30)
    first.operation.close()
    shutil.copy(state, copy)
    after, again = steps(opened(state), 30), steps(opened(copy), 30)
    assert len(set(before)) > 10
    assert after == again
    assert sum(one == other for one, other in zip(before, after, strict=True)) < 10


def test_without_flow_a_restored_book_shows_users_orders_only(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = opened(state)
    steps(first, 5)
    exchange = first.operation.exchange
    trader = Trader(exchange, 9)
    bid, ask = exchange.clobs[0].best()
    assert bid is not None
    assert ask is not None
    place = pb.PlaceOrder(
        session_id=trader.session_id,
        market_id=0,
        side=pb.BID,
        fill_mode=LIMIT,
        price=bid - 5,
        size=1_000,
    )
    assert trader.send(pb.Action(place_order=place)).HasField("trade_or_place")
    first.operation.close()
    restored = opened(state, flow="none")
    after = restored.operation.exchange
    assert after.clobs[0].best()[1] is not None
    steps(restored, 2)
    books = [clob.best() for clob in after.clobs]
    assert books == [(bid - 5, None), (None, None), (None, None)]
    restored.operation.close()
