"""What every settings model has in common: frozen, unknown keys refused, units in the key."""

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """Base of the settings models; each package owns its own subclasses."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
