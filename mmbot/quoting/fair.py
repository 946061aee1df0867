"""Fair value: the book's mid, its micro-price, or an outside mid plus the usual offset (ticks)."""

from typing import Annotated, Literal

from pydantic import Field

from mmbot.domain.params import Params


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
