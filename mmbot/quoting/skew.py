"""Skew: signed inventory -> shift of the reservation price, toward flat unless told otherwise."""

from typing import Annotated, Literal

from pydantic import Field

from mmbot.domain.params import Params


class InventoryParams(Params):
    """How inventory moves the quotes (spec section 5)."""

    direction: Annotated[
        Literal["reduce", "literal"],
        Field(description="reduce: long shifts quotes down; literal: long shifts them up"),
    ] = "reduce"
    deadband_pct: Annotated[
        float, Field(ge=0, le=100, description="no skew below this share of the limit")
    ] = 5.0
    max_shift_bps: Annotated[
        float, Field(ge=0, le=1000, description="shift at 100 % of the limit")
    ] = 20.0
    bias_bps: Annotated[
        float, Field(ge=-1000, le=1000, description="fixed shift of both quotes")
    ] = 0.0
