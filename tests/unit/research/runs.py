"""Runs for the tests: a small one worked by hand, and random ones."""

from decimal import Decimal

from hypothesis import strategies as st
from msgspec import structs

from mmbot.domain.market import Contract, Market
from mmbot.domain.order import Side
from mmbot.domain.position import Position
from mmbot.research.record import FillRecord, Recorder, RunRecord
from mmbot.research.results import Results, RunHeader, describe
from mmbot.research.sums import QuoteSample

SECOND = 1_000_000_000
START = 1_700_006_400 * SECOND  # 2023-11-15T00:00:00Z, the start of an hour

HEADER = RunHeader(
    name="hand",
    strategy="two quotes",
    source="nowhere",
    data_hash="d1",
    config_hash="c1",
    seed=7,
    fill_model="queue",
    latency="5 ms",
    fees="maker 1 bps",
)


def linear(symbol: str = "XYZ", index: int = 0) -> Market:
    """One tick times one lot is 0.05 USD; an atom is 5e-11 USD, a half tick lot 5e8 atoms."""
    return Market(symbol, Decimal("0.5"), Decimal("0.1"), index=index)


def inverse(index: int = 0) -> Market:
    """Contracts of 100 USD settled in coin."""
    return Market(
        "COIN",
        Decimal("0.5"),
        Decimal(1),
        index=index,
        contract=Contract.INVERSE,
        contract_size=Decimal(100),
    )


def fill(number: int, second: float, side: Side, ticks: int, lots: int) -> FillRecord:
    """A maker's fill with the mid at its price and no fee; change the rest with `but`."""
    ts_ns = START + round(second * SECOND)
    return FillRecord(
        number=number,
        market=0,
        ts_exch_ns=ts_ns,
        ts_recv_ns=ts_ns + 5_000_000,
        order_id=100 + number,
        side=side,
        ticks=ticks,
        lots=lots,
        leaves_lots=0,
        maker=True,
        cause="queue",
        fee_atoms=0,
        mark_half_ticks=2 * ticks,
    )


def but(record: FillRecord, **changes: object) -> FillRecord:
    """The same fill with some fields changed."""
    return structs.replace(record, **changes)


def sample(second: float, half_ticks: int, lots: int, pnl_atoms: int, *quotes: int) -> QuoteSample:
    """A sample of market 0; `quotes` are bid and ask ticks, none by default."""
    bid, ask = quotes or (0, 0)
    ts_ns = START + round(second * SECOND)
    return QuoteSample(ts_ns, 0, half_ticks, lots, pnl_atoms, bid, ask, 3, 4)


def hand_recorder() -> Recorder:
    """Play the hand-worked run up to its end; `hand_run` finishes it."""
    recorder = Recorder([linear()], 1_000_000_000)
    recorder.set_limit(0, 3)
    recorder.sample(sample(0, 200, 0, 0, 99, 101))
    # 3 x 99 x 1 bp = 29.7e6 atoms; then 3 x (202 - 198) x 5e8 - 29.7e6 = 5.9703e9.
    recorder.fill(
        but(fill(0, 5, Side.BID, 99, 3), fee_atoms=29_700_000, mark_half_ticks=200, leaves_lots=2)
    )
    recorder.sample(sample(10, 202, 3, 5_970_300_000, 0, 102))
    # Turns +3 into -1. Cash (-594 + 816) x 5e8, held -198 x 5e8, fees 70.5e6: 11.9295e9.
    recorder.fill(but(fill(1, 15, Side.ASK, 102, 4), fee_atoms=40_800_000, mark_half_ticks=202))
    recorder.sample(sample(20, 198, -1, 11_929_500_000, 98, 100))
    # The hedge takes at 100 with the mid at 99: cash (222 - 200) x 5e8, fees 105.5e6.
    recorder.fill(
        but(
            fill(2, 25, Side.BID, 100, 1),
            fee_atoms=35_000_000,
            mark_half_ticks=198,
            maker=False,
            hedge=True,
        )
    )
    recorder.funding(0, START + 26 * SECOND, 2_000_000_000, 198)
    recorder.sample(sample(30, 196, 0, 12_894_500_000))
    for number, marks in enumerate(((201, 202, 196), (200, 198, 196), (198, 196, 196))):
        for horizon, half_ticks in enumerate(marks):
            recorder.mark(number, horizon, half_ticks, matured=horizon < 2)
    for kind, count in (("placed", 10), ("cancelled", 4), ("rejected", 1), ("requests", 8)):
        recorder.order(kind, count)
    recorder.order("post_only_rejected")
    recorder.gate(START + 30 * SECOND, 0, "spread too wide")
    return recorder


def hand_run() -> RunRecord:
    """The hand-worked run: 40 s, three fills, one payment, profit 12,894,500,000 atoms."""
    return hand_recorder().finish(START + 40 * SECOND, [196])


def hand_results() -> Results:
    """The results of the hand-worked run."""
    return describe(HEADER, hand_run())


@st.composite
def random_runs(draw: st.DrawFn) -> RunRecord:
    """Runs of a linear and an inverse market over some hours: flips, hedges, funding, gaps."""
    markets = [linear(), inverse(1)]
    recorder = Recorder(markets, 10**10, max_points=draw(st.sampled_from([200, 20_000])))
    positions = [Position(market) for market in markets]
    ts_ns = START
    for number in range(draw(st.integers(0, 25))):
        ts_ns += draw(st.integers(0, 1_200)) * SECOND
        index = draw(st.integers(0, 1))
        half_ticks = draw(st.integers(150, 250))
        kind = draw(st.sampled_from(["fill", "fill", "fill", "fund", "sample"]))
        if kind == "fill":
            record = _random_fill(draw, number, index, half_ticks, ts_ns)
            positions[index].fill(record.side, record.ticks, record.lots, record.fee_atoms)
            recorder.fill(record)
            for horizon in range(draw(st.integers(0, 3))):
                mark = draw(st.integers(150, 250))
                recorder.mark(number, horizon, mark, draw(st.booleans()))
        elif kind == "fund":
            atoms = draw(st.integers(-(10**10), 10**10))
            positions[index].fund(atoms)
            recorder.funding(index, ts_ns, atoms, half_ticks)
        else:
            position = positions[index]
            pnl = position.pnl_atoms(half_ticks)
            recorder.sample(
                QuoteSample(ts_ns, index, half_ticks, position.lots, pnl, 99, 101, 1, 1)
            )
    finals = [draw(st.integers(150, 250)) for _ in markets]
    return recorder.finish(ts_ns + draw(st.integers(0, 7_200)) * SECOND, finals)


def _random_fill(
    draw: st.DrawFn, number: int, market: int, half_ticks: int, ts_ns: int
) -> FillRecord:
    side = draw(st.sampled_from([Side.BID, Side.ASK]))
    record = fill(number, 0, side, draw(st.integers(75, 125)), draw(st.integers(1, 9)))
    hedge = draw(st.booleans())
    return but(
        record,
        market=market,
        ts_exch_ns=ts_ns,
        ts_recv_ns=ts_ns,
        mark_half_ticks=half_ticks,
        fee_atoms=draw(st.integers(-(10**8), 10**8)),
        hedge=hedge,
        maker=not hedge and draw(st.booleans()),
    )
