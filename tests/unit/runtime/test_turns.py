"""What a bot's process is set to while it runs, and that it is as before afterwards."""

import asyncio
import gc
import sys
import weakref

import pytest

from mmbot.runtime.turns import COLLECT_EVERY_S, collect_garbage, short_turns


class Knot:
    """Refers to itself: only a search finds out that nobody else does."""

    def __init__(self) -> None:
        self.itself = self


def _settings() -> tuple[object, ...]:
    return (gc.isenabled(), sys.getswitchinterval(), gc.get_freeze_count())


def test_what_is_there_already_is_not_searched_again() -> None:
    before = _settings()
    loaded: list[list[object]] = [[] for _ in range(1_000)]
    with short_turns():
        fresh = Knot()
        searched = {id(each) for each in gc.get_objects()}
        assert id(fresh) in searched
        assert not searched & {id(each) for each in loaded}
        assert sys.getswitchinterval() < 0.001
    assert _settings() == before


def test_a_failure_leaves_the_process_as_it_was() -> None:
    before = _settings()
    with pytest.raises(KeyError), short_turns():
        raise KeyError
    assert _settings() == before


def test_garbage_goes_between_events_only() -> None:
    async def forgotten_for(seconds: float) -> bool:
        gone = weakref.ref(Knot())
        # Enough that is new for a search, were it done by itself.
        kept = [[each] for each in range(100_000)]
        assert gone() is not None
        assert kept
        await asyncio.sleep(seconds)
        return gone() is None

    async def run() -> None:
        assert not await forgotten_for(2 * COLLECT_EVERY_S)
        collecting = asyncio.create_task(collect_garbage())
        assert await forgotten_for(4 * COLLECT_EVERY_S)
        collecting.cancel()

    with short_turns():
        asyncio.run(run())
