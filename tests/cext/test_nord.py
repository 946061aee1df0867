import json
import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmbot.cext.nord import Deltas, refuse_repeats
from mmbot.cext.orderbook import OrderBook
from tests.oracle import nord as oracle
from tests.oracle.orderbook import OracleBook

MARKETS = {"BTCUSD": (1, 5), "kPEPEUSD": (6, 0)}
NATIVE = [(symbol, *grid) for symbol, grid in MARKETS.items()]
CORPUS = Path(__file__).parents[1] / "corpus" / "deltas"
LIVE = (
    b'{"delta":{"last_update_id":812345,"update_id":812399,"market_symbol":"BTCUSD",'
    b'"asks":[[64000.1,1.40892],[64000.2,0.0]],"bids":[[64000.0,0.66173],[63999.9,2.6746]]}}'
)


def native(frame: bytes) -> oracle.Found | None:
    deltas = Deltas(NATIVE)
    try:
        ids = deltas.parse(frame)
    except ValueError:
        assert deltas.bids == []
        assert deltas.asks == []
        return None
    return (*ids, deltas.bids, deltas.asks)


def slow(frame: bytes) -> oracle.Found | None:
    try:
        return oracle.read_delta(frame, MARKETS)
    except oracle.Refused:
        return None


def delta(asks: str = "[]", bids: str = "[]", **others: str) -> bytes:
    members = {"update_id": "7", "market_symbol": '"BTCUSD"', "asks": asks, "bids": bids, **others}
    inside = ",".join(f'"{key}":{value}' for key, value in members.items())
    return f'{{"delta":{{{inside}}}}}'.encode()


def one_level(price: str, size: str = "1") -> list[tuple[int, int]] | None:
    found = native(delta(f"[[{price},{size}]]"))
    return None if found is None else found[4]


def test_the_live_form() -> None:
    assert native(LIVE) == (
        0,
        812345,
        812399,
        [(640000, 66173), (639999, 267460)],
        [(640001, 140892), (640002, 0)],
    )


@pytest.mark.parametrize(
    "frame",
    [
        b'{"delta":{"e":"delta","last_update_id":1,"update_id":7,"market_symbol":"BTCUSD",'
        b'"asks":[{"price":2.5,"size":1}],"bids":[],"timestamp":1758000000}}',
        b'{"delta":{"asks":[{"size":1,"price":2.5}],"bids":[],"update_id":"7",'
        b'"market_symbol":"BTCUSD","last_update_id":"1"},"seq":[{"deep":null}]}',
        b' {\r\n\t"later" : {"x":"\\u00e9"} , "delta" : { "bids" : [ ] , "asks" : [ [ 25e-1 , '
        b'0.1E1 ] ] , "market_symbol" : "BTCUSD" , "update_id" : 7 , "last_update_id" : 1 } } \n',
    ],
)
def test_every_variant_of_the_protocol_reads_the_same(frame: bytes) -> None:
    assert native(frame) == (0, 1, 7, [], [(25, 100000)])


def test_a_missing_chain_id_cannot_be_checked_and_zero_is_a_restart() -> None:
    assert native(delta()) == (0, None, 7, [], [])
    assert native(delta(last_update_id="null")) == (0, None, 7, [], [])
    assert native(delta(last_update_id="0")) == (0, 0, 7, [], [])


def test_the_grid_is_that_of_the_symbol_wherever_it_stands() -> None:
    early = b'{"delta":{"market_symbol":"kPEPEUSD","update_id":7,"asks":[[0.012345,3]]}}'
    late = b'{"delta":{"asks":[[0.012345,3]],"update_id":7,"market_symbol":"kPEPEUSD"}}'
    assert native(early) == native(late) == (1, None, 7, [], [(12345, 3)])
    assert native(early.replace(b"kPEPEUSD", b"BTCUSD")) is None


@pytest.mark.parametrize(
    ("price", "size", "level"),
    [
        ("64000.10000000001", "0.00002", (640001, 2)),
        ("64000.1", "0.0000199999999989617", (640001, 2)),
        ("6.40001e4", "2E-5", (640001, 2)),
        ("640001e-1", "0.2e-00004", (640001, 2)),
        ("64000.100000000000000000000", "0.000020", (640001, 2)),
        ("0.1", "0", (1, 0)),
        ("0.1", "0e999999999999", (1, 0)),
        ("0.1", "90071992547.40992", (1, 2**53)),
        ("0.10000009999999999", "1", (1, 100000)),
        ("0.1000001", "1", (1, 100000)),
    ],
)
def test_numbers_land_on_their_grid(price: str, size: str, level: tuple[int, int]) -> None:
    assert one_level(price, size) == [level]


@pytest.mark.parametrize(
    ("price", "size"),
    [
        ("64000.15", "1"),
        ("0.10000011", "1"),
        ("0.0999998", "1"),
        ("0", "1"),
        ("0.0", "1"),
        ("-1", "1"),
        ("1", "-1"),
        ("1", "-0"),
        ("1", "1e-300"),
        ("1", "1e-9"),
        ("1", "0.000001"),
        ("1e400", "1"),
        ("1e-400", "1"),
        ("1", "1e400"),
        ("1", "90071992547.40993"),
        ("1", "99999999999999999999"),
        ("1", "18446744073709551617"),
        ("1", "0.1234567890123456789"),
        ("NaN", "1"),
        ("Infinity", "1"),
        ("1", "null"),
        ("1", "true"),
        ("1", '"1"'),
        ("01", "1"),
        ("1.", "1"),
        (".1", "1"),
        ("+1", "1"),
        ("1e", "1"),
        ("0x1", "1"),
        ("1", ""),
        ("1", "1,1"),
        ("1", "1]"),
    ],
)
def test_what_no_grid_holds_is_refused(price: str, size: str) -> None:
    assert one_level(price, size) is None


@pytest.mark.parametrize(
    "change",
    [
        {"update_id": "9223372036854775808"},
        {"update_id": "99999999999999999999999"},
        {"update_id": '"9223372036854775808"'},
        {"update_id": "-1"},
        {"update_id": "1.0"},
        {"update_id": "1e3"},
        {"update_id": "01"},
        {"update_id": '"7'},
        {"update_id": '""'},
        {"update_id": "null"},
        {"last_update_id": "1.5"},
        {"last_update_id": "true"},
        {"market_symbol": '"ETHUSD"'},
        {"market_symbol": '"BTCUSDT"'},
        {"market_symbol": '"BTCUS"'},
        {"market_symbol": '"\\u0042TCUSD"'},
        {"market_symbol": "0"},
        {"asks": "null"},
        {"asks": "{}"},
        {"asks": "[[]]"},
        {"asks": "[[1,1],]"},
        {"asks": '[{"price":1}]'},
        {"asks": '[{"price":1,"size":1,"price":2}]'},
        {"asks": "[" * 200 + "]" * 200},
        {"note": "[" * 20 + "]" * 20},
        {"note": '{"a":' * 2000 + "1" + "}" * 2000},
        {'update_id":7,"update_id': "7"},
        {'bids":[],"bids': "[]"},
        {'market_symbol":"BTCUSD","market_symbol': '"BTCUSD"'},
        {"\\u0062ids": "[]"},
    ],
)
def test_a_bad_member_refuses_the_frame(change: dict[str, str]) -> None:
    frame = delta(**change)
    assert native(frame) is None
    assert slow(frame) is None


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"\x00",
        LIVE + b"x",
        LIVE + b"\x00",
        LIVE[:-1],
        LIVE.replace(b"BTCUSD", b"BTC\x00USD"),
        b'{"delta":{}}',
        b'{"delta":null}',
        b'{"delta":[]}',
        b'{"trades":{"update_id":7,"market_symbol":"BTCUSD"}}',
        b"{" + LIVE[1:-1] + b"," + LIVE[1:-1] + b"}",
    ],
)
def test_what_is_no_delta_is_refused(frame: bytes) -> None:
    assert native(frame) is None
    assert slow(frame) is None


def test_the_largest_ids_stay_whole() -> None:
    found = native(delta(last_update_id='"9223372036854775806"', update_id="9223372036854775807"))
    assert found == (0, 2**63 - 2, 2**63 - 1, [], [])


def test_the_reason_says_where_and_what() -> None:
    with pytest.raises(ValueError, match="character 59: expected a number on the grid, found"):
        Deltas(NATIVE).parse(delta("[[64000.15,1]]"))


def test_apply_sets_the_levels_and_a_refused_frame_none() -> None:
    deltas, book = Deltas(NATIVE), OrderBook()
    book.set_level(1, 640000, 5)
    with pytest.raises(ValueError, match="parsed"):
        deltas.apply(book.capsule)
    with pytest.raises(ValueError, match="character"):
        deltas.parse(LIVE[:-2] + b',"x":}}')
    with pytest.raises(ValueError, match="parsed"):
        deltas.apply(book.capsule)
    assert book.levels(1, 9) == [(640000, 5)]
    assert book.levels(-1, 9) == []
    deltas.parse(LIVE)
    deltas.apply(book.capsule)
    assert book.levels(1, 9) == [(640000, 66173), (639999, 267460)]
    assert book.levels(-1, 9) == [(640001, 140892)]


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
        b" [ ] ",
        b"{}",
        b'"\\u0041"',
        b"-1.5e3",
        b'{"":null," ":true}',
        b"[" * 16 + b"]" * 16,
    ],
)
def test_values_with_each_key_once_pass(text: bytes) -> None:
    refuse_repeats(text)
    json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"b":[0,{"a":1,"c":{},"a":2}]}',
        b'{"a":1,"\\u0061":1}',
        b'{"a":1',
        b'{"a" 1}',
        b'{"a":1,}',
        b"[1,]",
        b"{a:1}",
        b"[1 2]",
        b"nul",
        b"01",
        b"",
        b"[]x",
        b"[]\x00",
        b"[" * 17 + b"]" * 17,
        b"[" * 100_000,
    ],
)
def test_a_key_twice_and_what_is_no_json_are_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        refuse_repeats(text)


def test_markets_must_differ_and_have_a_grid() -> None:
    with pytest.raises(ValueError, match="again"):
        Deltas([("BTCUSD", 1, 5), ("BTCUSD", 1, 5)])
    with pytest.raises(ValueError, match="decimals"):
        Deltas([("BTCUSD", 13, 5)])
    with pytest.raises(ValueError, match="symbol"):
        Deltas([]).parse(LIVE)


digits = st.integers(0, 10**20).map(str) | st.integers(0, 3000).map(str)
numbers = st.one_of(
    st.builds(lambda a, b: f"{a}.{b}", digits, st.integers(0, 10**8).map(str)),
    st.builds(lambda a, e, x: f"{a}{e}{x}", digits, st.sampled_from("eE"), st.integers(-30, 30)),
    st.floats(0, 1e13).map(repr),
    st.floats(0, 2).map(repr),
    st.integers(1, 10**9).map(lambda ticks: repr(ticks / 10)),
    st.builds(lambda n, noise: repr(n * 1e-5 + noise), st.integers(0, 9999), st.floats(0, 2e-11)),
    st.sampled_from(["0", "-0", "-1", "1e400", "NaN", "0.1", "0.100000100000000001", "1e-7"]),
)


@settings(max_examples=400)
@given(numbers, numbers)
@example("0.0000001", "0.00000000001")
@example("0.05", "0.000005")
def test_numbers_equal_the_slow_reading(price: str, size: str) -> None:
    frame = delta(f"[[{price},{size}]]")
    assert native(frame) == slow(frame)


# Frames of any form: members in any order, levels as pairs or objects, foreign members.
prices = st.integers(1, 10**7).map(lambda ticks: repr(ticks / 10))
sizes = st.integers(0, 10**9).map(lambda lots: repr(lots * 1e-5))
pairs = st.builds("[{},{}]".format, prices, sizes)
named = st.builds('{{"size":{},"x":[0],"price":{}}}'.format, sizes, prices)
sides = st.lists(pairs | named, max_size=6).map(lambda levels: f"[{','.join(levels)}]")
words = st.text('ab"\\/\n\u00e9', max_size=4)
foreign = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
).map(json.dumps)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    ids = st.integers(0, 2**63 - 1).map(str)
    members = {
        "update_id": draw(ids | ids.map('"{}"'.format)),
        "market_symbol": draw(st.sampled_from(['"BTCUSD"'] * 4 + ['"kPEPEUSD"'])),
        "asks": draw(sides),
        "bids": draw(sides),
    }
    if draw(st.booleans()):
        members["last_update_id"] = draw(ids)
    if draw(st.booleans()):
        members["timestamp"] = draw(foreign)
    blank = draw(st.sampled_from(["", " ", "\n"]))
    order = draw(st.permutations(list(members)))
    inside = ",".join(f'{blank}"{key}":{blank}{members[key]}' for key in order)
    return f'{blank}{{"delta":{{{inside}{blank}}}}}'.encode()


@settings(max_examples=300)
@given(frames())
def test_whole_frames_equal_the_slow_reading(frame: bytes) -> None:
    found = native(frame)
    assert found == slow(frame)
    if found is not None:
        assert json.loads(frame)["delta"]["market_symbol"] == list(MARKETS)[found[0]]


ANY_DIGIT = bytes.maketrans(b"123456789", b"907432568")


def mutated(frame: bytes, dice: random.Random) -> bytes:
    text = bytearray(frame)
    for _ in range(dice.choice([1, 1, 2, 3])):
        at = dice.randrange(len(text) + 1)
        match dice.randrange(5):
            case 0:
                text[at:at] = bytes([dice.choice(b'{}[],:".0123456789eE+-\\ntu\x00\x7f\xff ')])
            case 1:
                del text[at : at + dice.randint(1, 4)]
            case 2:
                text[at : at + 1] = bytes([dice.randrange(256)])
            case 3:
                text[at : at + 1] = text[at : at + 1].translate(ANY_DIGIT, b"0")
            case _:
                end = min(at + dice.randint(1, 30), len(text))
                text[at:at] = text[at:end]
    return bytes(text)


# A fixed seed: the same ten thousand hostile frames at every run.
def test_mutated_frames_equal_the_slow_reading() -> None:
    dice = random.Random(20261122)
    seeds = [path.read_bytes() for path in sorted(CORPUS.glob("good-*"))]
    assert len(seeds) > 5
    accepted = 0
    for _ in range(10_000):
        frame = mutated(dice.choice(seeds), dice)
        found = native(frame)
        assert found == slow(frame), frame
        accepted += found is not None
    assert 1000 < accepted < 9000  # both answers are met often


@pytest.mark.parametrize("path", sorted(CORPUS.iterdir()), ids=lambda path: path.stem)
def test_the_corpus_equals_the_slow_reading(path: Path) -> None:
    frame = path.read_bytes()
    assert native(frame) == slow(frame)
    # The name says what a person decided about it.
    assert (native(frame) is not None) == path.stem.startswith("good")


level_lists = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), max_size=8)


@given(st.lists(st.tuples(level_lists, level_lists), max_size=6))
def test_applied_frames_make_the_book_a_naive_one_has(
    steps: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]],
) -> None:
    deltas, book, naive = Deltas(NATIVE), OrderBook(), OracleBook()
    for bids, asks in steps:
        text = [
            json.dumps([[ticks / 10, lots * 1e-5] for ticks, lots in side]) for side in (asks, bids)
        ]
        deltas.parse(delta(*text))
        deltas.apply(book.capsule)
        naive.apply(bids, asks)
    assert book.levels(1, 99, False) == naive.levels(1, 99, False)
    assert book.levels(-1, 99, False) == naive.levels(-1, 99, False)
