"""How long the judge waits for quotes to be off (I6), with numbers worked out by hand."""

import pytest

from tests.simulation.deadlines import late_s


@pytest.mark.parametrize(
    ("now_s", "calm_s", "used_up_s", "late"),
    [
        (10.4, 0.0, 0.0, 0.4),
        # What was used up before is no excuse.
        (10.5, 0.0, 9.0, 0.5),
        # The last moment without a cancel to spare.
        (11.0, 0.0, 10.9, 0.1),
        # Used up all the time: excused for 1.9 s, and late from then on.
        (11.5, 0.0, 11.5, 0.0),
        (20.0, 0.0, 20.0, 8.1),
        # The venue took no cancels before.
        (20.0, 19.7, 0.0, 0.3),
    ],
)
def test_quotes_are_late(now_s: float, calm_s: float, used_up_s: float, late: float) -> None:
    assert max(0.0, late_s(now_s, 10.0, calm_s, used_up_s)) == pytest.approx(late)
