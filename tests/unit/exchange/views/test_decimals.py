"""Numbers and times: exact decimal text against Decimal and datetime."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.exchange.views.decimals import (
    ATOMS,
    Scale,
    pairs,
    parse_timestamp,
    price_of,
    ratio,
    timestamp,
)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _exact(value: int, places: int) -> Decimal:
    return Decimal((int(value < 0), tuple(map(int, str(abs(value)))), -places))


@given(st.integers(-(2**64), 2**64), st.integers(0, 18))
def test_every_number_is_exactly_its_decimal_value_in_plain_text(value: int, places: int) -> None:
    text = _text(Scale(places)(value))
    assert Decimal(text) == _exact(value, places)
    assert "e" not in text.lower()


@given(
    st.lists(st.tuples(st.integers(0, 2**64), st.integers(0, 2**52))),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_levels_are_what_their_scales_say(
    levels: list[tuple[int, int]], ticks_places: int, lots_places: int
) -> None:
    price, size = Scale(ticks_places), Scale(lots_places)
    expected = [(price(ticks), size(lots)) for ticks, lots in levels]
    assert _text(pairs(levels, price, size)) == _text(expected)


@given(st.integers(-(2**48), 2**48), st.integers(0, 12))
def test_a_reader_with_doubles_gets_the_nearest_double(value: int, places: int) -> None:
    read = msgspec.json.decode(_text(Scale(places)(value)))
    assert read == float(_exact(value, places))


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (600001, 1, "60000.1"),
        (600000, 1, "60000.0"),
        (2, 5, "0.00002"),
        (-2, 5, "-0.00002"),
        (1, 8, "0.00000001"),
        (0, 8, "0.0"),
        (7, 0, "7.0"),
        (1_000_500_000_000_000, 12, "1000.5"),
        (2**64 - 1, 1, "1844674407370955161.5"),
    ],
)
def test_hand_written_numbers(value: int, places: int, text: str) -> None:
    assert _text(Scale(places)(value)) == text


@given(st.integers(-(2**70), 2**70))
def test_money_is_exact_to_the_atom(atoms: int) -> None:
    assert Decimal(_text(ATOMS(atoms))) == _exact(atoms, 12)


@given(st.integers(-(2**48), 2**48), st.integers(0, 12))
def test_noise_is_a_trace_of_a_lot_and_toward_zero(lots: int, places: int) -> None:
    noisy = Decimal(_text(Scale(places).noisy(lots)))
    exact = _exact(lots, places)
    assert abs(noisy) <= abs(exact)
    assert abs(noisy - exact) * 500 < Decimal(1).scaleb(-places)
    if lots:
        assert noisy != exact


def test_noise_is_the_one_seen_at_the_venue() -> None:
    assert _text(Scale(5).noisy(2)) == "0.0000199999999989617"


@given(st.floats(-1, 1))
def test_ratios_keep_their_value_without_an_exponent(value: float) -> None:
    text = _text(ratio(value))
    assert float(text) == value
    assert "e" not in text.lower()


def test_a_price_between_ticks_has_no_binary_tail() -> None:
    assert _text(price_of(600001.23, Scale(1))) == "60000.123"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -float("inf")])
def test_what_is_unknown_is_null(value: float | None) -> None:
    assert _text(ratio(value)) == "null"
    assert _text(price_of(value, Scale(1))) == "null"


@given(st.integers(0, 253_402_300_799 * 10**9 + 999_999_999))
def test_times_have_nine_digits_and_come_back(ns: int) -> None:
    text = timestamp(ns)
    assert len(text) == 30
    assert text.endswith("Z")
    assert parse_timestamp(text) == ns
    whole = datetime.fromisoformat(text)
    assert whole == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)


@pytest.mark.parametrize("ns", [-1, -(10**30)])
def test_times_before_1970_are_its_start(ns: int) -> None:
    assert timestamp(ns) == "1970-01-01T00:00:00.000000000Z"


def test_a_time_past_the_calendar_is_its_end() -> None:
    assert timestamp(10**30).startswith("9999-12-31T23:59:59.")


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:01Z", 10**9),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01t02:00:01.000000001+02:00", 1_000_000_001),
        ("1970-01-01T02:00:01 02:00", 10**9),
        ("1969-12-31T23:59:59.25Z", -750_000_000),
        ("1970-01-01T00:00:00.1234567899Z", 123_456_789),
    ],
)
def test_times_clients_send(text: str, ns: int) -> None:
    assert parse_timestamp(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "1700000000",
        "now",
        "2026-13-01T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-01-01T00:00:00.Z",
        "\u0662026-01-01T00:00:00Z",
        "2026-01-01T00:00:00+99:00",
        "2026-01-01T00:00:00Z" * 1000,
    ],
)
def test_times_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|must be|out of range|offset"):
        parse_timestamp(text)
