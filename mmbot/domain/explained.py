"""Explanation: why a market's last quotes are what they are, term by term."""

from decimal import Decimal

from msgspec import Struct


class Term(Struct, frozen=True):
    """One part of a width, or of a shift, in basis points of the price."""

    name: str
    bps: float


class ExplainedQuote(Struct, frozen=True):
    """One quote; `from_fair_bps` is signed: below the fair price is negative."""

    side: str
    level: int
    price: Decimal
    size: Decimal
    from_fair_bps: float


class Explanation(Struct, frozen=True):
    """The last decision on a market. Prices in quote currency, None where there were none.

    gate: what forbids quotes, or a side of them, None when nothing does. half_width: the terms of
    half the width of the best quotes, which add up to `half_width_bps`. `bound` names the end of
    its range the width has reached ("min", "max"). shift: the terms that move both quotes, positive
    up. size_cut_pct: how much less is quoted than the sizing asks for. room_bid, room_ask: what the
    limits still leave. learned: what the models have learned, a line each.
    """

    symbol: str
    ts_ns: int
    gate: str | None
    mid: Decimal | None = None
    fair: Decimal | None = None
    fair_source: str = ""
    reservation: Decimal | None = None
    half_width_bps: float | None = None
    half_width: tuple[Term, ...] = ()
    bound: str | None = None
    imbalance: float | None = None
    shift: tuple[Term, ...] = ()
    position: Decimal | None = None
    position_ratio: float | None = None
    size_cut_pct: float = 0.0
    room_bid: Decimal | None = None
    room_ask: Decimal | None = None
    quotes: tuple[ExplainedQuote, ...] = ()
    learned: tuple[str, ...] = ()
