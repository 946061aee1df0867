"""What a live bot is made of, wired but not started."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmbot.engine import Engine
from mmbot.ports import Venue, VenueFigures
from mmbot.runtime.alarm import Clock
from mmbot.runtime.keeping import Heart, Keeper, LiveFeed
from mmbot.runtime.params import RuntimeParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """The parts. close_on_exit: positions are given back before the end, as far as that goes.

    stay_halted: a halted bot goes on answering until somebody stops it or clears the halt.
    """

    engine: Engine
    venue: Venue
    figures: Callable[[], VenueFigures]
    feeds: Sequence[LiveFeed]
    book_age_ms: Callable[[int], float | None]
    keeper: Keeper
    heart: Heart
    clock: Clock
    params: RuntimeParams
    close_on_exit: bool = False
    stay_halted: bool = False
