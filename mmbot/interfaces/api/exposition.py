"""Readings as a page of metrics, in OpenMetrics or the older text format, as the reader asks.

Rendered family by family with the loop let in between: no reader holds trading up.
"""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.utils import floatToGoString

from mmbot.domain.figures import Histogram, Labels, Readings
from mmbot.interfaces.api.families import BUILD, COUNTERS, GAUGES, PREFIX, TIMES, Family

NS_PER_S = 1_000_000_000
_END = b"# EOF\n"
_UNITS = ("seconds", "bytes", "ratio", "usd", "basis_points")


class Page(NamedTuple):
    """A page of metrics."""

    body: bytes
    content_type: str


class _One:
    """A registry of one family."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterator[Metric]:
        """Yield it."""
        yield self._metric


async def page(readings: Readings, accept: str) -> Page:
    """Return the page for a reader who accepts this."""
    encode, content_type = choose_encoder(accept)
    is_open = "openmetrics" in content_type
    parts = []
    for metric in metrics(readings):
        parts.append(encode(_One(metric)).removesuffix(_END))
        await asyncio.sleep(0)
    if is_open:
        parts.append(_END)
    return Page(b"".join(parts), content_type)


def metrics(readings: Readings) -> Iterator[Metric]:
    """Yield every family that has something to say."""
    for labels in readings.gauges.get("build_info", {}):
        info = InfoMetricFamily(PREFIX + BUILD.name, BUILD.text)
        info.add_metric((), dict(zip(BUILD.labels, labels, strict=True)))
        yield info
    for family in GAUGES:
        if family.name in readings.gauges:
            gauge = GaugeMetricFamily(*_head(family), labels=family.labels, unit=_unit(family))
            yield _filled(gauge, readings.gauges[family.name])
    for family in COUNTERS:
        if family.name in readings.counts:
            counter = CounterMetricFamily(*_head(family), labels=family.labels, unit=_unit(family))
            yield _filled(counter, readings.counts[family.name])
    for family in TIMES:
        if family.name in readings.times:
            yield _timed(family, readings.times[family.name])


def _filled(
    metric: GaugeMetricFamily | CounterMetricFamily, values: Mapping[Labels, float]
) -> Metric:
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric


def _timed(family: Family, times: Mapping[Labels, Histogram]) -> Metric:
    metric = HistogramMetricFamily(*_head(family), labels=family.labels, unit=_unit(family))
    for labels, histogram in times.items():
        ends = [_number(each / NS_PER_S) for each in histogram.bounds_ns]
        counts = accumulate(histogram.counts)
        buckets = list(zip((*ends, "+Inf"), counts, strict=True))
        metric.add_metric(labels, buckets, histogram.sum_ns / NS_PER_S)
    return metric


def _head(family: Family) -> tuple[str, str]:
    return PREFIX + family.name, family.text


def _unit(family: Family) -> str:
    return next((unit for unit in _UNITS if family.name.endswith(f"_{unit}")), "")


def _number(value: float) -> str:
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call]
    return text
