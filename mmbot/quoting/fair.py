"""Fair value: the book's mid, its micro-price, or an outside mid plus the usual offset (ticks)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mmbot.cext.rolling import RollingMedian
from mmbot.domain.params import Params
from mmbot.quoting.state import QuotingLimits, QuotingState

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000
# Prices beyond this many ticks are damaged input; the ladder is exact well above it.
LARGEST_TICKS = 2.0**48


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


class FairPriceParams(Params):
    """Where the fair price comes from and how much of the book is read for it."""

    source: Annotated[
        Literal["mid", "micro", "reference"],
        Field(description="mid, micro-price or reference offset"),
    ] = "mid"
    book_levels: Annotated[int, Field(ge=1, le=100, description="levels a side in depth sums")] = 5
    min_levels_count: Annotated[
        int, Field(ge=1, le=100, description="levels a side needed to quote")
    ] = 2
    exclude_own: Annotated[bool, Field(description="leave own orders out of depth and best")] = True
    reference: ReferenceParams = ReferenceParams()

    @model_validator(mode="after")
    def _levels_are_read(self) -> Self:
        if self.min_levels_count > self.book_levels:
            raise ValueError(
                f"min_levels_count {self.min_levels_count} is above "
                f"book_levels {self.book_levels}: no more are read"
            )
        return self


class FairPrice:
    """Fair price in ticks from the configured source; remembers the offsets it has sampled."""

    __slots__ = (
        "_exclude_own",
        "_fallback_mid",
        "_max_age_ns",
        "_min_samples",
        "_offsets",
        "_second",
        "_source",
        "_stale",
        "_window_s",
    )

    def __init__(self, params: FairPriceParams, limits: QuotingLimits) -> None:
        self._source = params.source
        self._exclude_own = params.exclude_own
        self._fallback_mid = params.reference.fallback == "mid"
        self._min_samples = params.reference.min_samples_count
        self._window_s = params.reference.offset_window_s
        self._offsets = RollingMedian(self._window_s)
        self._second = -1
        self._max_age_ns = limits.reference_max_age_ns
        self._stale = f"reference older than {self._max_age_ns // MILLISECOND_NS} ms"

    def price(self, state: QuotingState, mid_ticks: float) -> float | str:
        """Fair price in ticks, or why there is none (spec section 8)."""
        if self._source == "mid":
            return mid_ticks
        if self._source == "micro":
            return _checked(state.book.microprice(self._exclude_own))
        fair = self._from_reference(state, mid_ticks)
        return mid_ticks if self._fallback_mid and isinstance(fair, str) else fair

    def _from_reference(self, state: QuotingState, mid_ticks: float) -> float | str:
        reference, ts_ns = state.reference_ticks, state.reference_ts_ns
        if reference is None or ts_ns is None:
            return "no reference price"
        if state.now_ns - ts_ns >= self._max_age_ns:
            return self._stale
        if not 0.0 < reference < LARGEST_TICKS:
            return "reference price not a positive number"
        self._sample(state.now_ns // SECOND_NS, mid_ticks - reference)
        if self._offsets.count < self._min_samples:
            return "reference warming up"
        return _checked(reference + self._offsets.median)

    def _sample(self, second: int, offset: float) -> None:
        """One offset a second; a pause as long as the window starts it afresh."""
        if second <= self._second:
            return
        if second - self._second >= self._window_s:
            self._offsets.clear()
        self._second = second
        self._offsets.push(offset)


def _checked(fair_ticks: float) -> float | str:
    return fair_ticks if 0.0 < fair_ticks < LARGEST_TICKS else "fair price not a positive number"
