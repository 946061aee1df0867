"""Plan: pack actions into batches a venue accepts, cancels first."""

from collections.abc import Sequence

from mmbot.domain.actions import Action, Batch, Cancel, Place


def pack(
    ts_ns: int, cancels: Sequence[Cancel], places: Sequence[Place], batch_size: int
) -> list[Batch]:
    """Batches of at most `batch_size` actions of one market, in the order they must be sent."""
    actions: tuple[Action, ...] = (*cancels, *places)
    if len(actions) <= batch_size:
        return [Batch(ts_ns, actions)] if actions else []
    return [
        Batch(ts_ns, actions[start : start + batch_size])
        for start in range(0, len(actions), batch_size)
    ]
