"""Conditions of --fail-if."""

import pytest

from mmbot.errors import ConfigError
from mmbot.research.condition import parse_condition
from mmbot.research.record import HORIZONS_NS
from mmbot.research.results import value_keys
from tests.unit.research.runs import hand_results

VALUES = {"a_usd": 5.0, "b_pct": -1.5, "c_count": 0, "d_bps": None}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a_usd>5", False),
        ("a_usd>=5", True),
        (" a_usd < 5.5 ", True),
        ("a_usd<=4.9", False),
        ("b_pct==-1.5", True),
        ("b_pct!=-15e-1", False),
        ("c_count<.5", True),
        # and binds before or: true or (false and false), (false and false) or true.
        ("a_usd>1 or a_usd>9 and c_count>0", True),
        ("a_usd>9 and c_count>0 or b_pct<0", True),
        ("a_usd>1 and c_count>0", False),
        # What is missing is never good news.
        ("d_bps>1000", True),
        ("d_bps<1000 and a_usd>9", False),
    ],
)
def test_truth(text: str, holds: bool) -> None:
    assert parse_condition(text, VALUES).holds(VALUES) is holds


@pytest.mark.parametrize(
    "text", ["", "a_usd", "a_usd>", ">5", "a_usd>5 and", "a_usd=5", "a_usd>b_pct", "a_usd>5;1<2"]
)
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(ConfigError, match="expected KEY OP NUMBER"):
        parse_condition(text, VALUES)


def test_an_unknown_key_lists_the_known_ones_and_guesses() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_condition("a_usdd>1 or nonsense<2", VALUES)
    first, second = caught.value.problems
    assert "unknown key 'a_usdd'; did you mean a_usd?" in first
    assert "a_usd, b_pct, c_count, d_bps" in second


def test_the_keys_of_results_are_known_before_the_run() -> None:
    values = hand_results().values()
    known = value_keys(HORIZONS_NS)
    assert set(known) == {key for key in values if not key.endswith("_reason")}
    assert parse_condition("markout_5s_bps>0 and max_drawdown_pct<5", known).holds(values)
