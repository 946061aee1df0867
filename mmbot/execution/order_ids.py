"""Order ids: 8 bits of instance, 13 of epoch, 32 of sequence; 53 in all, so JSON keeps them exact.

The epoch is raised once per start, so an id alone tells whose order it is and from which run.
"""

from mmbot.errors import InvariantViolation

SEQUENCE_BITS = 32
EPOCH_BITS = 13
INSTANCE_BITS = 8
_RUN_SHIFT = SEQUENCE_BITS
_INSTANCE_SHIFT = SEQUENCE_BITS + EPOCH_BITS
_SEQUENCES = 1 << SEQUENCE_BITS


class OrderIds:
    """Hands out the ids of one run; none is ever given twice."""

    __slots__ = ("_first", "_instance", "_run", "_sequence")

    def __init__(self, instance: int, epoch: int, *, issued: int = 0) -> None:
        if not 0 <= instance < 1 << INSTANCE_BITS:
            raise ValueError(f"instance must fit {INSTANCE_BITS} bits, not {instance}")
        if not 0 <= epoch < 1 << EPOCH_BITS:
            raise ValueError(f"epoch must fit {EPOCH_BITS} bits, not {epoch}")
        if not 0 <= issued < _SEQUENCES:
            raise ValueError(f"issued must fit {SEQUENCE_BITS} bits, not {issued}")
        self._instance = instance
        self._run = instance << EPOCH_BITS | epoch
        # What all ids of the run share.
        self._first = self._run << _RUN_SHIFT
        self._sequence = issued

    def next(self) -> int:
        """Return a fresh id; InvariantViolation when the run has used them all."""
        sequence = self._sequence + 1
        if sequence >= _SEQUENCES:
            raise InvariantViolation(f"all {_SEQUENCES - 1} order ids of this run are used")
        self._sequence = sequence
        return self._first | sequence

    def owns(self, order_id: int) -> bool:
        """Is it an id of this instance, from any of its runs?"""
        return order_id >> _INSTANCE_SHIFT == self._instance

    @property
    def epoch(self) -> int:
        """The run these ids are of."""
        return self._run % (1 << EPOCH_BITS)

    def epoch_of(self, order_id: int) -> int | None:
        """Which run of this instance an id is from, None for an id of somebody else."""
        if not self.owns(order_id):
            return None
        return (order_id >> _RUN_SHIFT) % (1 << EPOCH_BITS)

    def later(self, order_id: int) -> bool:
        """Is it an id of a later run of this instance?"""
        epoch = self.epoch_of(order_id)
        return epoch is not None and epoch > self.epoch

    def issued(self, order_id: int) -> bool:
        """Was it handed out by this run?"""
        sequence = order_id % _SEQUENCES
        return order_id >> _RUN_SHIFT == self._run and 0 < sequence <= self._sequence
