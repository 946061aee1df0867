"""What a ledger's rows of a window earned, by the attribution of the backtests.

A window's lines are those of everything until its end less those of everything until its start, so
they add up to the change of equity exactly, whatever was held at either end. What nobody knows is
left where it cannot mislead: a trade without a mid is valued at its own price (its capture counts
as inventory), a trade without the mid after a horizon counts as not moved.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from operator import itemgetter
from typing import NamedTuple

from msgspec import Struct, structs

from mmbot.domain.market import MICRO, Market
from mmbot.domain.order import Side
from mmbot.domain.position import Position
from mmbot.errors import InvariantViolation
from mmbot.ledger.folds import Book, books, cost_ticks
from mmbot.ledger.reader import LedgerReader, Window
from mmbot.ledger.rows import AdjustmentRow, FillRow
from mmbot.research.attribution import Attribution, Lines, Split, attribute, usd_per_atom
from mmbot.research.record import (
    HORIZONS_NS,
    HOUR_NS,
    FillRecord,
    FundingRecord,
    HourMark,
    MarketRecord,
    RunRecord,
)
from mmbot.research.sums import Drawdown, MarketSums

DIMENSIONS = ("market", "hour", "side", "liquidity")


class Share(Struct, frozen=True):
    """What a market, an hour or all of it earned, in USD; `adjustments` are beside the lines."""

    lines: Lines = Lines()
    adjustments: Fraction = Fraction(0)
    fills: int = 0
    volume_usd: Fraction = Fraction(0)

    @property
    def total(self) -> Fraction:
        """The profit."""
        return Fraction(self.lines.total) + self.adjustments

    def plus(self, other: "Share") -> "Share":
        """Return the sum."""
        return Share(
            self.lines.plus(other.lines),
            self.adjustments + other.adjustments,
            self.fills + other.fills,
            self.volume_usd + other.volume_usd,
        )


class Earnings(Struct, frozen=True):
    """A window's profit; the shares of each dimension sum to `whole`.

    `unmarked` fills have no mid, `unmatured[h]` none after horizon h. `first_uusd`, `last_uusd` are
    the venue's equity at the first and last checkpoint inside; `transfers_uusd` what came in
    between.
    """

    whole: Share
    groups: dict[str, dict[str, Share]]
    splits: tuple[Split, ...]
    unmarked: int
    unmatured: tuple[int, ...]
    first_uusd: int | None
    last_uusd: int | None
    transfers_uusd: int


class _Rows(NamedTuple):
    """Rows before the end of the window, mids after trades by horizon, mids at the end."""

    fills: list[FillRow]
    adjustments: list[AdjustmentRow]
    marks: list[dict[tuple[int, int], int]]
    last: dict[int, int]


class _Moment(NamedTuple):
    """Everything until a moment; adjustments with what they gave at their own price, in USD."""

    found: Attribution
    adjusted: list[tuple[AdjustmentRow, Fraction]]
    total: Fraction


def earnings(reader: LedgerReader, window: Window) -> Earnings:
    """Attribute a window; InvariantViolation when the lines miss the folds by anything."""
    everything = Window(until_ns=window.until_ns, symbols=window.symbols)
    # Without any price money counts all the same; what is held is then worth next to nothing.
    closing = [_marked(book, 1) for book in books(reader, everything)]
    rows = _Rows(
        list(reader.fills(everything)),
        list(reader.adjustments(everything)),
        [reader.marks(horizon) for horizon in HORIZONS_NS],
        {book.number: book.mark_half_ticks for book in closing},
    )
    before = Window(until_ns=window.since_ns, symbols=window.symbols)
    # What was held at the start is valued there in both, so that the hours before it cancel.
    opening = [_marked(book, rows.last[book.number]) for book in books(reader, before)]
    starts = {book.number: HourMark(window.since_ns, book.mark_half_ticks) for book in opening}
    first = _moment(reader, before, rows, opening, starts)
    last = _moment(reader, everything, rows, closing, starts)
    groups = _groups(reader, window, rows, first, last)
    whole = Share()
    for share in groups["market"].values():
        whole = whole.plus(share)
    change = last.total - first.total
    if whole.total != change:
        raise InvariantViolation(f"attribution is {whole.total} USD, equity changed by {change}")
    inside = [fill for fill in rows.fills if fill.ts_ns >= window.since_ns]
    known = [p.equity_uusd for p in reader.points(window) if p.equity_uusd is not None]
    return Earnings(
        whole,
        groups,
        tuple(
            Split(one.horizon_ns, *(a - b for a, b in zip(one[1:], other[1:], strict=True)))
            for one, other in zip(last.found.splits, first.found.splits, strict=True)
        ),
        sum(fill.mark_half_ticks is None for fill in inside),
        tuple(
            sum((fill.market, fill.trade_id) not in marks for fill in inside)
            for marks in rows.marks
        ),
        known[0] if known else None,
        known[-1] if known else None,
        sum(uusd for _, uusd in reader.transfers(window)),
    )


def by_day(shares: Mapping[str, Share]) -> dict[str, Share]:
    """Sum shares by hour to shares by day."""
    days: dict[str, Share] = {}
    for hour, share in shares.items():
        _add(days, hour[:10], share)
    return days


def _groups(
    reader: LedgerReader, window: Window, rows: _Rows, first: _Moment, last: _Moment
) -> dict[str, dict[str, Share]]:
    groups: dict[str, dict[str, Share]] = {name: {} for name in DIMENSIONS}
    for dimension, shares in groups.items():
        earlier = first.found.groups[dimension]
        for key, lines in last.found.groups[dimension].items():
            _add(shares, key, Share(lines.plus(earlier.get(key, Lines()).times(Fraction(-1)))))
    for row, usd in last.adjusted:
        if row.ts_ns >= window.since_ns:
            share = Share(adjustments=usd)
            _add(groups["market"], reader.symbol(row.market), share)
            _add(groups["hour"], _hour(row.ts_ns), share)
    for fill in rows.fills:
        if fill.ts_ns >= window.since_ns:
            market = reader.markets[fill.market]
            uusd = market.notional_uusd(2 * fill.ticks, fill.lots)
            share = Share(fills=1, volume_usd=Fraction(uusd, MICRO))
            _add(groups["market"], market.symbol, share)
            _add(groups["hour"], _hour(fill.ts_ns), share)
    return {
        name: {key: share for key, share in sorted(shares.items()) if share != Share()}
        for name, shares in groups.items()
    }


def _moment(
    reader: LedgerReader,
    window: Window,
    rows: _Rows,
    held: Sequence[Book],
    starts: Mapping[int, HourMark],
) -> _Moment:
    places = {book.number: place for place, book in enumerate(held)}
    adjusted: list[tuple[AdjustmentRow, Fraction]] = []
    fills: list[FillRecord] = []
    marks: tuple[dict[int, int], ...] = tuple({} for _ in HORIZONS_NS)
    for row in rows.adjustments:
        if row.ts_ns < window.until_ns and row.market in places:
            place = places[row.market]
            price = max(1, rows.last[row.market] // 2)
            came, atoms = _as_fill(held[place].market, row, price)
            fills += [_record(fill, -1 - len(adjusted), place) for fill in came]
            adjusted.append((row, atoms * _rate(held[place])))
    for number, fill in enumerate(rows.fills):
        if fill.ts_ns < window.until_ns and fill.market in places:
            fills.append(_record(fill, number, places[fill.market]))
            for found, known in zip(marks, rows.marks, strict=True):
                after = known.get((fill.market, fill.trade_id))
                if after is not None:
                    found[number] = after
    for each in fills:
        for found in marks:
            found.setdefault(each.number, each.mark_half_ticks)
    fills.sort(key=lambda each: (each.ts_exch_ns, each.number))
    record_of_run = _run(reader, window, held, fills, starts)
    total = sum((book.pnl_atoms * _rate(book) for book in held), Fraction(0))
    return _Moment(attribute(structs.replace(record_of_run, marks=marks)), adjusted, total)


def _run(
    reader: LedgerReader,
    window: Window,
    held: Sequence[Book],
    fills: Sequence[FillRecord],
    starts: Mapping[int, HourMark],
) -> RunRecord:
    places = {book.number: place for place, book in enumerate(held)}
    hours: list[list[HourMark]] = [[] for _ in held]
    for number, start in starts.items():
        if number in places:
            hours[places[number]].append(start)
    for hour in reader.hours(window):
        if hour.market in places:
            hours[places[hour.market]].append(HourMark(hour.first_ns, hour.first_half_ticks))
    funding = _funding(reader, window, held, fills, hours)
    positions = [Position(book.market) for book in held]
    for fill in fills:
        positions[fill.market].fill(fill.side, fill.ticks, fill.lots, fill.fee_atoms)
    for payment in funding:
        positions[payment.market].fund(payment.atoms)
    known = [book.mark_ns for book in held] + [fill.ts_exch_ns for fill in fills]
    known += [payment.ts_ns for payment in funding]
    known += [mark.ts_ns for marks in hours for mark in marks]
    end_ns = max(known, default=0)
    return RunRecord(
        start_ns=min(known, default=0),
        end_ns=end_ns,
        initial_uusd=0,
        horizons_ns=HORIZONS_NS,
        markets=tuple(
            MarketRecord(
                market=position.market,
                limit_lots=0,
                final_half_ticks=book.mark_half_ticks,
                final_lots=position.lots,
                pnl_atoms=position.pnl_atoms(book.mark_half_ticks),
                sums=MarketSums(),
                series=(),
                hour_marks=tuple(marks) or (HourMark(end_ns, book.mark_half_ticks),),
                gate_ns={},
            )
            for book, position, marks in zip(held, positions, hours, strict=True)
        ),
        fills=tuple(fills),
        funding=tuple(funding),
        marks=(),
        unmatured=(),
        counts={},
        drawdown=Drawdown(0),
        minute_closes=(),
        equity=(),
    )


def _funding(
    reader: LedgerReader,
    window: Window,
    held: Sequence[Book],
    fills: Sequence[FillRecord],
    hours: Sequence[Sequence[HourMark]],
) -> list[FundingRecord]:
    places = {book.number: place for place, book in enumerate(held)}
    known = [[(mark.ts_ns, mark.half_ticks) for mark in marks] for marks in hours]
    for fill in fills:
        known[fill.market].append((fill.ts_exch_ns, fill.mark_half_ticks))
    for mids in known:
        mids.sort()
    payments = []
    for row in reader.funding(window):
        if row.market in places:
            place = places[row.market]
            # Before the first known mid nothing was held, and any will do.
            mark = row.mark_half_ticks or _mark_at(row.ts_ns, known[place])
            mark = mark or held[place].mark_half_ticks
            payments.append(FundingRecord(place, row.ts_ns, row.atoms, mark))
    return payments


def _mark_at(ts_ns: int, mids: Sequence[tuple[int, int]]) -> int:
    place = bisect_right(mids, ts_ns, key=itemgetter(0))
    return mids[place - 1][1] if place else 0


def _record(fill: FillRow, number: int, place: int) -> FillRecord:
    return FillRecord(
        number=number,
        market=place,
        ts_exch_ns=fill.ts_ns,
        ts_recv_ns=fill.ts_ns,
        order_id=fill.order_id,
        side=fill.side,
        ticks=fill.ticks,
        lots=fill.lots,
        leaves_lots=0,
        maker=fill.maker,
        cause="",
        fee_atoms=fill.fee_atoms,
        mark_half_ticks=fill.mark_half_ticks or 2 * fill.ticks,
        hedge=fill.hedge,
    )


def _as_fill(market: Market, row: AdjustmentRow, price: int) -> tuple[list[FillRow], int]:
    """Return the lots as a fill at what they cost, else at `price`, and the atoms beside it."""
    if not row.lots:
        return [], row.cash_atoms - row.fees_atoms
    ticks = cost_ticks(market, row) or price
    side = Side.BID if row.lots > 0 else Side.ASK
    fill = FillRow(row.ts_ns, row.market, 0, 0, 0, side, ticks, abs(row.lots), False, 0)
    return [fill], row.cash_atoms + row.lots * market.unit_value(2 * ticks) - row.fees_atoms


def _marked(book: Book, half_ticks: int) -> Book:
    return book if book.mark_half_ticks else structs.replace(book, mark_half_ticks=half_ticks)


def _rate(book: Book) -> Fraction:
    return usd_per_atom(book.market, book.mark_half_ticks)


def _hour(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns // HOUR_NS * 3600, UTC).strftime("%Y-%m-%dT%H:00Z")


def _add(shares: dict[str, Share], key: str, share: Share) -> None:
    shares[key] = shares[key].plus(share) if key in shares else share
