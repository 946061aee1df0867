"""What a run leaves behind: its fills, marks, funding, samples, and the sums over them.

The runtime calls a Recorder while the run goes on and gets a RunRecord at the end; everything a
report says is computed from the RunRecord. Money is atoms, times ns, prices ticks or half ticks.
"""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.domain.position import Position
from mmbot.errors import InvariantViolation
from mmbot.research.sums import (
    Drawdown,
    EquityPoint,
    EquitySums,
    MarketSums,
    QuoteSample,
    Thinned,
)

HOUR_NS = 3_600_000_000_000
HORIZONS_NS = (1_000_000_000, 5_000_000_000, 30_000_000_000)


class OrderCount(StrEnum):
    """What is counted about orders; REQUESTS are batches sent to the venue."""

    PLACED = "placed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    POST_ONLY_REJECTED = "post_only_rejected"
    REQUESTS = "requests"


# Members of an enum are slow to look up.
_PLACED = OrderCount.PLACED
_CANCELLED = OrderCount.CANCELLED
_REQUESTS = OrderCount.REQUESTS


class FillRecord(Struct, frozen=True, gc=False):
    """One execution; `number` is unique and rises. `mark_half_ticks` is the venue's mid then.

    `hedge` marks the executions of the hedge; `cause` is the fill model's word for why.
    """

    number: int
    market: int
    ts_exch_ns: int
    ts_recv_ns: int
    order_id: int
    side: Side
    ticks: int
    lots: int
    leaves_lots: int
    maker: bool
    cause: str
    fee_atoms: int
    mark_half_ticks: int
    hedge: bool = False


class FundingRecord(Struct, frozen=True, gc=False):
    """One funding payment; positive is received."""

    market: int
    ts_ns: int
    atoms: int
    mark_half_ticks: int


class HourMark(Struct, frozen=True, gc=False):
    """The first mid seen in an hour of UTC; it splits the earnings of inventory by hour."""

    ts_ns: int
    half_ticks: int


class MarketRecord(Struct, frozen=True):
    """One market of a finished run. `gate_ns` says for how long each gate held quotes back."""

    market: Market
    limit_lots: int
    final_half_ticks: int
    final_lots: int
    pnl_atoms: int
    sums: MarketSums
    series: tuple[QuoteSample, ...]
    hour_marks: tuple[HourMark, ...]
    gate_ns: dict[str, int]


class RunRecord(Struct, frozen=True):
    """A finished run.

    `marks[h]` maps a fill's number to the mid `horizons_ns[h]` after it; the numbers in
    `unmatured[h]` were cut short by the end of the run. `minute_closes` has the account's equity
    at the end of each minute of UTC that had a sample: (minute, micro-USD).
    """

    start_ns: int
    end_ns: int
    initial_uusd: int
    horizons_ns: tuple[int, ...]
    markets: tuple[MarketRecord, ...]
    fills: tuple[FillRecord, ...]
    funding: tuple[FundingRecord, ...]
    marks: tuple[dict[int, int], ...]
    unmatured: tuple[frozenset[int], ...]
    counts: dict[str, int]
    drawdown: Drawdown
    minute_closes: tuple[tuple[int, int], ...]
    equity: tuple[EquityPoint, ...]


class _MarketTrack:
    __slots__ = (
        "gate_ns",
        "gate_reason",
        "gate_since_ns",
        "hour_marks",
        "last",
        "limit_lots",
        "money",
        "next_hour_ns",
        "pnl_uusd",
        "position",
        "series",
        "sums",
    )

    def __init__(self, market: Market, max_points: int) -> None:
        self.position = Position(market)
        self.series: Thinned[QuoteSample] = Thinned(max_points)
        self.sums = MarketSums()
        self.last: QuoteSample | None = None
        self.limit_lots = 0
        self.money = market.atoms_to_uusd
        self.pnl_uusd = 0
        self.next_hour_ns = 0
        self.hour_marks: list[HourMark] = []
        self.gate_ns: dict[str, int] = {}
        self.gate_reason: str | None = None
        self.gate_since_ns = 0

    def gate(self, ts_ns: int, reason: str | None) -> None:
        held = self.gate_reason
        if held is not None:
            self.gate_ns[held] = self.gate_ns.get(held, 0) + ts_ns - self.gate_since_ns
        self.gate_reason = reason
        self.gate_since_ns = ts_ns

    def finish(self, ts_ns: int, final_half_ticks: int) -> MarketRecord:
        self.gate(ts_ns, None)
        if self.last is not None:
            self.sums.hold(self.last, ts_ns, self.limit_lots)
            self.series.keep(self.last)
        self.sums.max_lots = max(self.sums.max_lots, abs(self.position.lots))
        return MarketRecord(
            market=self.position.market,
            limit_lots=self.limit_lots,
            final_half_ticks=final_half_ticks,
            final_lots=self.position.lots,
            pnl_atoms=self.position.pnl_atoms(final_half_ticks),
            sums=self.sums,
            series=tuple(self.series.points),
            hour_marks=tuple(self.hour_marks),
            gate_ns=dict(self.gate_ns),
        )


class Recorder:
    """Takes notes of a run, at about a microsecond each. Calls must come in order of time."""

    __slots__ = (
        "counts",
        "equity",
        "fills",
        "funding_records",
        "horizons_ns",
        "initial_uusd",
        "marks",
        "start_ns",
        "tracks",
        "unmatured",
    )

    def __init__(
        self,
        markets: Sequence[Market],
        initial_equity_uusd: int,
        horizons_ns: tuple[int, ...] = HORIZONS_NS,
        max_points: int = 20_000,
    ) -> None:
        """Start the notes; `max_points` bounds all plotted series of the markets together."""
        if initial_equity_uusd <= 0:
            raise ValueError(f"initial equity must be positive, not {initial_equity_uusd} uUSD")
        self.horizons_ns = horizons_ns
        self.initial_uusd = initial_equity_uusd
        points = max(100, max_points // max(1, len(markets)))
        self.tracks = [_MarketTrack(market, points) for market in markets]
        self.equity = EquitySums(initial_equity_uusd, max_points)
        self.fills: list[FillRecord] = []
        self.funding_records: list[FundingRecord] = []
        self.marks: tuple[dict[int, int], ...] = tuple({} for _ in horizons_ns)
        self.unmatured: tuple[set[int], ...] = tuple(set() for _ in horizons_ns)
        self.counts: dict[str, int] = dict.fromkeys((kind.value for kind in OrderCount), 0)
        self.start_ns = -1

    def set_limit(self, market: int, lots: int) -> None:
        """Set the position limit in lots from now on; 0, the default, is no limit."""
        self.tracks[market].limit_lots = lots

    def fill(self, record: FillRecord) -> None:
        """Book an execution."""
        track = self.tracks[record.market]
        position = track.position
        position.fill(record.side, record.ticks, record.lots, record.fee_atoms)
        self.equity.fees_uusd += track.money(record.fee_atoms, record.mark_half_ticks)
        size = abs(position.lots)
        if size > track.sums.max_lots:
            track.sums.max_lots = size
        self.fills.append(record)

    def mark(self, number: int, horizon_index: int, half_ticks: int, matured: bool) -> None:
        """Note the mid a horizon after a fill; not `matured` when the run ended before."""
        self.marks[horizon_index][number] = half_ticks
        if not matured:
            self.unmatured[horizon_index].add(number)

    def funding(self, market: int, ts_ns: int, atoms: int, mark_half_ticks: int) -> None:
        """Book a funding payment in atoms; positive is received."""
        self.tracks[market].position.fund(atoms)
        self.funding_records.append(FundingRecord(market, ts_ns, atoms, mark_half_ticks))

    def restate(self, market: int, cost_atoms: int) -> bool:
        """Correct what the market's last fill has cost; False when it has none."""
        for place in range(len(self.fills) - 1, -1, -1):
            last = self.fills[place]
            if last.market == market:
                self.fills[place] = replace(last, fee_atoms=last.fee_atoms + cost_atoms)
                track = self.tracks[market]
                track.position.fees_atoms += cost_atoms
                self.equity.fees_uusd += track.money(cost_atoms, last.mark_half_ticks)
                return True
        return False

    def order(self, kind: str, count: int = 1) -> None:
        """Count an OrderCount kind; KeyError for any other."""
        self.counts[kind] += count

    def sent(self, placed: int, cancelled: int) -> None:
        """Count a batch with so many places and cancels."""
        counts = self.counts
        counts[_REQUESTS] += 1
        counts[_PLACED] += placed
        counts[_CANCELLED] += cancelled

    def gate(self, ts_ns: int, market: int, reason: str | None) -> None:
        """Note that quotes are held back for `reason` from now on; None: they are not."""
        track = self.tracks[market]
        if reason != track.gate_reason:
            track.gate(ts_ns, reason)

    def sample(self, sample: QuoteSample) -> None:
        """Note a market after a decision; InvariantViolation when its time goes back."""
        ts_ns = sample.ts_ns
        track = self.tracks[sample.market]
        last = track.last
        if last is None:
            if self.start_ns < 0:
                self.start_ns = ts_ns
        else:
            track.sums.hold(last, ts_ns, track.limit_lots)
        track.sums.samples += 1
        track.last = sample
        series = track.series
        if series.skipped:
            series.skipped -= 1
        else:
            series.add(sample)
        if ts_ns >= track.next_hour_ns:
            track.next_hour_ns = (ts_ns // HOUR_NS + 1) * HOUR_NS
            track.hour_marks.append(HourMark(ts_ns, sample.mid_half_ticks))
        pnl_uusd = track.money(sample.pnl_atoms, sample.mid_half_ticks)
        self.equity.change(ts_ns, pnl_uusd - track.pnl_uusd)
        track.pnl_uusd = pnl_uusd

    def finish(self, ts_ns: int, final_half_ticks: Sequence[int]) -> RunRecord:
        """End the run at these marks, one a market, and return what it left.

        InvariantViolation when a market that traded has no mark (0).
        """
        markets = []
        for track, half_ticks in zip(self.tracks, final_half_ticks, strict=True):
            position = track.position
            if half_ticks <= 0 and (position.fills or position.funding_atoms):
                raise InvariantViolation(f"{position.market.symbol}: traded, but no final mark")
            market = track.finish(ts_ns, half_ticks)
            pnl_uusd = track.money(market.pnl_atoms, half_ticks)
            self.equity.change(ts_ns, pnl_uusd - track.pnl_uusd)
            track.pnl_uusd = pnl_uusd
            markets.append(market)
        self.equity.finish(ts_ns)
        return RunRecord(
            start_ns=ts_ns if self.start_ns < 0 else self.start_ns,
            end_ns=ts_ns,
            initial_uusd=self.initial_uusd,
            horizons_ns=self.horizons_ns,
            markets=tuple(markets),
            fills=tuple(self.fills),
            funding=tuple(self.funding_records),
            marks=self.marks,
            unmatured=tuple(frozenset(numbers) for numbers in self.unmatured),
            counts=dict(self.counts),
            drawdown=self.equity.drawdown,
            minute_closes=tuple(self.equity.closes),
            equity=tuple(self.equity.series.points),
        )
