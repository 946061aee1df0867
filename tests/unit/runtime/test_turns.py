"""What a bot's process is set to while it runs, and that it is as before afterwards."""

import gc
import sys

import pytest

from mmbot.runtime.turns import short_turns


def _settings() -> tuple[object, ...]:
    return (*gc.get_threshold(), sys.getswitchinterval(), gc.get_freeze_count())


def test_what_is_there_already_is_not_searched_again() -> None:
    before = _settings()
    loaded: list[list[object]] = [[] for _ in range(1_000)]
    with short_turns():
        fresh: list[object] = []
        fresh.append(fresh)
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
