"""Small stand-ins for the other end of a wire; they know the protocol, not our code."""
