"""What every settings model has in common: frozen, unknown keys refused, units in the key."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9_-]*$", max_length=32)]
"""Name of a market, upper-case."""


class Params(BaseModel):
    """Base of the settings models; each package owns its own subclasses."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


HIDDEN = "***"
"""What is shown of a secret setting; read again it counts as not set."""
