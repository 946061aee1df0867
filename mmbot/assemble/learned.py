"""What the models of a run have learned by its end, for its report."""

from mmbot.assemble import Run
from mmbot.engine.explaining import markout_control
from mmbot.research.results import Learned, ShadowDepth


def learned(run: Run) -> tuple[Learned, ...]:
    """What the virtual quotes of every market that has them have come to."""
    found = []
    for desk in run.engine.desks:
        control = markout_control(desk)
        if control is not None:
            found.append(
                Learned(
                    symbol=desk.state.market.symbol,
                    half_width_bps=control.floor_bps,
                    pays=control.choice.pays,
                    depths=tuple(ShadowDepth(*row) for row in control.shadows.table()),
                )
            )
    return tuple(found)
