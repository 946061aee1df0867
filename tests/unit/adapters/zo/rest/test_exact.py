"""Numbers and times of the venue, against arithmetic of their own."""

import struct
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.rest.exact import finite, ident, nearest, on_grid, positive, side, time_ns
from mmbot.domain.order import Side


@settings(max_examples=300, derandomize=True)
@given(st.integers(-(2**53), 2**53), st.integers(0, 12))
def test_a_number_on_the_grid_comes_back_exactly(raw: int, decimals: int) -> None:
    written = Decimal(raw).scaleb(-decimals)
    assert Fraction(written) == Fraction(raw, 10**decimals)
    assert on_grid(written, decimals, "x") == raw
    assert on_grid(Decimal(f"{written:.20f}"), decimals, "x") == raw
    assert on_grid(Decimal(f"{written:e}"), decimals, "x") == raw


@settings(max_examples=300, derandomize=True)
@given(st.integers(-(10**15), 10**15), st.integers(0, 8))
def test_what_a_double_makes_of_it_is_still_on_the_grid(raw: int, decimals: int) -> None:
    # 17 digits are all that a double has; a venue may print any of them.
    printed = f"{float(Decimal(raw).scaleb(-decimals)):.17g}"
    assert on_grid(Decimal(printed), decimals, "x") == raw


@settings(max_examples=200, derandomize=True)
@given(st.integers(1, 10**8), st.integers(0, 8), st.integers(1, 999))
def test_a_number_between_two_steps_is_refused(raw: int, decimals: int, thousandths: int) -> None:
    between = (Decimal(raw) + Decimal(thousandths) / 1000).scaleb(-decimals)
    with pytest.raises(ValueError, match=r"^size is not a multiple of 1e-\d+$"):
        on_grid(between, decimals, "size")
    assert abs(nearest(between, decimals, "size") - Fraction(between) * 10**decimals) <= 0.5


def test_the_noise_that_was_seen_live() -> None:
    assert on_grid(Decimal("0.0000199999999989617"), 5, "x") == 2
    # A step's hundredth part off is no noise.
    with pytest.raises(ValueError, match="not a multiple"):
        on_grid(Decimal("0.00043999"), 5, "x")


def test_the_tolerance_is_a_millionth_of_a_step() -> None:
    assert on_grid(Decimal("1.000001"), 0, "x") == 1
    assert on_grid(Decimal("0.999999"), 0, "x") == 1
    with pytest.raises(ValueError, match="not a multiple"):
        on_grid(Decimal("1.0000011"), 0, "x")


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "1e999999999",
        "18446744073709551616",
    ],
)
def test_what_is_no_everyday_number_is_refused_at_once(value: str) -> None:
    for function in (on_grid, nearest):
        with pytest.raises(ValueError, match=r"^x is (not a finite number|out of range)$"):
            function(Decimal(value), 0, "x")
    if not value.isdecimal():
        with pytest.raises(ValueError, match=r"^x is "):
            finite(Decimal(value), "x")


@pytest.mark.parametrize("value", ["0", "-0.0", "0E+999999999", "1e-300", "-1e-999999999"])
def test_nothing_and_specks_are_zero(value: str) -> None:
    assert on_grid(Decimal(value), 5, "x") == 0
    with pytest.raises(ValueError, match="x is not positive"):
        positive(on_grid(Decimal(value), 5, "x"), "x")


@settings(max_examples=200, derandomize=True)
@given(st.integers(0, 2**200))
def test_ids_keep_every_digit(number: int) -> None:
    if len(str(number)) <= 100:
        assert ident(str(number), "id") == ident(number, "id") == number


@pytest.mark.parametrize("value", [-1, "", "-1", "1.0", "1e3", "\u0663", " 1", "0x1", "9" * 101])
def test_what_is_no_id_is_refused(value: int | str) -> None:
    with pytest.raises(ValueError, match=r"^orderId is (negative|not an integer)$"):
        ident(value, "orderId")


def test_sides() -> None:
    assert side("bid", "x") is Side.BID
    assert side("ask", "x") is Side.ASK
    for other in ("BID", "buy", "", "x" * 1000):
        with pytest.raises(ValueError, match=r"^side is neither bid nor ask$"):
            side(other, "side")


@settings(max_examples=200, derandomize=True)
@given(
    st.integers(31_536_000, 7_258_118_400),
    st.integers(0, 999_999_999),
    st.integers(-14 * 60, 14 * 60),
)
def test_times_with_nine_digits_and_any_offset(
    seconds: int, fraction: int, offset_min: int
) -> None:
    whole = datetime.fromtimestamp(seconds, UTC)
    local = whole + timedelta(minutes=offset_min)
    sign, minutes = "+" if offset_min >= 0 else "-", abs(offset_min)
    zone = f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    text = f"{local:%Y-%m-%dT%H:%M:%S}.{fraction:09d}{zone}"
    assert time_ns(text, "time") == seconds * 10**9 + fraction
    assert time_ns(f"{whole:%Y-%m-%dT%H:%M:%S}Z", "time") == seconds * 10**9


def test_a_time_seen_live_by_hand() -> None:
    # 2026-09-13 is 20,709 days after the epoch.
    expected = (20_709 * 86_400 + 6 * 3600 + 44 * 60 + 44) * 10**9 + 117_406_033
    assert time_ns("2026-09-13T06:44:44.117406033Z", "time") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-09-13",
        "2026-09-13T06:44:44",
        "2026-13-13T06:44:44Z",
        "2026-02-30T06:44:44Z",
        "2026-09-13T24:00:01Z",
        "2026-09-13T06:44:44.1234567890Z",
        "2026-09-13 06:44:44Z",
        "\uff12026-09-13T06:44:44Z",
        "x" * 10_000,
    ],
)
def test_what_is_no_time_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"^time is not a") as caught:
        time_ns(text, "time")
    assert len(str(caught.value)) < 60


def test_doubles_of_every_size_are_judged_without_surprise() -> None:
    # Bit patterns that writers of JSON may produce.
    for bits in (0x3FF0000000000001, 0x7FEFFFFFFFFFFFFF, 0x0000000000000001):
        value = Decimal(struct.unpack("<d", bits.to_bytes(8, "little"))[0])
        with suppress(ValueError):
            assert abs(on_grid(value, 3, "x")) < 2**64
