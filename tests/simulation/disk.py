"""The disk of a simulated machine, as far as faults on it are concerned."""


class Disk:
    """Whether writes succeed, and how long each takes, seconds of virtual time.

    The bot's own writer asks it before every write; a dead bot's writes have no effect.
    """

    def __init__(self) -> None:
        self.full = False
        self.slow_s = 0.0
        self.writes = 0

    def write(self) -> float:
        """Account for one write; how long it takes. OSError when there is no room."""
        self.writes += 1
        if self.full:
            raise OSError(28, "no space left on device")
        return self.slow_s
