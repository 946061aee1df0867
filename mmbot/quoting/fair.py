"""Fair value: the book's mid, its micro-price, an outside mid plus the usual offset, or a blend."""

from math import nan, sqrt
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from mmbot.cext.estimates import Slopes
from mmbot.domain.params import Params
from mmbot.quoting.microprice import BINS, MicroTable
from mmbot.quoting.reference import APART, SECOND_NS, Reference, ReferenceParams, checked
from mmbot.quoting.signals import Signals
from mmbot.quoting.state import QuotingLimits, QuotingState

BPS = 1e-4
# Sources that foretell a move by what was learned of the book and of the outside price.
LEARNING = frozenset({"imbalance", "blend"})


class SlopeParams(Params):
    """What imbalance and the outside price foretell: learned by least squares, or as given."""

    imbalance_bps: Annotated[
        float, Field(ge=0, le=100, description="move that a one-sided book foretells, at first")
    ] = 0.3
    imbalance_max_bps: Annotated[
        float, Field(ge=0, le=100, description="most that is believed of it")
    ] = 1.0
    reference_share: Annotated[
        float, Field(ge=0, le=1, description="blend: weight of the outside price, at first")
    ] = 0.8
    learn: Annotated[
        Literal["imbalance", "both", "none"], Field(description="which of the two is learned")
    ] = "imbalance"
    horizon_s: Annotated[
        float, Field(ge=0.1, le=60, description="how far ahead the move is looked for")
    ] = 1.0
    half_life_s: Annotated[
        float, Field(ge=1, le=86_400, description="memory of what is learned")
    ] = 120.0
    ridge: Annotated[
        float, Field(gt=0, le=1e6, description="weight of the first values, in samples")
    ] = 50.0


class FairPriceParams(Params):
    """Where the fair price comes from and how much of the book is read for it."""

    source: Annotated[
        Literal["mid", "weighted", "micro", "imbalance", "reference", "blend"],
        Field(description="what fair follows: docs/models.md"),
    ] = "mid"
    micro_adjustments_ticks: Annotated[
        tuple[float, ...],
        Field(min_length=1, description="micro: ten by imbalance per spread; [0]: as weighted"),
    ] = (0.0,)
    slopes: SlopeParams = SlopeParams()
    max_deviation_bps: Annotated[
        float, Field(gt=0, le=1000, description="imbalance, blend: further from mid, no quotes")
    ] = 10.0
    book_levels: Annotated[int, Field(ge=1, le=100, description="levels a side in depth sums")] = 5
    min_levels_count: Annotated[
        int, Field(ge=1, le=100, description="levels a side needed to quote")
    ] = 2
    exclude_own: Annotated[bool, Field(description="leave own orders out of depth and best")] = True
    reference: ReferenceParams = ReferenceParams()

    @field_validator("micro_adjustments_ticks")
    @classmethod
    def _whole_rows(cls, table: tuple[float, ...]) -> tuple[float, ...]:
        if table != (0.0,) and len(table) % BINS:
            raise ValueError(f"{BINS} for each spread of 1, 2 ... ticks, not {len(table)}")
        return table

    @model_validator(mode="after")
    def _levels_are_read(self) -> Self:
        if self.min_levels_count > self.book_levels:
            raise ValueError(
                f"min_levels_count {self.min_levels_count} is above "
                f"book_levels {self.book_levels}: no more are read"
            )
        return self


def reference_share(params: FairPriceParams) -> float:
    """By how much the fair price follows the outside one, before anything is learned."""
    if params.source == "blend":
        return params.slopes.reference_share
    return 1.0 if params.source == "reference" else 0.0


class FairPrice:
    """Fair price in ticks from the configured source; remembers what it has learned for it."""

    __slots__ = (
        "_exclude_own",
        "_fallback_mid",
        "_max_deviation",
        "_micro",
        "_reference",
        "_slopes",
        "_source",
        "_steep",
    )

    def __init__(self, params: FairPriceParams, limits: QuotingLimits) -> None:
        self._source = params.source
        self._exclude_own = params.exclude_own
        self._fallback_mid = params.reference.fallback == "mid"
        self._reference = Reference(params.reference, limits)
        self._max_deviation = params.max_deviation_bps
        table = params.micro_adjustments_ticks
        self._micro = MicroTable(table) if len(table) >= BINS else None
        self._steep = params.slopes
        self._slopes: Slopes | None = None
        if self._source in LEARNING and params.slopes.learn != "none":
            self._slopes = Slopes(
                round(params.slopes.horizon_s * SECOND_NS),
                params.slopes.half_life_s,
                params.slopes.ridge,
                (params.slopes.imbalance_bps, params.slopes.reference_share),
            )

    def price(self, state: QuotingState, mid_ticks: float, signals: Signals) -> float | str:
        """Fair price in ticks, or why there is none (spec section 8)."""
        if self._source == "mid":
            return mid_ticks
        if self._source in LEARNING:
            return self._foretold(mid_ticks, signals)
        if self._source == "micro" or self._source == "weighted":
            return self._from_sizes(state, mid_ticks)
        fair = self._reference.price(state, mid_ticks)
        return mid_ticks if self._fallback_mid and isinstance(fair, str) else fair

    def learn(self, state: QuotingState, mid_ticks: float, signals: Signals) -> None:
        """Take in the signals as they are, and what those of a moment ago have come to."""
        if self._source not in LEARNING:
            return
        _best_bid, bid_lots, _best_ask, ask_lots = state.book.touch(self._exclude_own)
        both = bid_lots + ask_lots
        signals.imbalance = (bid_lots - ask_lots) / both if both else 0.0
        signals.deviation_bps = 0.0
        if self._source == "blend":
            outside = self._reference.price(state, mid_ticks)
            signals.stale_reference = outside == self._reference.old
            if outside == APART:
                # Not a number is too far from every mid, and nothing to learn from.
                signals.deviation_bps = nan
                return
            if not isinstance(outside, str):
                signals.deviation_bps = (outside / mid_ticks - 1.0) / BPS
        slopes = self._slopes
        if slopes is None:
            return
        clip = 5.0 * signals.sigma * sqrt(self._steep.horizon_s)
        slopes.update(state.now_ns, mid_ticks, signals.imbalance, signals.deviation_bps, clip)
        first, second = slopes.slopes
        steep = self._steep
        first = min(max(first, 0.0), steep.imbalance_max_bps)
        if steep.learn == "both":
            signals.slopes = (first, min(max(second, 0.0), 1.0))
        else:
            signals.slopes = (first, steep.reference_share)

    def _foretold(self, mid_ticks: float, signals: Signals) -> float | str:
        first, second = signals.slopes
        moved = first * signals.imbalance + second * signals.deviation_bps
        if not -self._max_deviation <= moved <= self._max_deviation:
            return "fair price too far from mid"
        return checked(mid_ticks * (1.0 + moved * BPS))

    def _from_sizes(self, state: QuotingState, mid_ticks: float) -> float | str:
        if self._micro is None or self._source == "weighted":
            return checked(state.book.microprice(self._exclude_own))
        best_bid, bid_lots, best_ask, ask_lots = state.book.touch(self._exclude_own)
        both = bid_lots + ask_lots
        imbalance = (bid_lots - ask_lots) / both if both else 0.0
        return checked(mid_ticks + self._micro.adjustment(imbalance, best_ask - best_bid))
