import json
from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.domain.market import Market
from mmbot.errors import DataError
from mmbot.tape import Bar, read_bars

GRID = Market("BTCUSD", Decimal("0.5"), Decimal("0.01"))
HEAD = "timestamp,open,high,low,close,volume,bid_depth,ask_depth\n"
ROW = "1700000000,100.0,101.5,99.5,101.0,12.345,3.999,4\n"
BAR = Bar(1_700_000_000 * 10**9, 200, 203, 199, 202, 1234, 399, 400)


def bars(path: Path, text: str, market: Market | None = GRID) -> list[Bar]:
    path.write_text(text)
    return list(read_bars(path, market)[1])


def fault(path: Path, text: str) -> str:
    with pytest.raises(DataError) as caught:
        bars(path, text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_csv_and_json_read_alike(tmp_path: Path) -> None:
    assert bars(tmp_path / "x.csv", HEAD + ROW) == [BAR]
    names = HEAD.strip().replace("bid_depth", "bidDepth").replace("ask_depth", "askDepth")
    numbers = [float(number) for number in ROW.split(",")]
    told = json.dumps([dict(zip(names.split(","), numbers, strict=True))])
    assert bars(tmp_path / "x.json", told) == [BAR]


@pytest.mark.parametrize(
    ("stamp", "ts_ns"),
    [
        ("1700000000.25", 1_700_000_000_250_000_000),
        ("1700000000250", 1_700_000_000_250_000_000),
        ("1700000000250001", 1_700_000_000_250_001_000),
        ("1700000000250001002", 1_700_000_000_250_001_002),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000_000_000),
        ("2023-11-14T22:13:20.000001", 1_700_000_000_000_001_000),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000_000_000_000),
    ],
)
def test_times_in_every_unit(tmp_path: Path, stamp: str, ts_ns: int) -> None:
    (bar,) = bars(tmp_path / "x.csv", HEAD + ROW.replace("1700000000", stamp))
    assert bar.ts_ns == ts_ns


def test_the_grid_is_inferred_from_all_bars(tmp_path: Path) -> None:
    path = tmp_path / "ethusd_1m.csv"
    path.write_text(HEAD + "1,10.5,12.0,10.5,12.0,3,6,9\n2,13.5,15,12,12,3,6,9\n")
    market, found = read_bars(path)
    # Prices are multiples of 1.5, sizes of 3.
    assert (market.symbol, market.tick, market.lot) == ("ETHUSD", Decimal("1.5"), Decimal(3))
    assert [(bar.open, bar.volume_lots) for bar in found] == [(7, 1), (9, 1)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEAD.replace("ask_depth", "x") + ROW, "line 2: expected timestamp, open,"),
        (HEAD.replace("timestamp", "x") + ROW, "missing timestamp"),
        (HEAD + ROW + "1,2\n", "line 3: expected 8 columns, found 2"),
        (HEAD + ROW + ROW, "line 3: expected a time after"),
        (HEAD + ROW.replace("12.345", "NaN"), "line 2: expected volume to be a number not below 0"),
        (HEAD + ROW.replace("12.345", "-1"), "found '-1'"),
        (HEAD + ROW.replace("101.5", "99.5"), "expected 0 < low <= open and close <= high"),
        (HEAD + ROW.replace("99.5", "0"), "expected 0 < low"),
        (HEAD + ROW.replace("101.0", "100.7"), "expected prices on the grid (price 100.7"),
        (HEAD + ROW.replace("1700000000", "noon"), "expected a time (ISO 8601"),
        ('[{"open": 1}]', "bar 1: expected timestamp, open"),
        ("[1]", "bar 1: expected an object, found 1"),
        ('[{"open": 1}', "expected a JSON array of bars"),
    ],
)
def test_bars_that_are_refused(tmp_path: Path, text: str, why: str) -> None:
    message = fault(tmp_path / "x.csv", text)
    assert why in message
    assert str(tmp_path / "x.csv") in message


def test_no_bars_and_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(HEAD)
    with pytest.raises(DataError, match="expected bars, found none"):
        read_bars(path)
    path.write_bytes(b"open,close\n\xff")
    with pytest.raises(DataError, match="byte 11: expected UTF-8 text"):
        read_bars(path)
