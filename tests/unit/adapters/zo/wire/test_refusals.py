"""The table of error numbers: complete, without doubles, with a cautious answer to the unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.refusals import REFUSALS, Group, refusal


def test_every_error_of_the_schema_has_a_group() -> None:
    assert {number: found.name for number, found in REFUSALS.items()} == {
        number: name for name, number in pb.Error.items()
    }
    assert len(REFUSALS) == 127
    assert Group.UNKNOWN not in {found.group for found in REFUSALS.values()}


@pytest.mark.parametrize(
    ("number", "name", "group"),
    [
        (177, "TIMESTAMP_OUT_OF_THRESHOLD", Group.G1),
        (0, "DUPLICATE", Group.G2),
        (7, "SESSION_NOT_FOUND", Group.G3),
        (8, "ORDER_NOT_FOUND", Group.G4),
        (135, "POST_ONLY_MUST_NOT_FILL_ANY_OPPOSITE_ORDERS", Group.G5),
        (128, "REPEATED_ORDER_ID", Group.G6),
        (226, "RISK_OMF_LESS_THAN_OR_EQUAL_IMF", Group.G7),
        (137, "MAINTENANCE", Group.G8),
        (999, "DROPPED", Group.G9),
        (258, "ATOMICS_CANCELS_CANNOT_FOLLOW_TRADES_PLACES", Group.G10),
        (279, "SUPER_ADMIN_ALREADY_EXISTS", Group.G11),
    ],
)
def test_one_of_every_group(number: int, name: str, group: Group) -> None:
    assert refusal(number) == (number, name, group)


@given(st.integers(-(2**31), 2**31 - 1).filter(lambda number: number not in REFUSALS))
def test_an_unknown_number_is_kept_and_treated_with_caution(number: int) -> None:
    assert refusal(number) == (number, f"UNKNOWN_{number}", Group.UNKNOWN)
