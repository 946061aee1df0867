"""How good foretold chances are: Brier's score and log loss, both the better the lower."""

from math import log

# A chance of 0 or 1 that was wrong would cost without end.
LEAST = 1e-6


def brier(chance: float, happened: bool) -> float:
    """Return the squared error of a chance."""
    return (chance - happened) ** 2


def log_loss(chance: float, happened: bool) -> float:
    """Return what the outcome was worth as a surprise, in nats."""
    return -log(max(LEAST, chance if happened else 1 - chance))
