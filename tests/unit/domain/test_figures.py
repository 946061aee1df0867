"""Histograms against the times themselves, and profits by source."""

from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.figures import NETWORK_NS, Histogram, PnlLines, Readings, joined

TIMES = st.lists(st.integers(0, 12_000_000_000), min_size=1, max_size=200)


@given(times=TIMES)
def test_each_bound_counts_what_is_up_to_it(times: list[int]) -> None:
    histogram = Histogram(NETWORK_NS)
    for ns in times:
        histogram.add(ns)
    below = 0
    for bound, count in zip(NETWORK_NS, histogram.counts, strict=False):
        below += count
        assert below == sum(ns <= bound for ns in times)
    assert sum(histogram.counts) == len(times)
    assert histogram.sum_ns == sum(times)


@given(times=TIMES, share=st.sampled_from([0.5, 0.9, 0.99]))
def test_a_quantile_is_in_the_bucket_it_has_to_be_in(times: list[int], share: float) -> None:
    histogram = Histogram(NETWORK_NS)
    for ns in times:
        histogram.add(ns)
    found = histogram.quantile_ns(share)
    assert found is not None
    ordered = sorted(times)
    # The smallest time that this share of all is not above.
    exact = next(ns for i, ns in enumerate(ordered, 1) if i >= share * len(times))
    low = max((b for b in (0, *NETWORK_NS) if b < exact), default=0)
    high = min((b for b in NETWORK_NS if b >= exact), default=NETWORK_NS[-1])
    assert low <= found <= high


def test_nothing_has_no_quantile() -> None:
    assert Histogram(NETWORK_NS).quantile_ns(0.5) is None


def test_lines_add_up_and_differ() -> None:
    day = PnlLines(spread=500, adverse=-200, inventory=30, fees=-40, rebates=5, funding=-1, hedge=9)
    assert day.total == 303
    start = PnlLines(spread=100, fees=-40)
    assert day.plus(start, -1) == PnlLines(400, -200, 30, 0, 5, -1, 9)
    assert day.plus(start).total == 363


def test_readings_of_one_family_come_together() -> None:
    one = Readings(counts={"ws_messages": {("book",): 1}}, gauges={"equity_usd": {(): 5}})
    two = Readings(counts={"ws_messages": {("account",): 2}})
    found = joined((one, two))
    assert found.counts == {"ws_messages": {("book",): 1, ("account",): 2}}
    assert found.gauges == {"equity_usd": {(): 5}}
    assert one.counts == {"ws_messages": {("book",): 1}}
