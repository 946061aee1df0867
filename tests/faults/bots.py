"""The bots that faults can be played to, each with the terms it is held to. The first is usual."""

from collections.abc import Callable, Mapping

from tests.simulation.bot import Factory
from tests.simulation.careful import LOTS, MOST_LOTS, Careful
from tests.simulation.real import Real
from tests.simulation.real import terms as real_terms
from tests.simulation.terms import MarketTerms, Terms


def careful() -> tuple[Factory, Terms]:
    """The small client that keeps the rules."""
    markets = zip(MOST_LOTS, LOTS, strict=True)
    return Careful, Terms(markets=tuple(MarketTerms(1, most, lots) for most, lots in markets))


def real() -> tuple[Factory, Terms]:
    """The bot of the product."""
    return Real, real_terms()


BOTS: Mapping[str, Callable[[], tuple[Factory, Terms]]] = {"real": real, "careful": careful}
