"""Scaling: the venue's clients' rule against arithmetic on fractions, and the bot's strict one."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.wire.scaling import U64_MAX, U128_MAX, Number, to_raw, to_raw_exact
from mmbot.errors import ActionError

CHECKED = settings(max_examples=400, deadline=None, derandomize=True)
DIGITS = st.text("0123456789", min_size=1, max_size=30)
DECIMALS = st.integers(0, 12)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Decimal numbers as people and programs write them."""
    text = draw(DIGITS)
    if draw(st.booleans()):
        text += "." + draw(DIGITS)
    if draw(st.booleans()):
        text += draw(st.sampled_from("eE")) + str(draw(st.integers(-40, 25)))
    return draw(st.sampled_from(["", "", "+", "-"])) + text


def by_fractions(text: str, decimals: int, most: int) -> int | None:
    """Round the product half up to the digits of `most`, cut off, None when it is refused."""
    value = Fraction(Decimal(text)) * 10**decimals
    if value == 0:
        return 0
    if value < 0:
        return None
    unit = Fraction(1)
    while value / unit >= 10 ** len(str(most)):
        unit *= 10
    while value / unit < 10 ** (len(str(most)) - 1):
        unit /= 10
    rounded = (value / unit + Fraction(1, 2)).__floor__() * unit
    raw = rounded.__floor__()
    return raw if 0 < raw <= most else None


@CHECKED
@given(texts(), DECIMALS, st.sampled_from([U64_MAX, U128_MAX]))
@example("12345678901234567890.5", 0, U64_MAX)
@example("0.9999999999999999999999999", 9, U64_MAX)
@example("18446744073709551615.4", 0, U64_MAX)
@example("18446744073709551615.5", 0, U64_MAX)
def test_the_clients_rule(text: str, decimals: int, most: int) -> None:
    expected = by_fractions(text, decimals, most)
    if expected is None:
        with pytest.raises(ActionError):
            to_raw(text, decimals, most)
    else:
        assert to_raw(text, decimals, most) == expected


@CHECKED
@given(texts(), DECIMALS, st.sampled_from([U64_MAX, U128_MAX]))
def test_the_strict_rule_never_rounds(text: str, decimals: int, most: int) -> None:
    value = Fraction(Decimal(text)) * 10**decimals
    if value.denominator == 1 and 0 <= value <= most:
        assert to_raw_exact(text, decimals, most) == value
    else:
        with pytest.raises(ActionError):
            to_raw_exact(text, decimals, most)


@CHECKED
@given(st.integers(0, U64_MAX), DECIMALS)
def test_what_lies_on_the_grid_is_the_same_by_both(raw: int, decimals: int) -> None:
    value = Decimal(raw).scaleb(-decimals)
    assert to_raw(value, decimals) == to_raw_exact(value, decimals) == raw
    assert to_raw(f"{value:f}", decimals) == raw


@pytest.mark.parametrize(
    ("value", "decimals", "raw"),
    [
        ("70000.1", 1, 700001),
        ("70000.19", 1, 700001),
        ("0.30000000000000004", 5, 30000),
        (".5", 5, 50000),
        ("70000.", 1, 700000),
        ("2.5e-4", 5, 25),
        ("1e5", 1, 1000000),
        (7, 2, 700),
        (Decimal("1.50"), 5, 150000),
        ("-0", 3, 0),
        ("0e999999999", 3, 0),
        ("0.99999999999999999999", 0, None),
        ("0.999999999999999999999", 0, 1),
    ],
)
def test_hand_worked(value: Number, decimals: int, raw: int | None) -> None:
    if raw is None:
        with pytest.raises(ActionError, match="Precision loss"):
            to_raw(value, decimals)
    else:
        assert to_raw(value, decimals) == raw


@pytest.mark.parametrize("scale", [to_raw, to_raw_exact])
@pytest.mark.parametrize(
    "value",
    [
        *("", "abc", "nan", "NaN", "Infinity", "-inf", "1_000", " 1", "1 ", "0x10", "1,5", "--1"),
        *("\u0661", "\uff11", ".", "e5", "1e", "1e9999999999", "1e999999999", "1e-999999999"),
        *("-1", "-0.0000001", "18446744073709551616"),
        *(Decimal("nan"), Decimal("sNaN"), Decimal("inf"), Decimal(-1), -1, True, 1.0, None, b"1"),
    ],
)
def test_what_is_no_amount_is_refused(scale: type, value: object) -> None:
    with pytest.raises(ActionError):
        scale(value, 1)
