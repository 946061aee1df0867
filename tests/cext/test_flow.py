"""The flow kernel against its oracle, row for row, and what its random numbers must look like."""

from dataclasses import replace
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.sim.flow import FlowParams, MarketType, flow_params
from mmbot.adapters.sim.synthetic import ROW
from mmbot.cext.flow import Flow
from tests.oracle import flow as oracle
from tests.oracle.flow_book import FlowBook

CHECKED = settings(max_examples=40, deadline=None, derandomize=True)
GRID = {"price_ticks": 600_000.0, "ticks_per_bps": 60.0, "lots_per_unit": 16.66}
SUBSTEPS = 300


def both(params: FlowParams, seed: int, grid: dict[str, float]) -> tuple[Flow, oracle.Flow]:
    numbers = params.numbers() | grid
    clock = (1_000_000_007, 3_000_000, SUBSTEPS)
    return (
        Flow(numbers, seed=seed, market=2, clock=clock),
        oracle.Flow(numbers, seed=seed, market=2, clock=clock),
    )


@CHECKED
@given(
    kind=st.sampled_from(MarketType),
    seed=st.integers(0, 2**64 - 1),
    own=st.tuples(st.integers(-900, 900), st.integers(-900, 900)),
    ticks_per_bps=st.sampled_from([60.0, 3.0, 0.4]),
)
def test_rows_are_the_oracles(
    kind: MarketType, seed: int, own: tuple[int, int], ticks_per_bps: float
) -> None:
    # A short run with everything in it: the crash after 3 s, its rebound, one-sided moments.
    params = replace(
        flow_params(kind, 5), crash_s=2.0, rebound_s=5.0, noise_rate=2.0, one_sided=0.1
    )
    kernel, slow = both(params, seed, GRID | {"ticks_per_bps": ticks_per_bps})
    book = FlowBook()
    prints: list[tuple[int, int, int, int]] = []
    for i in range(SUBSTEPS):
        # A bot's quotes come and go around the market, crossing it now and then.
        bid, ask = book.best(1), book.best(-1)
        if i % 3 and bid is not None and ask is not None:
            bid, ask = max(bid, ask + own[0]), min(ask, bid + own[1])
        rows = list(ROW.iter_unpack(kernel.chunk(bid, ask, prints, 1)))
        assert rows == slow.substep(bid, ask, prints)
        assert kernel.reference == pytest.approx(slow.reference, rel=1e-12)
        prints = [done for row in rows for done in book.row(row)]
    assert kernel.finished


def test_streams_are_uniform_normal_and_exponential() -> None:
    # The kernel's numbers are the oracle's; these are the oracle's moments over 20,000 draws.
    stream = oracle.Stream(1, 1)
    n = 20_000
    uniforms = [stream.uniform() for _ in range(n)]
    assert 0.0 < min(uniforms) < 0.001
    assert 0.999 < max(uniforms) < 1.0
    assert sum(uniforms) / n == pytest.approx(0.5, abs=0.01)
    normals = [stream.normal() for _ in range(n)]
    assert sum(normals) / n == pytest.approx(0.0, abs=0.03)
    assert sum(x * x for x in normals) / n == pytest.approx(1.0, abs=0.04)
    assert sum(x**4 for x in normals) / n == pytest.approx(3.0, abs=0.3)
    waits = [stream.exponential() for _ in range(n)]
    assert sum(waits) / n == pytest.approx(1.0, abs=0.03)
    assert sum(wait > 1 for wait in waits) / n == pytest.approx(exp(-1), abs=0.015)


def test_streams_of_a_seed_differ() -> None:
    drawn = {oracle.Stream(seed, n).uniform() for seed in range(50) for n in (1, 2, 3)}
    assert len(drawn) == 150


def test_generator_is_the_published_one() -> None:
    # xoshiro256++ from the state 1, 2, 3, 4: first outputs of the authors' own code.
    stream = oracle.Stream(0, 0)
    stream.words = [1, 2, 3, 4]
    expected = [41943041, 58720359, 3588806011781223, 3591011842654386]
    assert [stream.uniform() for _ in expected] == [((x >> 12) + 0.5) / 2**52 for x in expected]
