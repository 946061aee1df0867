"""Where a run's profit came from; the lines add up to the change of equity to the atom.

A fill of s x lots at p with the venue's mid at m earns s x (U(m) - U(p)) at once (capture) and
s x (U(final) - U(m)) afterwards (inventory), U being `Market.unit_value`. By hour, inventory is
instead what the position then held earned. Hedge fills have lines of their own.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from operator import add
from typing import NamedTuple

from msgspec import Struct

from mmbot.domain.market import Contract, Market
from mmbot.domain.order import Side
from mmbot.errors import InvariantViolation
from mmbot.research.record import HOUR_NS, FillRecord, MarketRecord, RunRecord
from mmbot.research.trips import AverageCost

Amount = int | Fraction


class Lines(NamedTuple):
    """Contributions to profit, in atoms or USD: costs are negative, the sum is the profit."""

    maker_capture: Amount = 0
    taker_capture: Amount = 0
    inventory: Amount = 0
    fees: Amount = 0
    funding: Amount = 0
    hedge_execution: Amount = 0
    hedge_inventory: Amount = 0
    hedge_fees: Amount = 0

    def plus(self, other: "Lines") -> "Lines":
        """Return the sum, line by line."""
        return Lines(*map(add, self, other))

    def times(self, factor: Fraction) -> "Lines":
        """Return every line times a factor."""
        return Lines(*(line * factor for line in self))

    @property
    def capture(self) -> Amount:
        """All that was earned against the mid at the moment of a fill."""
        return self.maker_capture + self.taker_capture + self.hedge_execution

    @property
    def holding(self) -> Amount:
        """All that positions earned afterwards."""
        return self.inventory + self.hedge_inventory

    @property
    def total(self) -> Amount:
        """The profit."""
        return sum(self, Fraction(0))


class Split(NamedTuple):
    """Inventory split at a horizon: adverse + residual; realised is capture + adverse."""

    horizon_ns: int
    adverse: Amount
    residual: Amount
    realised: Amount


class MarketAttribution(Struct, frozen=True):
    """One market's lines in atoms; `usd_per_atom` converts at the final mark."""

    symbol: str
    lines: Lines
    splits: tuple[Split, ...]
    realised_atoms: int
    unrealised_atoms: int
    usd_per_atom: Fraction


class Attribution(Struct, frozen=True):
    """All markets together in USD; `groups[dimension][key]` sum to `lines` in each dimension."""

    markets: tuple[MarketAttribution, ...]
    lines: Lines
    splits: tuple[Split, ...]
    groups: dict[str, dict[str, Lines]]


def usd_per_atom(market: Market, half_ticks: int) -> Fraction:
    """Worth of one atom of settlement money at a mark; inverse contracts convert, linear do not."""
    atom = Fraction(market.atom)
    if market.contract is Contract.INVERSE:
        atom *= Fraction(market.tick) * half_ticks / 2
    return atom


def mark_after(record: RunRecord, fill: FillRecord, horizon: int) -> int:
    """Mid (half ticks) a horizon after a fill, or the final one when the run ended before."""
    final = record.markets[fill.market].final_half_ticks
    return record.marks[horizon].get(fill.number, final)


def attribute(record: RunRecord) -> Attribution:
    """Split a run's profit; InvariantViolation when the lines miss it by an atom."""
    markets = []
    groups: dict[str, dict[str, Lines]] = {"market": {}, "side": {}, "liquidity": {}, "hour": {}}
    total = Lines()
    for index, market in enumerate(record.markets):
        rate = usd_per_atom(market.market, market.final_half_ticks)
        by_side, by_liquidity = _by_fill(record, index)
        by_hour = _by_hour(record, index)
        lines = _sum(by_side.values())
        for parts in (by_side, by_liquidity, by_hour):
            _check(market, _sum(parts.values()))
        markets.append(_market(record, index, lines, rate))
        total = total.plus(lines.times(rate))
        views = {"side": by_side, "liquidity": by_liquidity, "hour": by_hour}
        for dimension, parts in {"market": {market.market.symbol: lines}, **views}.items():
            for key, line in parts.items():
                _add(groups[dimension], key, line.times(rate))
    return Attribution(tuple(markets), total, _total_splits(record, markets), groups)


def _market(record: RunRecord, index: int, lines: Lines, rate: Fraction) -> MarketAttribution:
    market = record.markets[index]
    fills = [fill for fill in record.fills if fill.market == index]
    cost = AverageCost(market.market, fills)
    unrealised = cost.unrealised_atoms(market.final_half_ticks)
    if cost.realised_atoms + unrealised + lines.funding != market.pnl_atoms:
        raise InvariantViolation(f"{market.market.symbol}: the average-cost view misses the profit")
    value = market.market.unit_value
    splits = []
    for horizon, ns in enumerate(record.horizons_ns):
        adverse = sum(
            fill.side
            * fill.lots
            * (value(mark_after(record, fill, horizon)) - value(fill.mark_half_ticks))
            for fill in fills
        )
        splits.append(Split(ns, adverse, lines.holding - adverse, lines.capture + adverse))
    return MarketAttribution(
        market.market.symbol, lines, tuple(splits), cost.realised_atoms, unrealised, rate
    )


def _by_fill(record: RunRecord, index: int) -> tuple[dict[str, Lines], dict[str, Lines]]:
    """Give every fill what its lots earned until the end; once by side, once by liquidity."""
    market = record.markets[index]
    value = market.market.unit_value
    final = market.final_half_ticks
    sides: dict[str, Lines] = {}
    liquidities: dict[str, Lines] = {}
    for fill in record.fills:
        if fill.market == index:
            held = fill.side * fill.lots * (value(final) - value(fill.mark_half_ticks))
            lines = _at_fill(market.market, fill).plus(_held(fill.hedge, held))
            _add(sides, "bid" if fill.side is Side.BID else "ask", lines)
            liquidity = "hedge" if fill.hedge else "maker" if fill.maker else "taker"
            _add(liquidities, liquidity, lines)
    for payment in record.funding:
        if payment.market == index:
            _add(sides, "funding", Lines(funding=payment.atoms))
            _add(liquidities, "funding", Lines(funding=payment.atoms))
    return sides, liquidities


def _at_fill(market: Market, fill: FillRecord) -> Lines:
    value = market.unit_value
    capture = fill.side * fill.lots * (value(fill.mark_half_ticks) - value(2 * fill.ticks))
    if fill.hedge:
        return Lines(hedge_execution=capture, hedge_fees=-fill.fee_atoms)
    if fill.maker:
        return Lines(maker_capture=capture, fees=-fill.fee_atoms)
    return Lines(taker_capture=capture, fees=-fill.fee_atoms)


def _held(hedge: bool, atoms: int) -> Lines:
    return Lines(hedge_inventory=atoms) if hedge else Lines(inventory=atoms)


def _by_hour(record: RunRecord, index: int) -> dict[str, Lines]:
    """Fold a market's fills, payments and hour marks in time.

    What inventory earns in a step goes to the hour the step starts in; a sample starts every hour.
    """
    market = record.markets[index]
    value = market.market.unit_value
    steps = [(mark.ts_ns, mark.half_ticks, Lines(), 0, False) for mark in market.hour_marks]
    steps += [
        (p.ts_ns, p.mark_half_ticks, Lines(funding=p.atoms), 0, False)
        for p in record.funding
        if p.market == index
    ]
    steps += [
        (f.ts_exch_ns, f.mark_half_ticks, _at_fill(market.market, f), f.side * f.lots, f.hedge)
        for f in record.fills
        if f.market == index
    ]
    steps.sort(key=lambda step: step[0])
    steps.append((record.end_ns, market.final_half_ticks, Lines(), 0, False))
    hours: dict[str, Lines] = {}
    held = {False: 0, True: 0}
    last_ns, last = steps[0][:2]
    for ts_ns, mark, lines, lots, hedge in steps:
        for kind, position in held.items():
            if position:
                earned = _held(kind, position * (value(mark) - value(last)))
                _add(hours, _hour_name(last_ns // HOUR_NS), earned)
        _add(hours, _hour_name(ts_ns // HOUR_NS), lines)
        held[hedge] += lots
        last_ns, last = ts_ns, mark
    return hours


@cache
def _hour_name(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%H:00Z")


def _add(group: dict[str, Lines], key: str, lines: Lines) -> None:
    group[key] = group[key].plus(lines) if key in group else lines


def _sum(lines: Iterable[Lines]) -> Lines:
    total = Lines()
    for line in lines:
        total = total.plus(line)
    return total


def _check(market: MarketRecord, lines: Lines) -> None:
    if lines.total != market.pnl_atoms:
        raise InvariantViolation(
            f"{market.market.symbol}: attribution is {lines.total} atoms, "
            f"equity changed by {market.pnl_atoms}"
        )


def _total_splits(record: RunRecord, markets: list[MarketAttribution]) -> tuple[Split, ...]:
    return tuple(
        Split(
            ns,
            *(
                sum((m.splits[horizon][part] * m.usd_per_atom for m in markets), Fraction(0))
                for part in (1, 2, 3)
            ),
        )
        for horizon, ns in enumerate(record.horizons_ns)
    )
