"""Watch: what of the venue's news the record keeps."""

from collections.abc import Sequence

from mmbot.domain.events import Execution, Fill, FundingPayment
from mmbot.domain.order import Side
from mmbot.research.record import Recorder
from mmbot.research.watch import Watch
from tests.unit.engine.scene import START, Bench


class OneFill:
    """A venue that tells of one fill, made while its mid was 2010 half ticks, and of refusals."""

    now_ns = START

    def __init__(self) -> None:
        fill = Fill(START - 3, START, 0, 7, 0, Side.BID, 1000, 5, 0, True, 11)
        self.executions = [Execution(0, fill, "queue", 2010)]

    def marks(self) -> Sequence[int]:
        return [2030]

    def take_executions(self) -> Sequence[Execution]:
        executions, self.executions = self.executions, []
        return executions

    def take_marks(self) -> Sequence[tuple[int, int, int, bool]]:
        return []

    def take_funding(self) -> Sequence[tuple[FundingPayment, int]]:
        return []

    def refusals(self) -> tuple[int, int]:
        return (2, 3)


def test_a_fill_keeps_the_mid_of_its_moment_not_of_ours() -> None:
    engine = Bench().engine
    market = engine.desks[0].state.market
    watch = Watch(engine, OneFill(), Recorder((market,), 1_000_000), None)
    watch.step(START)
    record = watch.finish()
    (fill,) = record.fills
    assert (fill.mark_half_ticks, fill.ticks, fill.lots, fill.cause) == (2010, 1000, 5, "queue")
    assert (fill.ts_exch_ns, fill.ts_recv_ns, fill.fee_atoms) == (START - 3, START, 11)
    (own,) = record.markets
    assert [sample.mid_half_ticks for sample in own.series] == [2030]
    assert own.final_half_ticks == 2030
    assert (record.counts["rejected"], record.counts["post_only_rejected"]) == (2, 3)
