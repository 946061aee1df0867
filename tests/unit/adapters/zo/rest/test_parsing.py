"""The venue's JSON in all its variants, and what is no JSON of the venue's."""

import json
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.rest import account_parsing, parsing
from mmbot.adapters.zo.rest.answers import (
    Catalog,
    FeeRates,
    HeldPosition,
    Liquidation,
    Listing,
    RestingOrder,
    Token,
    VenueSession,
)
from mmbot.domain.order import FillMode, Level, Side
from mmbot.errors import ProtocolViolation

# The examples of protocol 3.3 and 3.10, word for word.
INFO = (
    '{"markets":[{"marketId":0,"symbol":"BTCUSD","priceDecimals":1,"sizeDecimals":5,"baseTokenId":0'
    ',"quoteTokenId":0,"imf":0.02,"mmf":0.01,"cmf":0.0125}],"tokens":[{"tokenId":0,"symbol":"USDC",'
    '"decimals":6,"mintAddr":"EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v","weightBps":10000}]}'
)
ACCOUNT = (
    '{"updateId":812345,"orders":[{"orderId":5551,"marketId":0,"side":"bid","size":0.01,"price":600'
    '00.0,"originalOrderSize":0.02,"clientOrderId":17}],"positions":[{"marketId":0,"openOrders":1,"'
    'perp":{"baseSize":0.02,"price":61000.0,"updatedFundingRateIndex":1.0,"fundingPaymentPnl":-0.01'
    ',"tradingPnl":3.2,"sizePricePnl":3.2,"isLong":true},"actionId":99}],"balances":[{"tokenId":0,"'
    'token":"USDC","amount":1000.0}],"margins":{"omf":1003.1,"mf":1003.19,"imf":36.4,"cmf":22.8,"mm'
    'f":12.2,"pon":1820.0,"pn":1220.0,"bankruptcy":false}}'
)
BTC = Listing(0, "BTCUSD", 1, 5, 0, 0, Decimal("0.02"), Decimal("0.01"), Decimal("0.0125"))
ETH = Listing(1, "ETHUSD", 2, 4, 0, 0, Decimal("0.02"), Decimal("0.01"), Decimal("0.0125"))
CATALOG = Catalog([BTC, ETH], [Token(0, "USDC", 6, 10_000)])
BIG = 2**64 - 1
CANARY = "canary5Kd3NBUAdUnhyzenEwVLy9pBKxSwXvE9FMPyR4UKZvpe6E3AgLr"

Json = Any


def body(value: Json) -> bytes:
    return json.dumps(value).encode()


def changed(text: str, path: str, value: Json = ..., name: str | None = None) -> bytes:
    """Return a JSON text with one value replaced, renamed, or removed."""
    tree: Json = json.loads(text)
    *above, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    node = tree
    for part in above:
        node = node[part]
    if value is ...:
        kept = node.pop(last)
        if name is not None:
            node[name] = kept
    else:
        node[last] = value
    return body(tree)


def test_info() -> None:
    found = parsing.catalog("/info", INFO.encode())
    assert found.listings == {0: BTC}
    assert found.tokens == {0: Token(0, "USDC", 6, 10_000)}
    assert found.by_symbol("BTCUSD") == BTC
    assert found.by_symbol("BTCUSDT") is None
    market = BTC.market(4)
    assert (market.tick, market.lot, market.index) == (Decimal("0.1"), Decimal("0.00001"), 4)
    assert market.imf == Decimal("0.02")


def test_markets_are_told_by_id_wherever_they_stand() -> None:
    tree = json.loads(INFO)
    tree["markets"] = [{**tree["markets"][0], "marketId": n, "symbol": f"M{n}"} for n in (7, 2)]
    found = parsing.catalog("/info", body(tree))
    assert {each.market_id: each.symbol for each in found.listings.values()} == {7: "M7", 2: "M2"}
    tree["markets"][1]["marketId"] = 7
    with pytest.raises(ProtocolViolation, match=r"^/info: markets: an id or a symbol comes twice$"):
        parsing.catalog("/info", body(tree))


def test_a_book_of_pairs_objects_and_odd_numbers_is_one_book() -> None:
    forms = [
        '{"updateId":12,"asks":[[100.2,1],[100.3,0.5]],"bids":[[100.1,2.0],[99.9,0.00001]]}',
        '{"updateId":"12","bids":[{"price":100.1,"size":2},{"price":99.9,"size":1e-5}],'
        '"asks":[{"price":1.002e2,"size":1},{"size":0.5,"price":100.3}],"bidsSummary":null}',
        '{"updateId":12,"asks":[[100.20000000000000284,1],[100.3,0.49999999999999994]],'
        '"bids":[[100.1,2],{"price":99.9,"size":0.000010000000000000001}],"new":[{}]}',
    ]
    for form in forms:
        found = parsing.book("/b", form.encode(), BTC)
        assert found.update_id == 12
        assert found.bids == (Level(1001, 200_000), Level(999, 1))
        assert found.asks == (Level(1002, 100_000), Level(1003, 50_000))
    empty = parsing.book("/b", b'{"updateId":1,"asks":[],"bids":[]}', BTC)
    assert (empty.bids, empty.asks) == ((), ())


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ('{"asks":[],"bids":[]}', "updateId"),
        ('{"updateId":1,"asks":[]}', "bids"),
        ('{"updateId":1,"asks":[[100.25,1]],"bids":[]}', "asks: price is not a multiple"),
        ('{"updateId":1,"asks":[[0,1]],"bids":[]}', "asks: price is not positive"),
        ('{"updateId":1,"asks":[[-1,1]],"bids":[]}', "asks: price is not positive"),
        ('{"updateId":1,"asks":[[1,1e-300]],"bids":[]}', "asks: size is not positive"),
        ('{"updateId":1,"asks":[[1,1e400]],"bids":[]}', "asks: size is out of range"),
        ('{"updateId":1,"asks":[["NaN",1]],"bids":[]}', "asks: price is not a finite number"),
        ('{"updateId":1,"asks":[[1]],"bids":[]}', r"asks\[0\]"),
        ('{"updateId":1,"asks":[[2,1],[1,1]],"bids":[]}', "asks are not in order of price"),
        ('{"updateId":1,"asks":[],"bids":[[2,1],[2,1]]}', "bids are not in order of price"),
        ('{"updateId":-1,"asks":[],"bids":[]}', "updateId is negative"),
        ('{"updateId":1.5,"asks":[],"bids":[]}', "updateId"),
    ],
)
def test_a_book_that_is_none_is_refused_by_name(form: str, words: str) -> None:
    with pytest.raises(ProtocolViolation, match=f"^/b: .*{words}"):
        parsing.book("/b", form.encode(), BTC)


STATS = {
    "indexPrice": 97500.25,
    "indexPriceConf": 50.0,
    "frozen": True,
    "volumeBase24h": 1.0,
    "perpStats": {
        "mark_price": 97520.0,
        "aggregated_funding_index": 1.0,
        "funding_rate": -0.0001,
        "next_funding_time": "2024-01-15T11:00:00Z",
        "open_interest": 200.5,
    },
}
FLAT = {
    "marketId": 0,
    "indexPrice": 97500.25,
    "frozen": True,
    "markPrice": 97520.0,
    "projectedFundingRate": -0.0001,
    "nextFundingTime": "2024-01-15T11:00:00Z",
    "openInterest": 200.5,
}
INNER = ("markPrice", "projectedFundingRate", "nextFundingTime", "openInterest")
NESTED = {
    **{key: value for key, value in FLAT.items() if key not in INNER},
    "perpetuals": {key: FLAT[key] for key in INNER},
    "clob": {"bestBidPrice": 1, "bestAskPrice": None},
}


def test_stats_and_live_in_both_shapes_say_the_same() -> None:
    (flat,) = parsing.lives("/l", body({"markets": [FLAT]}), CATALOG)
    (nested,) = parsing.lives("/l", body({"markets": [NESTED]}), CATALOG)
    assert flat == nested == parsing.stats("/s", body(STATS), BTC)
    assert (flat.market_id, flat.frozen) == (0, True)
    assert flat.index_price == Decimal("97500.25")
    assert flat.mark_price == 97520
    assert flat.funding_rate == Decimal("-0.0001")
    assert flat.next_funding_ns == 1_705_316_400 * 10**9
    assert flat.open_interest_lots == 20_050_000


def test_nulls_of_new_and_frozen_markets() -> None:
    new = parsing.stats("/s", b'{"indexPrice":null,"perpStats":null}', BTC)
    bare = {"marketId": 0, "indexPrice": None, "perpetuals": None}
    (live,) = parsing.lives("/l", body({"markets": [bare]}), CATALOG)
    assert new == live
    assert (new.frozen, new.index_price, new.mark_price) == (False, None, None)
    paid = {**NESTED, "perpetuals": {**NESTED["perpetuals"], "projectedFundingRate": None}}  # type: ignore[dict-item]
    (live,) = parsing.lives("/l", body({"markets": [paid]}), CATALOG)
    assert live.funding_rate is None
    assert live.mark_price == 97520


def test_the_account_of_the_protocol_page() -> None:
    found = account_parsing.account("/account/7", ACCOUNT.encode(), CATALOG)
    assert found.update_id == 812_345
    assert found.orders == (RestingOrder(5551, 0, Side.BID, 600_000, 1_000, 2_000, 17),)
    assert found.positions == (HeldPosition(0, 2_000, Decimal(61_000), 3_200_000, -10_000),)
    assert found.balances == {0: 1_000_000_000}
    margins = found.margins
    assert (margins.omf_uusd, margins.mf_uusd) == (1_003_100_000, 1_003_190_000)
    assert (margins.imf_uusd, margins.cmf_uusd) == (36_400_000, 22_800_000)
    assert (margins.mmf_uusd, margins.pon_uusd) == (12_200_000, 1_820_000_000)
    assert (margins.pn_uusd, margins.bankruptcy) == (1_220_000_000, False)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("updateId", "812345"),
        ("orders.0.orderId", "5551"),
        ("orders.0.clientOrderId", "17"),
        ("orders.0.price", 60000.00000000001),
        ("positions.0.perp.baseSize", -0.02),
        ("positions.0.perp.baseSize", 0.0199999999989617),
        # A position is a sum of fills: what is off the grid is noise, however large.
        ("positions.0.perp.baseSize", 0.02000004),
        ("positions.0.perp.sizePricePnl", None),
        ("positions.0.perp.tradingPnl", None),
        ("balances.0.token", None),
        ("balances.0.amount", 1000.0000000000001),
        ("pubkey", "x"),
    ],
)
def test_variants_of_an_account_are_the_same_account(path: str, value: Json) -> None:
    expected = account_parsing.account("/a", ACCOUNT.encode(), CATALOG)
    assert account_parsing.account("/a", changed(ACCOUNT, path, value), CATALOG) == expected


@pytest.mark.parametrize("number", [2**53 + 1, BIG, 2**64 + 1, 10**60])
def test_ids_of_any_width_keep_every_digit(number: int) -> None:
    for written in (number, str(number)):
        for path in ("orders.0.orderId", "orders.0.clientOrderId"):
            found = account_parsing.account("/a", changed(ACCOUNT, path, written), CATALOG)
            (order,) = found.orders
            got = order.order_id if path.endswith("orderId") else order.client_order_id
            assert got == number


def test_an_order_without_a_client_id_and_a_position_that_is_none() -> None:
    for form in (changed(ACCOUNT, "orders.0.clientOrderId"), changed(ACCOUNT, "positions.0.perp")):
        found = account_parsing.account("/a", form, CATALOG)
        assert (found.orders[0].client_order_id is None) != (found.positions == ())
    null = account_parsing.account("/a", changed(ACCOUNT, "positions.0.perp", None), CATALOG)
    assert null.positions == ()
    short = changed(ACCOUNT, "positions.0.perp.isLong", False)
    assert account_parsing.account("/a", short, CATALOG).positions[0].lots == -2_000


@pytest.mark.parametrize(
    "path",
    [
        "updateId",
        "orders.0.orderId",
        "orders.0.side",
        "orders.0.size",
        "orders.0.price",
        "orders.0.marketId",
        "positions.0.marketId",
        "positions.0.perp.baseSize",
        "positions.0.perp.isLong",
        "positions.0.perp.fundingPaymentPnl",
        "balances.0.amount",
        "margins.omf",
        "margins.bankruptcy",
        "orders",
        "positions",
        "balances",
        "margins",
    ],
)
def test_a_missing_or_renamed_field_is_named(path: str) -> None:
    field = path.rpartition(".")[2]
    for form in (changed(ACCOUNT, path), changed(ACCOUNT, path, name=f"{field}V2")):
        with pytest.raises(ProtocolViolation, match=rf"^/account/7: .*`{field}`"):
            account_parsing.account("/account/7", form, CATALOG)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("orders.0.side", CANARY, "orders: side"),
        ("orders.0.marketId", 9, "orders: marketId is not a listed market"),
        ("orders.0.size", 0, "orders: size is not positive"),
        ("orders.0.price", 60000.05, "orders: price is not a multiple"),
        ("orders.0.orderId", CANARY, "orders: orderId is not an integer"),
        ("orders.0.orderId", 1.5, "orders"),
        ("orders.0.orderId", None, "orders"),
        ("positions.0.marketId", -1, "positions|market"),
        ("positions.0.perp.isLong", "true", "isLong"),
        ("positions.0.perp.baseSize", CANARY, "baseSize"),
        ("positions.0.perp.baseSize", "Infinity", "baseSize is not a finite number"),
        ("balances.0.tokenId", 8, "balances: tokenId is not a listed token"),
        ("margins.mf", 1e300, "margins: mf is out of range"),
        ("margins.mf", None, "mf"),
        ("margins.bankruptcy", 0, "bankruptcy"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_never_quoted(
    path: str, value: Json, words: str
) -> None:
    with pytest.raises(ProtocolViolation, match=f"^/a: .*({words})") as caught:
        account_parsing.account("/a", changed(ACCOUNT, path, value), CATALOG)
    assert CANARY not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_two_pnl_names_neither_of_which_is_there() -> None:
    tree = json.loads(ACCOUNT)
    perp = tree["positions"][0]["perp"]
    del perp["tradingPnl"], perp["sizePricePnl"]
    with pytest.raises(ProtocolViolation, match="tradingPnl is missing"):
        account_parsing.account("/a", body(tree), CATALOG)


TRADE = {
    "time": "2026-09-13T06:44:44.117406033Z",
    "actionId": 11,
    "tradeId": 5,
    "takerId": 7,
    "takerSide": "ask",
    "makerId": 9,
    "marketId": 0,
    "orderId": BIG,
    "price": 97500.1,
    "baseSize": 0.003,
}


def test_trades_in_every_shape() -> None:
    old = {**TRADE, "size": 0.003, "side": "ask", "timestamp": 1_789_281_884_117}
    for key in ("baseSize", "takerSide", "time"):
        del old[key]
    texts = {**TRADE, "orderId": str(BIG), "tradeId": "5", "actionId": "11", "makerFee": None}
    first, last, same = (
        account_parsing.trades("/t", body(page), CATALOG)
        for page in (
            {"items": [TRADE], "nextStartInclusive": 4},
            {"trades": [old]},
            {"items": [texts], "nextStartInclusive": "4"},
        )
    )
    (trade,) = first.items
    assert (trade.trade_id, trade.order_id, trade.taker_side) == (5, BIG, Side.ASK)
    assert (trade.ticks, trade.lots) == (975_001, 300)
    assert trade.time_ns == 1_789_281_884_117_406_033
    assert (first.following, last.following, same.following) == (4, None, "4")
    assert same.items == first.items
    (older,) = last.items
    assert older.time_ns == 1_789_281_884_117_000_000
    assert (older.lots, older.taker_side) == (trade.lots, trade.taker_side)
    fees = {**TRADE, "takerFee": 0.1, "makerFee": -0.000001}
    (paid,) = account_parsing.trades("/t", body({"items": [fees]}), CATALOG).items
    assert (paid.taker_fee_uusd, paid.maker_fee_uusd) == (100_000, -1)


@pytest.mark.parametrize("name", [*TRADE])
def test_a_trade_without_one_of_its_fields_is_refused(name: str) -> None:
    form = {key: value for key, value in TRADE.items() if key != name}
    with pytest.raises(ProtocolViolation, match=f"^/t: .*{name}"):
        account_parsing.trades("/t", body({"items": [form]}), CATALOG)


def test_a_page_without_a_list_is_refused() -> None:
    with pytest.raises(ProtocolViolation, match="items is missing"):
        account_parsing.trades("/t", b'{"nextStartInclusive":1}', CATALOG)


def test_an_order_of_any_age() -> None:
    form = {
        "orderId": "5551",
        "marketId": 1,
        "side": "ask",
        "placedSize": 1.5,
        "filledSize": 0.5,
        "isReduceOnly": False,
        "fillMode": "PostOnly",
        "placedPrice": 3000.01,
        "finalizationReason": None,
    }
    found = account_parsing.order("/o", body(form), CATALOG)
    assert (found.order_id, found.side, found.mode) == (5551, Side.ASK, FillMode.POST_ONLY)
    assert (found.ticks, found.placed_lots, found.filled_lots) == (300_001, 15_000, 5_000)
    assert found.finalization is None
    market = {**form, "placedPrice": None, "fillMode": "ImmediateOrCancel"}
    market["finalizationReason"] = "Taken"
    found = account_parsing.order("/o", body(market), CATALOG)
    assert (found.ticks, found.mode, found.finalization) == (None, FillMode.IOC, "Taken")
    for key, wrong in (("fillMode", CANARY), ("finalizationReason", CANARY)):
        with pytest.raises(ProtocolViolation, match=key) as caught:
            account_parsing.order("/o", body({**form, key: wrong}), CATALOG)
        assert CANARY not in str(caught.value)


def test_fee_brackets_in_ppm_and_in_bps() -> None:
    ppm = (
        '[[0,{"maker_fee_ppm":100,"taker_fee_ppm":350}],[4,{"maker_fee_ppm":0,"taker_fee_ppm":2}]]'
    )
    bps = (
        '[[0,{"maker_fee_bps":1,"taker_fee_bps":3.5}],[4,{"maker_fee_bps":0,"taker_fee_bps":0.02}]]'
    )
    expected = {0: FeeRates(100, 350), 4: FeeRates(0, 2)}
    assert parsing.fee_brackets("/f", ppm.encode()) == expected
    assert parsing.fee_brackets("/f", bps.encode()) == expected
    for wrong in ('[[0,{"maker_fee_ppm":1}]]', '[[0,{"maker_fee_ppm":1000000,"taker_fee_ppm":1}]]'):
        with pytest.raises(ProtocolViolation, match="fee"):
            parsing.fee_brackets("/f", wrong.encode())
    assert parsing.fee_tier("/f", b" 3 ") == 3


def test_profit_in_older_and_newer_words() -> None:
    old = {"time": TRADE["time"], "actionId": 4, "accountId": 7, "pricePnlDelta": -1.5}
    old |= {"fundingPnlDelta": 0.25, "pnl": 9}
    new = {"time": TRADE["time"], "actionId": "4", "marketId": 1, "tradingPnl": -1.5}
    new |= {"settledFundingPnl": 0.25, "positionSize": 0}
    page = account_parsing.pnl("/p", body({"items": [old, new], "nextStartInclusive": None}))
    first, second = page.items
    assert (first.trading_uusd, first.funding_uusd, first.market_id) == (-1_500_000, 250_000, None)
    assert (second.trading_uusd, second.funding_uusd, second.market_id) == (-1_500_000, 250_000, 1)
    with pytest.raises(ProtocolViolation, match="settledFundingPnl is missing"):
        account_parsing.pnl("/p", body({"items": [{**new, "settledFundingPnl": None}]}))


def test_liquidations() -> None:
    rows = [
        {"actionId": "9", "liquidationKind": "place_order", "marketId": 1, "fee": 0.5},
        {"actionId": 8, "liquidationKind": "bankruptcy"},
    ]
    page = account_parsing.liquidations("/l", body({"items": rows}))
    assert page.items == (Liquidation(9, "place_order", 1), Liquidation(8, "bankruptcy", None))
    with pytest.raises(ProtocolViolation, match="liquidationKind"):
        account_parsing.liquidations("/l", body({"items": [{"actionId": 8}]}))


KEY = "7zm5YJuUsB4MYCtw6fAuxfTayLx5vQWHAAGCg2TfvjJh"


@pytest.mark.parametrize(
    "session",
    [
        {"pubkey": KEY, "expiry": "2026-09-13T06:44:44.5Z"},
        {"session_pubkey": KEY, "expiry_timestamp": 1_789_281_884},
        {"pubkey": KEY, "expiry": "1789281884", "more": []},
    ],
)
def test_a_user_with_a_session_in_every_form(session: Json) -> None:
    form = {"accountIds": [7, 9], "sessions": {str(BIG): session}, "balances": {}}
    found = parsing.user("/user", body(form))
    assert found.account_ids == (7, 9)
    assert found.sessions == (VenueSession(BIG, KEY, 1_789_281_884),)


def test_a_session_that_says_nothing_is_still_listed() -> None:
    form = {"accountIds": [], "sessions": {"3": {"pubkey": 5, "expiry": "soon"}, "4": {}}}
    found = parsing.user("/user", body(form))
    assert found.sessions == (VenueSession(3, None, None), VenueSession(4, None, None))
    assert parsing.user("/user", b'{"accountIds":[1]}').sessions == ()
    with pytest.raises(ProtocolViolation, match=r"^/user: sessions is not an integer$"):
        parsing.user("/user", body({"accountIds": [], "sessions": {CANARY: {}}}))


def test_the_engines_second() -> None:
    assert parsing.engine_second("/timestamp", b" 1780000000\n") == 1_780_000_000
    for wrong in (b"1780000000.5", b'"1780000000"', b"null", b"-1", b"0", b"1e9", b"9" * 30, b""):
        with pytest.raises(ProtocolViolation, match=r"^/timestamp: "):
            parsing.engine_second("/timestamp", wrong)


READERS: list[Callable[[bytes], object]] = [
    lambda raw: parsing.catalog("/e", raw),
    lambda raw: parsing.engine_second("/e", raw),
    lambda raw: parsing.user("/e", raw),
    lambda raw: parsing.book("/e", raw, BTC),
    lambda raw: parsing.stats("/e", raw, BTC),
    lambda raw: parsing.lives("/e", raw, CATALOG),
    lambda raw: parsing.fee_brackets("/e", raw),
    lambda raw: parsing.fee_tier("/e", raw),
    lambda raw: account_parsing.account("/e", raw, CATALOG),
    lambda raw: account_parsing.trades("/e", raw, CATALOG),
    lambda raw: account_parsing.order("/e", raw, CATALOG),
    lambda raw: account_parsing.pnl("/e", raw),
    lambda raw: account_parsing.liquidations("/e", raw),
]
HOSTILE = {
    "nothing": b"",
    "cut off": ACCOUNT.encode()[:-7],
    "page": b"<html>502 Bad Gateway</html>",
    "not text": b"\xff\xfe\x00",
    "nan": b"NaN",
    "infinity": b"Infinity",
    "deep": b"[" * 200_000,
    "deep objects": b'{"updateId":' * 50_000,
    "deep unknown": b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "digits": b"9" * 1_000_000,
    "long fraction": b"0." + b"1" * 1_000_000,
    "exponent": b"1e999999999999",
    "two values": b"1 2",
    "null": b"null",
    "text": b'"' + CANARY.encode() + b'"',
    "list": b"[[[]]]",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("read", READERS)
def test_hostile_bodies_end_in_one_short_error(read: Callable[[bytes], object], name: str) -> None:
    with pytest.raises(ProtocolViolation, match=r"^/e: ") as caught:
        read(HOSTILE[name])
    assert len(str(caught.value)) < 200
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_numbers_of_a_megabyte_cost_no_more_than_their_text() -> None:
    digits = "1" * 1_000_000
    form = f'{{"updateId":1,"asks":[[{digits}.5,1{digits}e-999999]],"bids":[]}}'.encode()
    tracemalloc.start()
    with pytest.raises(ProtocolViolation, match="asks: price is out of range"):
        parsing.book("/b", form, BTC)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * len(form)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["markets", "orders", "items", "updateId", "asks", "perp", "sessions"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(TREES, st.sampled_from(READERS))
def test_any_json_is_read_or_refused(tree: Json, read: Callable[[bytes], object]) -> None:
    with suppress(ProtocolViolation):
        read(json.dumps(tree).encode())


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.data())
def test_an_account_with_any_byte_changed_is_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(ACCOUNT.encode())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    with suppress(ProtocolViolation):
        account_parsing.account("/e", bytes(raw), CATALOG)
