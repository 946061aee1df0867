"""Params: frozen, strict about keys, and strict about their own defaults."""

import pytest
from pydantic import Field, ValidationError

from mmbot.domain.params import Params


class Sample(Params):
    """Settings with one key."""

    width_bps: float = Field(default=8.0, gt=0)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Sample().width_bps = 9.0


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="widht_bps"):
        Sample.model_validate({"widht_bps": 9.0})


def test_a_default_obeys_its_own_bounds() -> None:
    class Wrong(Params):
        """A default outside of its bounds."""

        width_bps: float = Field(default=-1.0, gt=0)

    with pytest.raises(ValidationError, match="greater than 0"):
        Wrong()
