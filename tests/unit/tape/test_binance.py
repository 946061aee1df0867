import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.domain.market import Contract
from mmbot.errors import DataError
from mmbot.tape import FeedOptions, open_feeds
from mmbot.tape.binance import CaptureFeed, open_captures
from tests.unit.tape.lines import (
    BTC,
    MS,
    NS,
    Row,
    depth,
    line,
    rows_of,
    small_capture,
    snapshot,
    trade,
    write,
)

GRIDS = FeedOptions(grids={"BTCUSDT": BTC})


def read(paths: list[Path], options: FeedOptions = GRIDS) -> list[Row]:
    (feed,) = open_captures(paths, options)
    return rows_of(b"".join(feed.chunks()))


def fault(paths: list[Path], options: FeedOptions = GRIDS) -> str:
    with pytest.raises(DataError) as caught:
        read(paths, options)
    message = str(caught.value)
    assert "\n" not in message
    assert any(str(path) in message for path in paths)
    return message


def test_plain_and_compressed_captures_read_alike(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.log", small_capture())
    packed = write(tmp_path / "b.gz", small_capture())
    assert read([plain]) == read([packed])
    # Eleven events; the trade of 14 ms heard behind the diff of 15 ms takes two rows.
    assert len(read([plain])) == 12
    plain.write_bytes(plain.read_bytes()[:-1])  # no newline behind the last line
    assert read([plain]) == read([packed])


def test_a_capture_of_several_gzip_members_is_one_text(tmp_path: Path) -> None:
    lines = [f"{text}\n".encode() for text in small_capture()]
    path = tmp_path / "restarted.gz"
    path.write_bytes(gzip.compress(lines[0]) + gzip.compress(b"".join(lines[1:])))
    assert read([path]) == read([write(tmp_path / "whole.gz", small_capture())])


def test_the_offset_is_found_only_for_negative_latencies(tmp_path: Path) -> None:
    late = write(tmp_path / "late.log", [depth(7, 5, (1, 2, 0), [("100", "1")])])
    early = write(tmp_path / "early.log", [depth(3, 5, (1, 2, 0), [("100", "1")])])
    assert read([late])[0][1] == NS + 7_000_000
    assert read([early])[0][1] == NS + 5_000_000  # 2 ms added: the latency becomes 0
    given = FeedOptions(grids={"BTCUSDT": BTC}, clock_offset_ns=-1)
    assert read([early], given)[0][1] == NS + 3_000_000 - 1
    slower = FeedOptions(grids={"BTCUSDT": BTC}, feed_latency_ns=9)
    assert read([early], slower)[0][1] == NS + 5_000_000 + 9
    assert read([late], slower)[0][1] == NS + 7_000_000


def test_files_follow_one_another_in_time_and_chain_over_the_border(tmp_path: Path) -> None:
    lines = small_capture()
    second = write(tmp_path / "a_second.gz", lines[2:])
    first = write(tmp_path / "b_first.gz", lines[:2])
    assert read([second, first]) == read([write(tmp_path / "whole.gz", lines)])
    (feed,) = open_captures([second, first], GRIDS)
    list(feed.chunks())
    assert (feed.paths, feed.problems()) == ((first, second), [])


def test_several_symbols_are_several_feeds_in_order_of_appearance(tmp_path: Path) -> None:
    eth = write(tmp_path / "eth.log", [depth(1, 1, (1, 2, 0), [("30.5", "2")], symbol="ETHUSDT")])
    btc = write(tmp_path / "btc.log", small_capture())
    feeds = open_captures([eth, btc, eth], FeedOptions(clock_offset_ns=0))[:2]
    assert [(feed.market.symbol, feed.market.index) for feed in feeds] == [
        ("ETHUSDT", 0),
        ("BTCUSDT", 1),
    ]
    assert {row[5] for row in rows_of(b"".join(feeds[1].chunks()))} == {1}


def test_the_grid_is_inferred_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "x.log", small_capture())
    (feed,) = open_captures([path], FeedOptions())
    # Prices 100.0, 99.9, 100.1, 100.2; sizes down to 0.001.
    assert (feed.market.tick, feed.market.lot) == (Decimal("0.1"), Decimal("0.001"))
    assert "tick 0.1, lot 0.001, linear contract of 1" in feed.notes()[0]
    assert "inferred" not in "".join(open_captures([path], GRIDS)[0].notes())


def test_coin_margined_symbols_are_inverse(tmp_path: Path) -> None:
    def market(symbol: str) -> tuple[Contract, Decimal, Decimal]:
        text = depth(1, 1, (1, 2, 0), [("100.5", "7")], symbol=symbol)
        (feed,) = open_captures([write(tmp_path / f"{symbol}.log", [text])], FeedOptions())
        return feed.market.contract, feed.market.contract_size, feed.market.lot

    assert market("BTCUSD_PERP") == (Contract.INVERSE, Decimal(100), Decimal(7))
    assert market("ETHUSD_PERP") == (Contract.INVERSE, Decimal(10), Decimal(7))


def test_a_gap_clears_the_book_and_is_told_with_its_line(tmp_path: Path) -> None:
    lines = [*small_capture(), depth(50, 45, (131, 140, 130), [("99.0", "1")])]
    path = write(tmp_path / "gap.gz", lines)
    (feed,) = open_captures([path], GRIDS)
    rows = rows_of(b"".join(feed.chunks()))
    assert [row[2:4] for row in rows[-3:]] == [(0, 0), (1 << 62, 0), (990, 1000)]
    (problem,) = feed.problems()
    assert problem.startswith(f"{path}, line 6: gap in the depth ids, expected 120, found 130")
    assert problem in feed.notes()
    strict = FeedOptions(grids={"BTCUSDT": BTC}, strict=True)
    assert "line 6: gap in the depth ids, expected 120, found 130" in fault([path], strict)
    compatible = FeedOptions(grids={"BTCUSDT": BTC}, compat=True)
    assert [row[2] for row in read([path], compatible)][-1] == 990


def test_missing_snapshot_and_missing_trades_are_problems(tmp_path: Path) -> None:
    lines = [depth(1, 1, (1, 2, 0), [("99", "1")]), trade((2, 2), 5, "99", "1")]
    path = write(tmp_path / "x.log", [*lines, trade((3, 3), 8, "99", "1")])
    (feed,) = open_captures([path], GRIDS)
    assert feed.problems() == [
        "BTCUSDT: no snapshot; a level is unknown until first touched",
        "BTCUSDT: 2 trade ids are missing",
    ]


def test_what_was_left_out_is_noted(tmp_path: Path) -> None:
    lines = [
        depth(1, 1, (1, 2, 0), [("99", "1")]),
        trade((2, 2), 1, "0", "0", order_type="INSURANCE_FUND"),
        snapshot(3, 2, 9, [("99.5", "1")], [("99.6", "1")]),
        snapshot(4, 3, 9, [("99.5", "1")], [("99.6", "1")]),
    ]
    (feed,) = open_captures([write(tmp_path / "x.log", lines)], GRIDS)
    list(feed.chunks())
    assert feed.notes() == [
        "BTCUSDT: left out 1 trades that hit no order in the book",
        "BTCUSDT: left out 1 depth updates older than the book",
        "BTCUSDT: left out 1 snapshots older than the book",
    ]


def test_a_window_cuts_by_exchange_time_and_starts_with_the_book(tmp_path: Path) -> None:
    path = write(tmp_path / "x.log", small_capture())
    start = NS + 20_000_000
    options = FeedOptions(grids={"BTCUSDT": BTC}, start_ns=start, end_ns=NS + 39_000_000)
    rows = read([path], options)
    # Before the start: bids 100.0 x 0.5 and 99.9 x 2, asks 100.1 x 1.5 and 100.2 x 3.
    assert [(row[0], row[2], row[3]) for row in rows[:4]] == [
        (start, 1000, 500),
        (start, 999, 2000),
        (start, 1001, 1500),
        (start, 1002, 3000),
    ]
    # Then the diff of 25 ms, and not the trade of 39 ms.
    assert [row[0] for row in rows[4:]] == [NS + 25_000_000] * 2


def test_what_the_files_lack_is_told_whatever_the_window(tmp_path: Path) -> None:
    lines = [trade((1, 1), 1, "99", "1"), *(trade((n, 30_000), n, "99", "1") for n in (2, 4))]
    path = write(tmp_path / "x.log", lines)
    (feed,) = open_captures([path], FeedOptions(grids={"BTCUSDT": BTC}, end_ns=NS + 2_000_000))
    assert len(list(feed.chunks())) == 1
    assert "BTCUSDT: 1 trade ids are missing" in feed.problems()


def test_every_pass_starts_anew_and_tells_its_progress(tmp_path: Path) -> None:
    (feed,) = open_captures([write(tmp_path / "x.gz", small_capture())], GRIDS)
    assert isinstance(feed, CaptureFeed)
    assert feed.progress() == 0
    assert list(feed.chunks()) == list(feed.chunks())
    assert feed.progress() == 1


def test_a_line_of_garbage(tmp_path: Path) -> None:
    lines = small_capture()
    path = write(tmp_path / "x.gz", [*lines[:2], "what is this?", *lines[2:]])
    assert fault([path]) == (
        f"{path}, line 3, character 1: expected 19 digits of local time and a message,"
        " found 'what is this'"
    )


def test_faults_in_the_second_file_name_its_own_line(tmp_path: Path) -> None:
    lines = small_capture()
    first = write(tmp_path / "1.gz", lines[:2])
    second = write(tmp_path / "2.gz", [*lines[2:4], lines[4].replace("100.1", "NaN")])
    assert f"{second}, line 3, character" in fault([first, second])


def test_local_time_going_back(tmp_path: Path) -> None:
    lines = small_capture()
    path = write(tmp_path / "x.gz", [*lines, lines[1]])
    assert f"{path}, line 6, character 1: expected local time not to go back" in fault([path])


def test_exchange_time_far_behind(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.log", [trade((1, 20_000), 1, "99", "1"), trade((2, 0), 2, "99", "1")]
    )
    assert "exchange time goes back" in fault([path])


def test_off_grid_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "x.log", [depth(1, 1, (1, 2, 0), [("100.05", "1")])])
    assert "line 1, character" in fault([path])
    assert "expected a number on the grid, found '100.05" in fault([path])


@pytest.mark.parametrize("cut", [30, -1, -9])
def test_truncated_gzip(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / "x.gz", small_capture())
    path.write_bytes(path.read_bytes()[:cut])
    assert "the gzip data is cut short; expected its end mark" in fault([path])


def test_damaged_gzip(tmp_path: Path) -> None:
    path = write(tmp_path / "x.gz", small_capture() * 1)
    content = bytearray(path.read_bytes())
    content[40] ^= 255
    path.write_bytes(bytes(content))
    assert "near byte 0: damaged gzip data" in fault([path])


def test_a_line_without_end(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(f"{NS} ".encode() + b'{"x":"' + b"y" * (1 << 24))
    assert f"{path}, line 1: expected the end of the line within" in fault([path])


def test_no_market_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "x.log", [line(1, {"result": None, "id": 1})])
    assert fault([path]) == f"{path}: expected depth updates or trades of a symbol, found none"


def test_spot_captures_have_fewer_times(tmp_path: Path) -> None:
    told = {"e": "depthUpdate", "E": MS + 8, "s": "BTCUSDT", "U": 4, "u": 9}
    diff = {"stream": "btcusdt@depth@100ms", "data": told | {"b": [["99", "1"]], "a": []}}
    rest = {"lastUpdateId": 5, "bids": [["98", "1"]], "asks": [["99.5", "1"]]}
    path = write(tmp_path / "x.log", [line(9, diff), line(10, rest)])
    (feed,) = open_feeds([path], "auto", FeedOptions(grids={"*": BTC}))
    rows = rows_of(b"".join(feed.chunks()))
    # The snapshot is as new as the newest event seen, 8 ms; the straddling diff follows it.
    assert [(row[0] - NS, row[2]) for row in rows] == [
        (8_000_000, ticks) for ticks in (980, 980, 995, 995, 990)
    ]
