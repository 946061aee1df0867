"""The chart feed: bars of trades made at known times, ends and counts as TradingView asks."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.exchange.scene import ASK, BID, IOC, START_S, Scene

D = Decimal
MINUTE = 60


@pytest.fixture(scope="module")
def scene() -> Scene:
    """One trade in each of the minutes 0, 1, 2, 4 with prices 60,000.0 to 60,000.3."""
    scene = Scene()
    for step, wait in enumerate((MINUTE, MINUTE, 2 * MINUTE, MINUTE)):
        scene.maker.place(BID, 600_000 + step, 100 + step)
        scene.taker.place(ASK, 600_000 + step, 100 + step, IOC)
        scene.wait(wait)
    return scene


def _bars(scene: Scene, **query: object) -> Any:
    return scene.get("/tv/history", {key: str(value) for key, value in query.items()})


def test_all_bars_of_a_market(scene: Scene) -> None:
    assert _bars(scene, symbol="BTCUSD", resolution="1") == {
        "s": "ok",
        "t": [START_S, START_S + 60, START_S + 120, START_S + 240],
        "o": [D("60000.0"), D("60000.1"), D("60000.2"), D("60000.3")],
        "h": [D("60000.0"), D("60000.1"), D("60000.2"), D("60000.3")],
        "l": [D("60000.0"), D("60000.1"), D("60000.2"), D("60000.3")],
        "c": [D("60000.0"), D("60000.1"), D("60000.2"), D("60000.3")],
        "v": [D("0.001"), D("0.00101"), D("0.00102"), D("0.00103")],
    }


@pytest.mark.parametrize("resolution", ["5", "60", "240", "4H", "1D", "D", "1W", "1M"])
def test_longer_bars_hold_all_of_it(scene: Scene, resolution: str) -> None:
    bars = _bars(scene, market_id=0, resolution=resolution)
    assert (bars["o"], bars["c"]) == ([60_000], [D("60000.3")])
    assert bars["v"] == [D("0.00406")]


@pytest.mark.parametrize(
    ("query", "minutes"),
    [
        ({"from": START_S + 60}, [1, 2, 4]),
        ({"from": START_S + 61}, [2, 4]),
        ({"to": START_S + 120}, [0, 1]),
        ({"from": START_S, "to": START_S + 121}, [0, 1, 2]),
        ({"from": START_S, "to": START_S + 121, "countback": 1}, [2]),
        ({"from": START_S + 240, "countback": 3}, [1, 2, 4]),
        ({"to": START_S + 121, "countback": 99}, [0, 1, 2]),
    ],
)
def test_the_end_is_exclusive_and_a_count_goes_back_from_it(
    scene: Scene, query: dict[str, int], minutes: list[int]
) -> None:
    shown = _bars(scene, symbol="BTCUSD", resolution="1", **query)
    assert [(start - START_S) // MINUTE for start in shown["t"]] == minutes


def test_without_bars_there_is_no_data_and_a_hint_where_there_is(scene: Scene) -> None:
    after = {"symbol": "BTCUSD", "resolution": "1", "from": START_S + 300, "to": START_S + 900}
    assert _bars(scene, **after) == {"s": "no_data", "nextTime": START_S + 240}
    assert _bars(scene, symbol="BTCUSD", resolution="1", to=START_S) == {"s": "no_data"}
    assert _bars(scene, symbol="ETHUSD", resolution="1") == {"s": "no_data"}


def test_unknown_symbols_and_resolutions_are_errors_of_the_feed(scene: Scene) -> None:
    for query in (
        {"symbol": "NONE", "resolution": "1"},
        {"market_id": "9", "resolution": "1"},
        {"resolution": "1"},
        {"symbol": "BTCUSD", "resolution": "7"},
    ):
        answer = _bars(scene, **query)
        assert answer["s"] == "error"
        assert answer["errmsg"]
    assert scene.get("/tv/symbols", {"symbol": "NONE"})["s"] == "error"


def test_the_terms_of_a_symbol(scene: Scene) -> None:
    terms = scene.get("/tv/symbols", {"symbol": "ETHUSD"})
    assert (terms["name"], terms["pricescale"], terms["minmov"]) == ("ETHUSD", 100, 1)
    resolutions = scene.get("/tv/config")["supported_resolutions"]
    assert terms["supported_resolutions"] == resolutions
    assert {"1", "240", "1D"} <= set(resolutions)
