"""Views of markets against the protocol page's examples and hand-worked figures."""

from decimal import Decimal

import pytest

from tests.unit.exchange.scene import ASK, BID, IOC, NS, START_S, Scene

D = Decimal


def test_info_is_the_example_of_the_protocol() -> None:
    market = {"symbol": "BTCUSD", "price_decimals": 1, "size_decimals": 5, "start_price": 60_000}
    assert Scene(markets=(market,)).get("/info") == {
        "markets": [
            {
                "marketId": 0,
                "symbol": "BTCUSD",
                "priceDecimals": 1,
                "sizeDecimals": 5,
                "baseTokenId": 0,
                "quoteTokenId": 0,
                "imf": D("0.02"),
                "mmf": D("0.01"),
                "cmf": D("0.0125"),
            }
        ],
        "tokens": [
            {
                "tokenId": 0,
                "symbol": "USDC",
                "decimals": 6,
                "mintAddr": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
                "weightBps": 10000,
            }
        ],
    }


def test_markets_are_listed_by_id_without_holes() -> None:
    shown = Scene().get("/info")["markets"]
    assert [(each["marketId"], each["symbol"]) for each in shown] == [
        (0, "BTCUSD"),
        (1, "ETHUSD"),
        (2, "SOLUSD"),
    ]


@pytest.mark.parametrize("as_objects", [False, True])
def test_a_book_has_the_best_prices_first_and_sums_of_whole_sides(as_objects: bool) -> None:
    scene = Scene()
    scene.show((BID, 599_990, 100), (BID, 599_000, 7), (ASK, 600_010, 200), (ASK, 600_500, 3))
    scene.maker.place(BID, 600_000, 2000)
    scene.rules.object_levels = as_objects
    asks = [(D("60001.0"), D("0.002")), (D("60050.0"), D("0.00003"))]
    bids = [(D("60000.0"), D("0.02")), (D("59999.0"), D("0.001")), (D("59900.0"), D("0.00007"))]

    def shown(levels: list[tuple[Decimal, Decimal]]) -> list[object]:
        if as_objects:
            return [{"price": price, "size": size} for price, size in levels]
        return [list(level) for level in levels]

    assert scene.get("/market/0/orderbook") == {
        "updateId": scene.exchange.state.action_id,
        "asks": shown(asks),
        "bids": shown(bids),
        "asksSummary": {"sum": D("0.00203"), "count": 2},
        "bidsSummary": {"sum": D("0.02107"), "count": 3},
    }


def test_an_empty_side_is_an_empty_list() -> None:
    book = Scene().get("/market/2/orderbook")
    assert (book["asks"], book["bids"]) == ([], [])
    assert book["asksSummary"] == {"sum": 0, "count": 0}


def test_statistics_of_a_day_with_hand_worked_figures() -> None:
    scene = Scene()
    scene.maker.place(BID, 600_000, 2000)
    scene.taker.place(ASK, 600_000, 500, IOC)
    scene.wait(3600)
    scene.maker.place(ASK, 601_000, 100)
    scene.taker.place(BID, 601_000, 100, IOC)
    stats = scene.get("/market/0/stats")
    perpetual = stats.pop("perpStats")
    assert stats == {
        "indexPrice": 60_000,
        "indexPriceConf": 0,
        "frozen": False,
        "volumeBase24h": D("0.006"),
        "volumeQuote24h": D("360.1"),
        "high24h": 60_100,
        "low24h": 60_000,
        "close24h": 60_100,
        "prevClose24h": None,
    }
    assert perpetual["open_interest"] == D("0.004")
    assert perpetual["next_funding_time"] == "2026-01-04T15:00:00.000000000Z"
    assert perpetual["mark_price"] == 60_000
    scene.wait(86_400)
    assert scene.get("/market/0/stats")["volumeBase24h"] == D("0.001")
    scene.wait(60)
    later = scene.get("/market/0/stats")
    assert (later["volumeBase24h"], later["high24h"], later["prevClose24h"]) == (0, None, 60_100)


def test_a_frozen_market_says_so() -> None:
    scene = Scene()
    scene.exchange.rules.frozen_markets.add(1)
    stats = scene.get("/market/1/stats")
    assert (stats["frozen"], stats["perpStats"]) == (True, None)
    assert stats["indexPrice"] == 3000
    assert [each["frozen"] for each in scene.get("/markets/live")["markets"]] == [
        False,
        True,
        False,
    ]


def test_live_figures_are_nested_or_flat() -> None:
    scene = Scene()
    scene.show((BID, 599_990, 100), (ASK, 600_010, 200))
    scene.wait(1800)
    nested = scene.get("/markets/live")["markets"][0]
    perpetuals = {
        "markPrice": D("60000.0"),
        "projectedFundingRate": D("0.0"),
        "nextFundingTime": "2026-01-04T14:00:00.000000000Z",
        "openInterest": D("0.0"),
    }
    head = {"marketId": 0, "indexPrice": D("60000.0"), "indexPriceConf": D(0), "frozen": False}
    assert nested == {**head, "perpetuals": perpetuals}
    assert scene.get("/market/0/live") == {
        **nested,
        "clob": {"bestBidPrice": D("59999.0"), "bestAskPrice": D("60001.0")},
    }
    assert scene.get("/market/1/live")["clob"] == {"bestBidPrice": None, "bestAskPrice": None}
    scene.rules.flat_live = True
    assert scene.get("/markets/live")["markets"][0] == {**head, **perpetuals}


def test_prices_can_be_null() -> None:
    scene = Scene()
    scene.maker.place(BID, 600_000, 2000)
    scene.taker.place(ASK, 600_000, 500, IOC)
    scene.rules.null_prices = True
    stats = scene.get("/market/0/stats")
    prices = ["indexPrice", "indexPriceConf", "high24h", "low24h", "close24h", "prevClose24h"]
    assert [stats[name] for name in prices] == [None] * 6
    assert stats["perpStats"]["mark_price"] is None
    live = scene.get("/markets/live")["markets"][0]
    assert live["indexPrice"] is live["perpetuals"]["markPrice"] is None


def test_a_market_without_an_index_shows_null() -> None:
    scene = Scene(markets=({"symbol": "NEWUSD", "price_decimals": 2, "size_decimals": 2},))
    stats = scene.get("/market/0/stats")
    names = ("indexPrice", "indexPriceConf", "perpStats")
    assert [stats[name] for name in names] == [None] * 3


def test_the_projected_rate_is_null_right_after_a_payment_and_exact_later() -> None:
    scene = Scene()
    scene.show((BID, 601_200, 100), (ASK, 601_210, 200))
    assert scene.get("/market/0/live")["perpetuals"]["projectedFundingRate"] is None
    scene.wait(1)
    scene.wait(1799)
    # The mark is 60,120.5, a premium of 120.5 / 60,000, paid back over 8 hours.
    rate = pytest.approx(120.5 / 60_000 / 8)
    assert float(scene.get("/market/0/live")["perpetuals"]["projectedFundingRate"]) == rate
    scene.wait(1800)
    hour = scene.get("/market/0/history/PT1H")["items"][0]
    assert hour["time"] == "2026-01-04T14:00:00.000000000Z"
    assert (hour["marketId"], hour["indexPrice"], hour["markPrice"]) == (0, 60_000, D("60120.5"))
    assert float(hour["fundingRate"]) == rate
    # A whole coin long paid 120.5 / 8 USD.
    assert hour["fundingIndex"] == D("15.0625")
    perpetual = scene.get("/market/0/stats")["perpStats"]
    assert perpetual["aggregated_funding_index"] == D("15.0625")
    assert float(perpetual["funding_rate"]) == rate


def test_hours_are_newest_first_and_paged() -> None:
    scene = Scene()
    scene.wait(30 * 3600)
    page = scene.get("/market/1/history/PT1H")
    assert len(page["items"]) == 24
    assert {each["marketId"] for each in page["items"]} == {1}
    everything = scene.pages("/market/1/history/PT1H", {"pageSize": "7"})
    times = [each["time"] for each in everything]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == 30
    assert len(scene.get("/market/1/history/PT1H", {"pageSize": "255"})["items"]) == 30


def test_the_previous_price_is_the_last_trade_at_a_moment() -> None:
    scene = Scene()
    scene.maker.place(BID, 600_000, 2000)
    scene.maker.place(BID, 599_990, 2000)
    scene.taker.place(ASK, 600_000, 2000, IOC)
    scene.wait(10)
    scene.taker.place(ASK, 599_990, 1, IOC)

    def price(moment: str) -> object:
        return scene.get("/market/0/price/prev", {"atOrBefore": moment})["price"]

    assert scene.exchange.state.now_ns == (START_S + 10) * NS
    assert price("2026-01-04T12:59:59Z") is None
    assert price("2026-01-04T13:00:00Z") == 60_000
    assert price("2026-01-04T13:00:09.999Z") == 60_000
    assert price("2026-01-04T13:00:10Z") == 59_999
    assert scene.get("/market/0/price/prev") == {"marketId": 0, "price": 59_999}


def test_fees_and_tokens() -> None:
    scene = Scene()
    assert scene.get("/fee/brackets/info")[:2] == [
        [0, {"maker_fee_ppm": 100, "taker_fee_ppm": 350}],
        [1, {"maker_fee_ppm": 50, "taker_fee_ppm": 300}],
    ]
    assert scene.get("/market/0/fees/taker/1") == D("-0.00035")
    assert scene.get("/market/0/fees/maker/1") == D("-0.0001")
    assert scene.get("/tokens/0/stats")["indexPrice"] == {"median": 1, "confidence": 0}
