"""The engine: one synchronous, deterministic step from an event to what must be sent."""

from mmbot.engine.desk import Desk
from mmbot.engine.engine import Engine
from mmbot.engine.guards import Guards
from mmbot.engine.outbox import VenueTraits

__all__ = ["Desk", "Engine", "Guards", "VenueTraits"]
