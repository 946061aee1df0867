"""How long the judge lets a jump of the engine's clock be unknown (I15), worked out by hand."""

import pytest

from tests.simulation.jumps import unheard


@pytest.mark.parametrize(
    ("now_s", "answered_s", "excused"),
    [
        # It jumped at 10 s. The next reading comes within a second, and has a way to go.
        (11.1, [8.9, 9.9], True),
        (11.1, [], True),
        # Told the time since, or never.
        (11.3, [9.9, 10.9], False),
        (11.3, [], False),
        # Told just now, when this was written already.
        (11.3, [9.9, 11.2], True),
        (11.5, [9.9, 11.2], False),
        # Not told: 3 s after the last answer nothing may be signed, 0.2 s later nothing be sent.
        (13.0, [9.9], True),
        (13.2, [9.9], False),
        # However soon after the jump that is.
        (11.3, [8.0], False),
        # Mixed run 492: read at 510.617 s, jumped at 512.183 s, placed at 514.052 s.
        (10 + 514.052 - 512.183, [10 + 510.617 - 512.183], False),
    ],
)
def test_a_jump_at_ten_seconds_is_an_excuse(
    now_s: float, answered_s: list[float], excused: bool
) -> None:
    assert unheard(now_s, 10.0, answered_s) is excused
