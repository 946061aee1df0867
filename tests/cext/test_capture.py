import json
import struct
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.cext.capture import (
    BookCheck,
    Decoder,
    EventDecoder,
    OrderCheck,
    Sequencer,
    Window,
    arrival_rows,
    pack_rows,
    split_rows,
    unpack_rows,
)
from mmbot.cext.orderbook import OrderBook
from tests.oracle import capture as oracle
from tests.unit.tape.lines import MS, NS, Row, depth, line, packed, rows_of, snapshot, trade

GRID = ((1, 1), (3, 1))
SURVEY = ((8, 1), (8, 1))
HORIZON = 10_000_000_000
BOTH = oracle.EXCH | oracle.LOCAL


def decode(lines: list[str], **options: int) -> list[Row]:
    snapshots = sum("lastUpdateId" in text for text in lines)
    rule = "exchange" if options.get("chained", 0) else "arrival"
    decoder = Decoder(GRID, 0, options.get("offset_ns", 0), rule, snapshots)
    text = "".join(f"{text}\n" for text in lines).encode()
    assert decoder.feed(text) == len(text)
    return rows_of(decoder.take())


def fault(text: str) -> str:
    decoder = Decoder(GRID)
    with pytest.raises(ValueError, match="character") as caught:
        decoder.feed(text.encode() + b"\n")
    return str(caught.value)


prices = st.integers(900, 1100).map(lambda ticks: f"{ticks // 10}.{ticks % 10}0")
sizes = st.integers(0, 5_000).map(lambda lots: f"{lots // 1000}.{lots % 1000:03d}")
levels = st.lists(st.tuples(prices, sizes), max_size=4)
some_levels = st.lists(st.tuples(prices, sizes), min_size=1, max_size=3)


@st.composite
def captures(draw: st.DrawFn) -> list[str]:
    """Diffs with now and then a missing one, snapshots before or behind the book, trades."""
    lines: list[str] = []
    local, exch, last, trade_id = 100, 0, 1_000, 1
    for _ in range(draw(st.integers(1, 30))):
        local += draw(st.integers(0, 5))
        exch = max(exch + draw(st.integers(-8, 12)), 0)
        kind = draw(st.sampled_from("dddddgotts"))
        if kind in "dgo":
            shift = draw(st.integers(1, 5))
            previous = last + {"d": 0, "g": shift, "o": -shift}[kind]
            first = previous + draw(st.integers(1, 3))
            last = max(last, first) + draw(st.integers(0, 9))
            ids = (first, last, previous)
            lines.append(depth(local, exch, ids, draw(levels), draw(levels)))
        elif kind == "t":
            order_type = draw(st.sampled_from(["MARKET", "MARKET", "NA"]))
            sold = draw(st.booleans())
            at = (local, exch)
            lines.append(trade(at, trade_id, "100.10", "0.010", sold=sold, order_type=order_type))
            trade_id += 1
        else:
            seen = last + draw(st.integers(-20, 6))
            lines.append(snapshot(local, exch, seen, draw(some_levels), draw(some_levels)))
    return lines


@settings(max_examples=200, deadline=None)
@given(captures(), st.booleans(), st.integers(-5_000_000, 5_000_000))
def test_decoding_agrees_with_the_oracle(lines: list[str], chained: bool, offset: int) -> None:
    expected = oracle.arrival_rows(
        lines, Decimal("0.1"), Decimal("0.001"), offset_ns=offset, chained=chained
    )
    assert decode(lines, chained=chained, offset_ns=offset) == expected


@settings(max_examples=100, deadline=None)
@given(captures(), st.data())
def test_the_order_of_keys_and_the_cut_of_blocks_do_not_matter(
    lines: list[str], data: st.DataObject
) -> None:
    shuffled = []
    for text in lines:
        message = json.loads(text[20:])
        if "data" in message:
            inner = data.draw(st.permutations(list(message["data"].items())))
            message = dict([("data", dict(inner)), ("stream", message["stream"])])
        else:
            message = dict(data.draw(st.permutations(list(message.items()))))
        shuffled.append(text[:20] + json.dumps(message))
    whole = "".join(f"{text}\n" for text in shuffled).encode()
    decoder, rest, rows = Decoder(GRID), b"", b""
    size = data.draw(st.integers(1, 400))
    for start in range(0, len(whole), size):
        block = rest + whole[start : start + size]
        rest = block[decoder.feed(block) :]
        rows += decoder.take()
    assert rest == b""
    assert decoder.line == len(lines)
    assert rows_of(rows) == decode(lines)


def test_the_exchange_rule_by_hand() -> None:
    lines = [
        depth(1, 1, (1, 10, 0), [("99.0", "1")]),  # u <= 15: older than the snapshot
        depth(2, 12, (11, 20, 10), [("99.1", "2")]),  # U <= 15 < u: straddles it, first to apply
        depth(3, 13, (21, 30, 20), [("99.2", "3")]),
        snapshot(9, 11, 15, [("98.0", "5")], [("101.0", "6")]),
        depth(10, 14, (31, 40, 30), [("99.3", "4")]),
        depth(11, 15, (51, 60, 50), [("99.4", "5")]),  # pu 50 is not 40: ids 41..50 are missing
    ]
    at = [(NS + exch * 10**6, NS + local * 10**6) for exch, local in ((11, 9), (12, 9), (13, 9))]
    bid = oracle.BUY
    assert decode(lines, chained=1) == [
        (*at[0], 980, 0, oracle.CLEAR | bid, 0),
        (*at[0], 980, 5000, oracle.SNAPSHOT | bid, 0),
        (*at[0], 1010, 0, oracle.CLEAR | oracle.SELL, 0),
        (*at[0], 1010, 6000, oracle.SNAPSHOT | oracle.SELL, 0),
        (*at[1], 991, 2000, oracle.DEPTH | bid, 0),
        (*at[2], 992, 3000, oracle.DEPTH | bid, 0),
        (NS + 14_000_000, NS + 10_000_000, 993, 4000, oracle.DEPTH | bid, 0),
        (NS + 15_000_000, NS + 11_000_000, 0, 0, oracle.CLEAR | bid, 0),
        (NS + 15_000_000, NS + 11_000_000, 1 << 62, 0, oracle.CLEAR | oracle.SELL, 0),
        (NS + 15_000_000, NS + 11_000_000, 994, 5000, oracle.DEPTH | bid, 0),
    ]


def test_diffs_behind_a_gap_wait_on_for_the_next_snapshot() -> None:
    lines = [
        depth(1, 1, (11, 20, 10), [("99.1", "1"), ("98.1", "1")]),
        depth(2, 2, (31, 40, 30), [("99.2", "2"), ("98.2", "2")]),  # 21..30 are missing
        depth(3, 3, (41, 50, 40), [("99.3", "3")]),
        snapshot(4, 4, 15, [("90.0", "1")], []),
        snapshot(5, 5, 40, [("91.0", "1")], []),
    ]
    rows = decode(lines, chained=1)
    # Each snapshot is a clear and a level; the gap clears both sides; u 40 is in the second.
    assert [(row[2], row[3]) for row in rows] == [
        *((900, 0), (900, 1000), (991, 1000), (981, 1000)),
        *((0, 0), (1 << 62, 0)),
        *((910, 0), (910, 1000), (993, 3000)),
    ]


def test_a_gap_is_told_with_line_and_ids() -> None:
    decoder = Decoder(GRID, rule="exchange")
    lines = [depth(1, 1, (1, 10, 0)), depth(2, 2, (21, 30, 20)), depth(3, 3, (31, 40, 30))]
    decoder.feed("".join(f"{text}\n" for text in lines).encode())
    assert (decoder.figures["gaps"], decoder.gaps) == (1, [(2, 10, 20)])


def test_diffs_do_not_wait_without_bound() -> None:
    decoder = Decoder(GRID, rule="exchange", snapshots=1)
    levels_ = [("100.0", "1")] * 600_000
    for number in range(3):
        ids = (number + 1, number + 1, number)
        decoder.feed(depth(number, number, ids, levels_).encode() + b"\n")
    # The third finds 1.2 million rows waiting, more than a million: the first two are given up.
    decoder.feed(snapshot(5, 5, 2, [("99.0", "1")], []).encode() + b"\n")
    assert decoder.figures["dropped_diffs"] == 2
    assert len(rows_of(decoder.take())) == 2 + 600_000


def test_spot_messages_chain_by_their_first_id() -> None:
    def spot(local: int, first: int, last: int) -> str:
        told = {"e": "depthUpdate", "E": MS + local, "s": "BTCUSDT", "U": first, "u": last}
        return line(local, told | {"b": [["100", "1"]], "a": []})

    decoder = Decoder(GRID, rule="exchange")
    for text in (spot(1, 1, 5), spot(2, 6, 9), spot(3, 11, 12)):
        decoder.feed(text.encode() + b"\n")
    assert decoder.gaps == [(3, 9, 10)]
    assert rows_of(decoder.take())[0][0] == NS + 1_000_000


@pytest.mark.parametrize(("first", "gaps"), [(3, []), (6, []), (7, [(2, 5, 6)])])
def test_a_spot_diff_joins_a_snapshot_it_straddles_or_follows(
    first: int, gaps: list[tuple[int, int, int]]
) -> None:
    told = {"e": "depthUpdate", "E": MS + 2, "s": "BTCUSDT", "U": first, "u": 9}
    decoder = Decoder(GRID, rule="exchange", snapshots=1)
    for text in (
        snapshot(1, 1, 5, [("99", "1")], []),
        line(2, told | {"b": [["100", "1"]], "a": []}),
    ):
        decoder.feed(text.encode() + b"\n")
    assert decoder.gaps == gaps


def test_trades_that_hit_no_order_and_missing_ids_are_counted() -> None:
    lines = [
        trade((1, 1), 5, "100", "1"),
        trade((2, 2), 6, "0", "0", order_type="NA"),
        trade((3, 3), 9, "100", "1", sold=True),
    ]
    decoder = Decoder(GRID)
    decoder.feed("".join(f"{text}\n" for text in lines).encode())
    names = ("trades", "other_trades", "missing_trades")
    assert [decoder.figures[name] for name in names] == [2, 1, 2]  # ids 7 and 8 never came


@pytest.mark.parametrize("value", ["0", "-1.5e+3", '"\\u00e9\\n\\""', "[1,{}]", "null", "true"])
def test_members_of_no_interest_are_passed_over(value: str) -> None:
    text = depth(1, 1, (1, 2, 0), [("1.0", "1")])
    assert decode([text.replace('"e":', f'"odd":{value},"e":')]) == decode([text])


def test_partial_depth_streams_are_no_diffs() -> None:
    text = depth(1, 1, (1, 2, 0), [("1", "1")]).replace("@depth@0ms", "@depth20@100ms")
    assert decode([text]) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("garbage", "expected 19 digits of local time and a message"),
        ("17231612550303146x7 {}", "expected 19 digits"),
        (f"{NS}  ", "expected a JSON object, found the end"),
        (f"{NS}{{}}", "expected one blank"),
        (f"{NS} {{}} x", "expected nothing behind the message, found 'x'"),
        (f'{NS} {{"a":[["1.0","1"]}}', "expected a comma or the end of the levels, found '}'"),
        (f'{NS} {{"a":[["1.0",1]]}}', "expected a size in quotes"),
        (f'{NS} {{"a":[["-1.0","1"]]}}', "expected a decimal number without sign, found '-1.0"),
        (f'{NS} {{"a":[["NaN","1"]]}}', "expected a decimal number without sign, found 'NaN"),
        (f'{NS} {{"a":[["1.","1"]]}}', "expected a digit after the point"),
        (f'{NS} {{"a":[["1e5","1"]]}}', "expected the closing quote"),
        (f'{NS} {{"a":[["0.0","1"]]}}', "expected a price above zero"),
        (f'{NS} {{"a":[["1.05","1"]]}}', "expected a number on the grid, found '1.05"),
        (f'{NS} {{"a":[["1.0","1.0001"]]}}', "expected a number on the grid"),
        (f'{NS} {{"a":[["123456789012345678.0","1"]]}}', "at most 18 digits"),
        (f'{NS} {{"u":1234567890123456789}}', "at most 18 digits"),
        (f'{NS} {{"u":1,"u":2}}', "expected each key once"),
        (f'{NS} {{"e":"depthUpdate","T":1,"s":"X","U":1,"u":2,"b":[]}}', "expected T, s, U, u, b"),
        (f'{NS} {{"e":"trade","T":1,"s":"X","t":1,"p":"1","q":"1"}}', "expected T, s, t, p, q"),
        (f'{NS} {{"lastUpdateId":1,"bids":[]}}', "expected lastUpdateId, bids and asks"),
        (f'{NS} {{"x":' + "[" * 40 + "]" * 40 + "}", "expected less nesting"),
        (f'{NS} {{"x":tru}}', "expected a value"),
        (f'{NS} {{"x":"\x01"}}', "expected the end of a string"),
        (f'{NS} {{"x":"\\c"}}', "expected an escape of JSON"),
        (f'{NS} {{"x":"\\u12g4"}}', "expected four hexadecimal digits"),
        (f'{NS} {{"x":012}}', "expected a value"),
        (f'{NS} {{"x":1.}}', "expected a digit"),
        (f'{NS} {{"x":1e+}}', "expected a digit"),
        (f'{NS} {{"u":012}}', "expected a whole number"),
    ],
)
def test_garbage_is_refused_with_its_place(text: str, why: str) -> None:
    assert why in fault(text)


def test_a_fault_names_the_character() -> None:
    text = f'{NS} {{"a":[["1.0","x"]]}}'
    assert fault(text).startswith(f"character {text.index('x') + 1}: ")


@settings(max_examples=150, deadline=None)
@given(captures(), st.data())
def test_a_damaged_line_is_an_error_or_read_as_json_reads_it(
    lines: list[str], data: st.DataObject
) -> None:
    text = bytearray(lines[0].encode())
    place = data.draw(st.integers(20, len(text) - 1))
    likely = st.sampled_from(b'\\"[]{}:,.0 -et\r\x00')
    text[place] = data.draw(likely | st.integers(0, 255).filter(lambda byte: byte != 10))
    decoder = Decoder(GRID)
    try:
        decoder.feed(bytes(text) + b"\n")
    except ValueError:
        assert decoder.take() == b""
        return
    json.loads(bytes(text[20:]).decode("latin-1"), strict=False)


def test_time_that_goes_back_and_a_second_symbol_are_refused() -> None:
    decoder = Decoder(GRID)
    decoder.feed(depth(5, 1, (1, 2, 0)).encode() + b"\n")
    with pytest.raises(ValueError, match="expected local time not to go back"):
        decoder.feed(depth(4, 2, (3, 4, 2)).encode() + b"\n")
    with pytest.raises(ValueError, match="expected one symbol per capture, found 'ETHUSDT"):
        decoder.feed(depth(6, 2, (3, 4, 2), symbol="ETHUSDT").encode() + b"\n")


def test_a_survey_finds_grid_latency_and_counts() -> None:
    survey = Decoder(SURVEY, rule="survey")
    for text in (
        depth(3, 1, (1, 2, 0), [("100.25", "0.40")]),
        trade((3, 7), 1, "100.75", "0.6"),
        depth(9, 1, (3, 4, 2), [], [("101.50", "0.00")]),
    ):
        survey.feed(text.encode() + b"\n")
    # 100.25, 100.75 and 101.50 are multiples of 0.25, 0.4 and 0.6 of 0.2.
    assert survey.divisors == (25_000_000, 20_000_000)
    assert survey.figures["least_latency"] == -4_000_000
    assert (survey.figures["depth_messages"], survey.figures["trades"], survey.take()) == (
        2,
        1,
        b"",
    )


def test_grids_whose_step_is_no_power_of_ten() -> None:
    decoder = Decoder(((1, 5), (0, 100)))
    text = depth(1, 1, (1, 2, 0), [("100.50", "200")])
    decoder.feed(text.encode() + b"\n")
    assert rows_of(decoder.take())[0][2:4] == (201, 2)
    for price, size in (("100.60", "200"), ("100.5", "250")):
        with pytest.raises(ValueError, match="on the grid"):
            decoder.feed(depth(2, 1, (3, 4, 2), [(price, size)]).encode() + b"\n")


def test_one_message_is_applied_whole_or_not_at_all() -> None:
    book, decoder = OrderBook(), Decoder(GRID)
    message = depth(1, 7, (11, 20, 10), [("99.9", "1.5")], [("100.1", "2")])[20:].encode()
    assert decoder.apply_depth(message, book.capsule) == (MS + 7, 11, 20, 10)
    assert book.touch() == (999, 1500, 1001, 2000)
    wrong = message.replace(b"1.5", b"9")
    partial = wrong.replace(b"@depth@0ms", b"@depth5")
    for broken in (wrong.replace(b'"2"', b'"x"'), wrong[:-1], wrong + b"{}", b"{}", partial):
        with pytest.raises(ValueError, match="expected"):
            decoder.apply_depth(broken, book.capsule)
    assert book.touch() == (999, 1500, 1001, 2000)


times = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 3), st.sampled_from([oracle.BUY, oracle.SELL])),
    max_size=40,
)


def arrivals(steps: list[tuple[int, int, int]]) -> list[Row]:
    rows: list[Row] = []
    local = 0
    for number, (exch, wait, side) in enumerate(steps):
        local += wait
        rows.append((exch, local, 100 + number, number, oracle.DEPTH | side, 0))
    return rows


@settings(max_examples=200, deadline=None)
@given(times, st.integers(12, 20), st.integers(1, 7))
def test_sequencing_agrees_with_the_oracle(
    steps: list[tuple[int, int, int]], horizon: int, size: int
) -> None:
    rows = arrivals(steps)
    sequencer = Sequencer(horizon)
    parts = [
        sequencer.push(packed(rows[start : start + size])) for start in range(0, len(rows), size)
    ]
    merged = rows_of(b"".join([*parts, sequencer.finish()]))
    assert merged == oracle.sequenced(rows)
    OrderCheck().push(packed(merged))
    assert [row[:4] for row in rows_of(arrival_rows(packed(merged)))] == [row[:4] for row in rows]


def test_the_sequencer_holds_no_more_than_its_horizon() -> None:
    sequencer = Sequencer(10)
    given_rows = [(time, time, 1, 1, oracle.DEPTH | oracle.BUY, 0) for time in range(100)]
    out = rows_of(sequencer.push(packed(given_rows)))
    assert [row[0] for row in out] == list(range(90))  # 99 - 10 = 89 is the newest that is final


@pytest.mark.parametrize(
    ("second", "why"),
    [((95, 99), "local time goes back from 100"), ((89, 100), "exchange time goes back from 100")],
)
def test_rows_that_cannot_be_put_in_order_are_refused(second: tuple[int, int], why: str) -> None:
    sequencer = Sequencer(10)
    sequencer.push(packed([(100, 100, 1, 1, oracle.DEPTH, 0)]))
    with pytest.raises(ValueError, match=why):
        sequencer.push(packed([(*second, 1, 1, oracle.DEPTH, 0)]))


big = st.integers(-(2**63), 2**63 - 1)
flags = st.builds(
    lambda kind, top: kind | top << 28, st.sampled_from([1, 2, 3, 4, 5, 255]), st.integers(0, 15)
)
any_rows = st.lists(st.tuples(big, big, big, big, flags, st.integers(0, 2)), max_size=30)


@settings(max_examples=150, deadline=None)
@given(any_rows)
def test_packed_columns_come_back(rows: list[Row]) -> None:
    back = rows_of(unpack_rows(pack_rows(packed(rows)), len(rows), 7))
    assert back == [(*row[:5], 7) for row in rows]
    by_market = split_rows(packed(rows), 3)
    assert [rows_of(part) for part in by_market] == [
        [row for row in rows if row[5] == market] for market in range(3)
    ]


@settings(max_examples=100, deadline=None)
@given(any_rows, st.data())
def test_damaged_columns_are_refused_or_read_without_harm(
    rows: list[Row], data: st.DataObject
) -> None:
    text = bytearray(pack_rows(packed(rows)))
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    count = len(rows) + data.draw(st.integers(-1, 2))
    with suppress(ValueError):
        assert len(rows_of(unpack_rows(bytes(text), count, 0))) == count


def test_columns_that_do_not_hold_the_rows_are_refused() -> None:
    text = pack_rows(packed([(1, 2, 3, 4, 5, 0)] * 2))
    with pytest.raises(ValueError, match="expected the end of column 0 behind 1 rows"):
        unpack_rows(text, 1, 0)
    with pytest.raises(ValueError, match="expected the columns of 3 rows, found"):
        unpack_rows(text, 3, 0)
    with pytest.raises(ValueError, match="expected column 0 of 255 bytes, found 10"):
        unpack_rows(b"\xff" + text[1:], 2, 0)
    with pytest.raises(ValueError, match="expected the end of column 0"):
        unpack_rows(text[:20] + b"\xff\xff" + text[22:], 2, 0)


def test_flags_without_a_meaning_are_not_packed() -> None:
    with pytest.raises(ValueError, match="expected known flags in row 0"):
        pack_rows(packed([(0, 0, 0, 0, 1 << 20, 0)]))
    with pytest.raises(ValueError, match="whole rows"):
        pack_rows(b"x")
    with pytest.raises(ValueError, match="expected a market below 2 in row 0, found 2"):
        split_rows(packed([(0, 0, 0, 0, 1, 2)]), 2)


def event(flags_: int, exch: int, local: int, price: float, size: float) -> bytes:
    return struct.pack("<QqqddQqd", flags_, exch, local, price, size, 0, 0, 0.0)


def test_event_rows_by_hand() -> None:
    bid = BOTH | oracle.BUY
    text = event(bid | 1, 5, 6, 61800.1, 2.534) + event(BOTH | 3, 7, 8, 0.0, 0.0)
    assert rows_of(EventDecoder(GRID, 2).feed(text)) == [
        (5, 6, 618_001, 2534, bid | 1, 2),
        (7, 8, 0, 0, bid | 3, 2),
        (7, 8, 1 << 62, 0, BOTH | oracle.SELL | 3, 2),
    ]
    survey = EventDecoder(SURVEY, survey=True)
    assert survey.feed(text) == b""
    assert (survey.count, survey.divisors[1]) == (2, 253_400_000)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (event(BOTH | oracle.BUY | 1, 1, 1, 100.05, 1.0), "price on the grid, found 100.05"),
        (event(BOTH | oracle.BUY | 1, 1, 1, 100.0, 0.0005), "size on the grid"),
        (event(BOTH | oracle.BUY | 1, 1, 1, float("nan"), 1.0), "price on the grid, found nan"),
        (event(BOTH | oracle.BUY | 1, 1, 1, 100.0, -1.0), "size on the grid, found -1.0"),
        (event(BOTH | oracle.BUY | 1, 1, 1, 1e300, 1.0), "price on the grid"),
        (event(BOTH | oracle.BUY | 9, 1, 1, 100.0, 1.0), "found kind 9"),
        (event(oracle.BUY | 1, 1, 1, 100.0, 1.0), "expected known flags"),
        (event(BOTH | 1, 1, 1, 100.0, 1.0), "expected one side"),
        (event(BOTH | oracle.BUY | 1, -1, 1, 100.0, 1.0), "exchange time goes back"),
        (event(BOTH | oracle.BUY | 1, 1, -1, 100.0, 1.0), "local time goes back"),
        (b"x", "expected whole rows of 64 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "row",
)
def test_event_rows_that_are_refused(row: bytes, why: str) -> None:
    decoder = EventDecoder(GRID)
    decoder.feed(event(BOTH | oracle.BUY | 1, 0, 0, 100.0, 1.0))
    with pytest.raises(ValueError, match=why):
        decoder.feed(row)
    assert decoder.count == 1


@settings(max_examples=150, deadline=None)
@given(captures(), st.integers(0, 150), st.integers(0, 150), st.integers(1, 9))
def test_a_window_starts_with_the_book_as_it_was(
    lines: list[str], start: int, length: int, size: int
) -> None:
    merged = oracle.sequenced(decode(lines, chained=1))
    begin, end = NS + start * 10**6, NS + (start + length) * 10**6
    window = Window(begin, end, HORIZON, 0)
    got: list[Row] = []
    for at in range(0, len(merged), size):
        got += rows_of(window.push(packed(merged[at : at + size])))
    inside = [row for row in merged if begin <= row[0] < end]
    assert got[len(got) - len(inside) :] == inside
    first = got[: len(got) - len(inside)]
    assert all(row[0] == begin and row[4] & 255 == oracle.SNAPSHOT for row in first)
    book: dict[tuple[int, int], int] = {}
    for row in merged:
        if row[4] & oracle.EXCH and row[0] < begin and row[4] & 255 != oracle.TRADE:
            _apply(book, row)
    given_book: dict[tuple[int, int], int] = {}
    for row in first:
        _apply(given_book, row)
    # Levels that a later better one of the other side has passed are not given.
    assert given_book.items() <= book.items()
    if inside and not _crossed(book):
        assert given_book == book
    assert not _crossed(given_book)
    OrderCheck().push(packed(got))


def test_a_window_takes_its_first_book_from_the_exchange_stream() -> None:
    bid = oracle.BUY | oracle.DEPTH
    window = Window(10, 20, 4, 3)
    rows = [
        (5, 5, 100, 1, bid | oracle.EXCH, 3),
        (6, 6, 100, 2, bid | BOTH, 3),
        (5, 7, 100, 1, bid | oracle.LOCAL, 3),  # heard late: the exchange is past it
        (12, 9, 101, 3, bid | BOTH, 3),  # heard before the start, by a clock that is behind
        (21, 21, 102, 4, bid | oracle.EXCH, 3),
        (19, 22, 103, 5, bid | oracle.LOCAL, 3),  # inside, heard behind the end
    ]
    snapshot_flags = oracle.SNAPSHOT | oracle.BUY | BOTH
    assert rows_of(window.push(packed(rows))) == [
        (10, 9, 100, 2, snapshot_flags, 3),
        rows[3],
        rows[5],
    ]
    assert not window.done
    window.push(packed([(25, 25, 1, 1, bid | BOTH, 3)]))
    assert window.done  # 25 is more than 4 behind the end


def _apply(book: dict[tuple[int, int], int], row: Row) -> None:
    side, kind = row[4] & (oracle.BUY | oracle.SELL), row[4] & 255
    if kind == oracle.CLEAR:
        for key in list(book):
            if key[0] == side and (key[1] >= row[2] if side == oracle.BUY else key[1] <= row[2]):
                del book[key]
    else:
        book.pop((side, row[2]), None)
        if row[3]:
            book[side, row[2]] = row[3]


def _crossed(book: dict[tuple[int, int], int]) -> bool:
    bids = [ticks for side, ticks in book if side == oracle.BUY]
    asks = [ticks for side, ticks in book if side == oracle.SELL]
    return bool(bids and asks and max(bids) >= min(asks))


def test_crossed_and_one_sided_moments_are_counted() -> None:
    check = BookCheck()
    bid, ask = BOTH | oracle.BUY | oracle.DEPTH, BOTH | oracle.SELL | oracle.DEPTH
    rows = [
        (1, 1, 100, 5, bid, 0),  # moment 1: no ask
        (2, 2, 101, 5, ask, 0),  # moment 2: fine
        (3, 3, 101, 5, bid, 0),  # moment 3: crossed, for its two rows together
        (3, 3, 102, 5, ask, 0),
        (4, 4, 101, 0, ask, 0),  # moment 4: uncrossed
        (5, 5, 101, 5, BOTH | oracle.SELL | oracle.TRADE, 0),
        (6, 6, 101, 5, oracle.EXCH | oracle.SELL | oracle.DEPTH, 0),  # not heard yet
    ]
    check.push(packed(rows))
    check.finish()
    assert (check.moments, check.crossed, check.one_sided) == (4, 1, 1)
