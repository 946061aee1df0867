import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.adapters.reference_ticks import BookTicker, TickFilter, read_ticker, reference_symbol

MS = 1_000_000
FUTURES = (
    b'{"e":"bookTicker","u":400900217,"E":1568014460893,"T":1568014460891,"s":"BNBUSDT",'
    b'"b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}'
)


def trusting(price: float = 100.0) -> TickFilter:
    one = TickFilter()
    told = [one.mid(price - 0.5, price + 0.5, number) for number in range(5)]
    assert told == [None] * 4 + [price]
    return one


def test_the_forms_of_a_quote() -> None:
    ticker = BookTicker("BNBUSDT", 400900217, 25.3519, 25.3652, 1568014460891 * MS)
    assert read_ticker(FUTURES) == ticker
    assert read_ticker(b'{"stream":"bnbusdt@bookTicker","data":' + FUTURES + b"}") == ticker
    spot = read_ticker(b'{"u":1,"s":"BNBUSDT","b":"25.3519","B":"1","a":"25.3652","A":"1"}')
    assert spot == BookTicker("BNBUSDT", 1, 25.3519, 25.3652, None)


@pytest.mark.parametrize(
    "frame", [b"{}", b'{"result":null,"id":1}', b'{"e":"aggTrade","s":"BNBUSDT","p":"1"}']
)
def test_other_messages_are_passed_over(frame: bytes) -> None:
    assert read_ticker(frame) is None


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"[]",
        b"\xff",
        FUTURES[:-1],
        FUTURES.replace(b'"25.35190000"', b"25.3519"),
        FUTURES.replace(b'"25.35190000"', b'"25,35"'),
        FUTURES.replace(b'"25.35190000"', b'"' + b"1" * 99 + b'"'),
        FUTURES.replace(b"400900217", b'"x"'),
        FUTURES.replace(b'"s":"BNBUSDT",', b""),
        b'{"stream":"x","data":5}',
        b'{"data":' + FUTURES + b"}",
    ],
)
def test_senseless_frames_are_refused(frame: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_ticker(frame)


@pytest.mark.parametrize(
    ("bid", "ask"),
    [(0, 1), (-1, 1), (101, 100), (math.nan, 100), (100, math.nan), (100, math.inf), (0, 0)],
)
def test_what_is_no_quote_is_rejected(bid: float, ask: float) -> None:
    one = trusting()
    assert one.mid(bid, ask, 10) is None
    assert one.rejected == 1
    assert one.mid(99.5, 100.5, 11) == 100.0


def test_a_spike_is_held_back_and_the_price_goes_on() -> None:
    one = trusting()
    assert one.mid(100_000, 100_001, 10) is None
    assert one.mid(100.9, 101.1, 11) == 101.0
    assert one.mid(101.1, 101.3, 12) is None


def test_a_move_that_persists_is_believed_after_a_second() -> None:
    one = trusting()
    told = [one.mid(89.5, 90.5, number * 100 * MS) for number in range(12)]
    assert told[:10] == [None] * 10
    assert told[10:] == [90.0, 90.0]


def test_spikes_that_do_not_agree_never_persist() -> None:
    one = trusting()
    for number in range(100):
        price = 50.0 if number % 2 else 200.0
        assert one.mid(price, price, number * 100 * MS) is None
    assert one.mid(100, 100, 10**10) == 100.0


def test_trust_is_built_anew_after_a_reset() -> None:
    one = trusting()
    one.reset()
    assert one.mid(50, 50, 0) is None


def test_the_first_quotes_may_be_the_poisoned_ones() -> None:
    one = TickFilter()
    assert one.mid(5, 5, 0) is None
    told = [one.mid(100, 100, number) for number in range(1, 6)]
    assert told == [None] * 4 + [100.0]


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=60))
def test_what_comes_out_is_always_near_the_last_five(quotes: list[tuple[float, float]]) -> None:
    one = trusting()
    kept = [100.0] * 5
    for number, (bid, ask) in enumerate(quotes):
        mid = one.mid(bid, ask, number)
        if mid is not None:
            assert abs(mid - sorted(kept[-5:])[2]) <= 0.0100001 * sorted(kept[-5:])[2]
            kept.append(mid)


def test_names_by_rule() -> None:
    assert reference_symbol("BTCUSD") == "BTCUSDT"
    assert reference_symbol("kPEPEUSD") == "1000PEPEUSDT"
    assert reference_symbol("KSMUSD") == "KSMUSDT"
    for symbol in ("BTC-PERP", "USD", "BTCEUR"):
        with pytest.raises(ValueError, match=symbol):
            reference_symbol(symbol)


def test_json_numbers_are_no_prices_of_theirs() -> None:
    with pytest.raises(ValueError, match="bookTicker"):
        read_ticker(json.dumps({"s": "X", "u": 1, "b": "1", "a": 2}).encode())
