"""Ladder: reservation price and spread -> levels on the grid that cross nothing."""

from typing import Annotated

from pydantic import Field

from mmbot.domain.params import Params


class LevelsParams(Params):
    """Level l sits at spread * (l + 1) / 2 from the reservation price (spec section 6)."""

    count: Annotated[int, Field(ge=1, le=20, description="levels a side")] = 2
