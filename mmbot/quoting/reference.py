"""Reference: a price of an outside venue, moved to where ours usually is against it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mmbot.cext.rolling import RollingMedian
from mmbot.domain.params import Params
from mmbot.quoting.state import QuotingLimits, QuotingState

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
# Prices beyond this many ticks are damaged input; the ladder is exact well above it.
LARGEST_TICKS = 2.0**48
# What is further from our mid is the price of something else (reliability P15); a mid of a few
# ticks is no exacter than one.
LARGEST_OFFSET_RATIO = 0.03
APART = "reference more than 3 % from the mid"


class ReferenceParams(Params):
    """Outside price: venue mid minus reference mid, median over a window (spec section 8)."""

    offset_window_s: Annotated[
        int, Field(ge=1, le=3600, description="window of the median offset")
    ] = 300
    min_samples_count: Annotated[
        int, Field(ge=1, le=3600, description="samples before it is used")
    ] = 10
    fallback: Annotated[
        Literal["none", "mid"],
        Field(description="without a fresh reference: no quotes, or the mid"),
    ] = "none"

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.min_samples_count > self.offset_window_s:
            raise ValueError(
                f"min_samples_count {self.min_samples_count} never fits into "
                f"offset_window_s {self.offset_window_s}: there is one sample a second"
            )
        return self


class Reference:
    """Outside mid plus the median offset of ours from it, one sample a second.

    An offset that cannot be is no sample: it would move the price long after it has ended.
    """

    __slots__ = ("_max_age_ns", "_min_samples", "_offsets", "_second", "_window_s", "old")

    def __init__(self, params: ReferenceParams, limits: QuotingLimits) -> None:
        self._min_samples = params.min_samples_count
        self._window_s = params.offset_window_s
        self._offsets = RollingMedian(self._window_s)
        self._second = -1
        self._max_age_ns = limits.reference_max_age_ns
        self.old = f"reference older than {self._max_age_ns // MILLISECOND_NS} ms"

    def price(self, state: QuotingState, mid_ticks: float) -> float | str:
        """Price in our ticks, or why there is none; `old` once it has gone silent."""
        reference, ts_ns = state.reference_ticks, state.reference_ts_ns
        if reference is None or ts_ns is None:
            return "no reference price"
        if state.now_ns - ts_ns >= self._max_age_ns:
            return self.old
        if not 0.0 < reference < LARGEST_TICKS:
            return "reference price not a positive number"
        if abs(reference - mid_ticks) > max(LARGEST_OFFSET_RATIO * mid_ticks, 1.0):
            return APART
        self._sample(state.now_ns // SECOND_NS, mid_ticks - reference)
        if self._offsets.count < self._min_samples:
            return "reference warming up"
        return checked(reference + self._offsets.median)

    def _sample(self, second: int, offset: float) -> None:
        """One offset a second; a pause as long as the window starts it afresh."""
        if second <= self._second:
            return
        if second - self._second >= self._window_s:
            self._offsets.clear()
        self._second = second
        self._offsets.push(offset)


def checked(fair_ticks: float) -> float | str:
    """The price, or that it is none."""
    return fair_ticks if 0.0 < fair_ticks < LARGEST_TICKS else "fair price not a positive number"
