import random
from typing import Any

import pytest

from mmbot.risk.shock import LEAST_SAMPLES, SAMPLE_NS, ShockGate, ShockParams

SECOND = 10**9


class Market:
    """A mid that wanders a tick every 100 ms, in a book two ticks wide."""

    def __init__(self, samples: int, **changes: Any) -> None:
        self.gate = ShockGate(ShockParams(**changes))
        self.now = 0
        self.mid = 10_000
        draw = random.Random(1)
        for _ in range(samples):
            self.mid += draw.choice((-1, 1))
            assert not self.show()

    def show(self, half_width: int = 1) -> bool:
        self.now += SAMPLE_NS
        return self.gate.observe(self.mid - half_width, self.mid + half_width, self.now)


def test_a_jump_pulls_for_two_seconds_and_reduces_for_ten_more() -> None:
    market = Market(LEAST_SAMPLES + 100)
    # 8 sigma of 5 s at a tick each 100 ms: 8 * sqrt(10 * 5) = 56 ticks.
    market.mid += 80
    assert market.show()
    gate, at = market.gate, market.now
    assert gate.pulls(at)
    assert gate.pulls(at + 2 * SECOND - 1)
    assert not gate.pulls(at + 2 * SECOND)
    assert gate.reduces(at + 12 * SECOND - 1)
    assert not gate.reduces(at + 12 * SECOND)


def test_a_usual_move_is_none() -> None:
    market = Market(LEAST_SAMPLES + 100)
    market.mid += 20
    assert not market.show()


def test_a_wide_book_is_one() -> None:
    market = Market(LEAST_SAMPLES + 100)
    assert not market.show(5)
    assert market.show(6)


def test_a_tick_is_no_width_where_ticks_are_tiny() -> None:
    # 1 bps of 10,000,000 ticks are 1,000.
    gate = ShockGate(ShockParams())
    for at in range(LEAST_SAMPLES):
        gate.observe(10_000_000, 10_000_001, at * SAMPLE_NS)
    now = LEAST_SAMPLES * SAMPLE_NS
    assert not gate.observe(9_997_500, 10_002_500, now)
    assert gate.observe(9_997_000, 10_003_000, now + SAMPLE_NS)


@pytest.mark.parametrize("samples", [0, LEAST_SAMPLES - 1])
def test_nothing_is_judged_before_the_market_is_known(samples: int) -> None:
    market = Market(samples)
    market.mid += 5000
    assert not market.show(500)


def test_samples_are_at_least_100_ms_apart() -> None:
    market = Market(LEAST_SAMPLES + 100)
    market.mid += 5000
    assert not market.gate.observe(market.mid, market.mid + 2, market.now + SAMPLE_NS - 1)
    assert market.gate.observe(market.mid, market.mid + 2, market.now + SAMPLE_NS)


def test_a_market_that_never_moved_may_move_its_spread() -> None:
    gate = ShockGate(ShockParams())
    for at in range(LEAST_SAMPLES):
        gate.observe(999, 1001, at * SAMPLE_NS)
    now = LEAST_SAMPLES * SAMPLE_NS
    assert not gate.observe(1001, 1003, now)
    assert gate.observe(1019, 1021, now + SAMPLE_NS)
