"""Checks of the way to the venue, for a person to read."""
