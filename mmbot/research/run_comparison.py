"""A run beside the replay of its own recording: by how much they differ, and why.

A third run has the live run's own orders on the exchange of the replay: it parts what that exchange
makes of the same orders from what other decisions make. The difference in profit is split exactly:
each lot that only one of them traded has a cause, lots both traded differ in price and fee, and
funding and the venue's corrections stand alone. All runs are marked at the replay's last mid.
Differences are the live run less the other.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from mmbot.domain.events import Fill
from mmbot.domain.market import Market
from mmbot.domain.order import Side
from mmbot.research.attribution import usd_per_atom
from mmbot.research.fill_matching import Cause, Pair, Rest, Terms, match
from mmbot.research.lives import Quoted, Trace, moments

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
_BPS = 10_000


class Marked(Struct, frozen=True):
    """A market and the mid its positions are marked at, half ticks."""

    market: Market
    half_ticks: int


class RunFigures(Struct, frozen=True, kw_only=True):
    """What one of the two runs did."""

    fills_count: int
    volume_usd: float
    pnl_usd: float
    fees_usd: float


class Part(Struct, frozen=True, kw_only=True):
    """A part of the difference; `only` names the run that alone has these fills."""

    only: str
    cause: str
    fills_count: int
    volume_usd: float
    pnl_usd: float


class QuoteDistance(Struct, frozen=True, kw_only=True):
    """How a market was quoted, weighted by time; distances while both runs quote that side."""

    symbol: str
    bid_bps: float | None
    ask_bps: float | None
    live_two_sided_pct: float
    replayed_two_sided_pct: float


class Latency(Struct, frozen=True, kw_only=True):
    """From a request to the word that its order rests, measured and as the replay assumes.

    `fill_p50_ms` is from a fill to the word of it, by the times the replay's exchange gives them.
    """

    orders_count: int
    p50_ms: float | None
    p99_ms: float | None
    fill_p50_ms: float | None
    assumed_ms: float


class SameOrders(Struct, frozen=True, kw_only=True):
    """What the replay's exchange made of the live run's own orders; no decision is in it."""

    figures: RunFigures
    matched_volume_pct: float
    parts: tuple[Part, ...]


class Measured(Struct, frozen=True, kw_only=True):
    """The replay once more, with the delays that were measured."""

    entry_ms: float
    response_ms: float
    figures: RunFigures
    matched_volume_pct: float


class Traces(NamedTuple):
    """A run, its orders on the pretend exchange, and its replay."""

    live: Trace
    same_orders: Trace
    replayed: Trace


class RunComparison(Struct, frozen=True, kw_only=True):
    """The whole comparison; `parts` add up to `pnl_difference_usd`, and so do model and decisions.

    model_usd: the live run less its own orders on the replay's exchange; decisions_usd: these less
    the replay.
    """

    live: RunFigures
    same_orders: SameOrders
    replayed: RunFigures
    matched_volume_pct: float
    pnl_difference_usd: float
    model_usd: float
    decisions_usd: float
    pnl_difference_bps: float | None
    parts: tuple[Part, ...]
    quotes: tuple[QuoteDistance, ...]
    latency: Latency
    refused_count: int
    pauses_s: dict[str, float]
    measured: Measured | None = None
    notes: tuple[str, ...] = ()


def compare_runs(
    traces: Traces, markets: Sequence[Marked], assumed_ms: float, terms: Terms
) -> RunComparison:
    """Compare; `markets` are those of all traces, by index."""
    live, same, replayed = traces
    money = _Money(markets)
    matched_pct, parts, _ = _beside(live, replayed, money, terms)
    same_pct, same_parts, same_pairs = _beside(live, same, money, terms)
    profits = [money.profit(run) for run in traces]
    difference = profits[0] - profits[2]
    traded = money.volume(live.fills)
    return RunComparison(
        live=money.figures(live),
        same_orders=SameOrders(
            figures=money.figures(same), matched_volume_pct=same_pct, parts=same_parts
        ),
        replayed=money.figures(replayed),
        matched_volume_pct=matched_pct,
        pnl_difference_usd=float(difference),
        model_usd=float(profits[0] - profits[1]),
        decisions_usd=float(profits[1] - profits[2]),
        pnl_difference_bps=float(difference / traded * _BPS) if traded else None,
        parts=parts,
        quotes=tuple(
            _distance(live, replayed, index, each.market) for index, each in enumerate(markets)
        ),
        latency=_latency(live, same_pairs, assumed_ms),
        refused_count=sum(life.refused for life in live.lives),
        pauses_s=_pauses(live),
    )


def remeasured(
    live: Trace,
    replayed: Trace,
    markets: Sequence[Marked],
    delays_ms: tuple[float, float],
    terms: Terms,
) -> Measured:
    """Say how near a replay with other delays comes."""
    money = _Money(markets)
    matched_pct, _, _ = _beside(live, replayed, money, terms)
    return Measured(
        entry_ms=delays_ms[0],
        response_ms=delays_ms[1],
        figures=money.figures(replayed),
        matched_volume_pct=matched_pct,
    )


def _beside(
    live: Trace, other: Trace, money: "_Money", terms: Terms
) -> tuple[float, tuple[Part, ...], list[Pair]]:
    """Share of the volume both traded, the parts of the difference in profit, the fills of both."""
    pairs, rests = match(live, other, terms)
    volume = money.volume(live.fills) + money.volume(other.fills)
    both = 2 * sum(money.value(pair.live, pair.lots) for pair in pairs)
    parts = [_paired(pairs, money), *_only(rests, money), *_other(live, other, money)]
    told = tuple(part for part in parts if part.fills_count or part.pnl_usd)
    return float(both / volume * 100) if volume else 100.0, told, pairs


class _Money:
    """Worth of fills in USD, exact, at the marks."""

    def __init__(self, markets: Sequence[Marked]) -> None:
        self._markets = markets
        self._rates = [usd_per_atom(each.market, each.half_ticks) for each in markets]

    def usd(self, market: int, atoms: int) -> Fraction:
        return self._rates[market] * atoms

    def value(self, fill: Fill, lots: int) -> Fraction:
        unit = abs(self._markets[fill.market].market.unit_value(2 * fill.ticks))
        return self.usd(fill.market, unit * lots)

    def volume(self, fills: Iterable[Fill]) -> Fraction:
        return sum((self.value(fill, fill.lots) for fill in fills), Fraction())

    def gain(self, fill: Fill, lots: int) -> Fraction:
        """Profit of so many lots of a fill until the end, with their share of the fee."""
        market, half_ticks = (
            self._markets[fill.market].market,
            self._markets[fill.market].half_ticks,
        )
        rise = market.unit_value(half_ticks) - market.unit_value(2 * fill.ticks)
        fee = Fraction(fill.fee_atoms * lots, fill.lots)
        return self._rates[fill.market] * (fill.side * lots * rise - fee)

    def apart(self, run: Trace) -> tuple[Fraction, Fraction]:
        """Funding received, and what the venue corrected."""
        funding = sum((self.usd(each.market, each.atoms) for each in run.funding), Fraction())
        corrected = Fraction()
        for each in run.restated:
            mark = self._markets[each.market]
            held = each.lots * mark.market.unit_value(mark.half_ticks)
            corrected += self.usd(each.market, each.cash_atoms + held - each.fees_atoms)
        return funding, corrected

    def profit(self, run: Trace) -> Fraction:
        return sum(
            (self.gain(fill, fill.lots) for fill in run.fills), sum(self.apart(run), Fraction())
        )

    def figures(self, run: Trace) -> RunFigures:
        return RunFigures(
            fills_count=len(run.fills),
            volume_usd=float(self.volume(run.fills)),
            pnl_usd=float(self.profit(run)),
            fees_usd=float(sum(self.usd(fill.market, fill.fee_atoms) for fill in run.fills)),
        )


def _paired(pairs: Sequence[Pair], money: _Money) -> Part:
    gained = sum(
        (money.gain(each.live, each.lots) - money.gain(each.replayed, each.lots) for each in pairs),
        Fraction(),
    )
    volume = sum((money.value(each.live, each.lots) for each in pairs), Fraction())
    return Part(
        only="both",
        cause="price and fee of the same fills",
        fills_count=len(pairs),
        volume_usd=float(volume),
        pnl_usd=float(gained),
    )


def _only(rests: Sequence[Rest], money: _Money) -> Iterable[Part]:
    for live in (True, False):
        for cause in Cause:
            found = [rest for rest in rests if rest.live is live and rest.cause is cause]
            gained = sum((money.gain(rest.fill, rest.lots) for rest in found), Fraction())
            volume = sum((money.value(rest.fill, rest.lots) for rest in found), Fraction())
            yield Part(
                only="live" if live else "replay",
                cause=cause,
                fills_count=len(found),
                volume_usd=float(volume),
                pnl_usd=float(gained if live else -gained),
            )


def _other(live: Trace, replayed: Trace, money: _Money) -> Iterable[Part]:
    names = ("funding", "corrections by the venue")
    for name, ours, theirs in zip(names, money.apart(live), money.apart(replayed), strict=True):
        yield Part(
            only="both", cause=name, fills_count=0, volume_usd=0.0, pnl_usd=float(ours - theirs)
        )


def _distance(live: Trace, replayed: Trace, index: int, market: Market) -> QuoteDistance:
    bids, asks = (
        tuple(Quoted(run.lives, index, side) for run in (live, replayed))
        for side in (Side.BID, Side.ASK)
    )
    start_ns = max(live.first_ns, replayed.first_ns)
    times = moments([*bids, *asks], start_ns, min(live.last_ns, replayed.last_ns))
    apart = {Side.BID: 0.0, Side.ASK: 0.0}
    quoting = {Side.BID: 0, Side.ASK: 0}
    two_sided = [0, 0]
    for begin_ns, end_ns in pairwise(times):
        held = end_ns - begin_ns
        both = tuple(
            (bid.at(begin_ns), ask.at(begin_ns)) for bid, ask in zip(bids, asks, strict=True)
        )
        for run, (bid, ask) in enumerate(both):
            two_sided[run] += held if bid and ask else 0
        for side, ours, theirs in zip(Side, both[0], both[1], strict=True):
            if ours and theirs:
                quoting[side] += held
                apart[side] += held * abs(ours - theirs) / theirs
    span = times[-1] - times[0] if times else 0
    far = {side: apart[side] / ns * _BPS if ns else None for side, ns in quoting.items()}
    shares = [ns / span * 100 if span else 0.0 for ns in two_sided]
    return QuoteDistance(
        symbol=market.symbol,
        bid_bps=far[Side.BID],
        ask_bps=far[Side.ASK],
        live_two_sided_pct=shares[0],
        replayed_two_sided_pct=shares[1],
    )


def _latency(live: Trace, pairs: Sequence[Pair], assumed_ms: float) -> Latency:
    found = live.latencies_ns()
    words = sorted(max(0, each.live.ts_recv_ns - each.replayed.ts_venue_ns) for each in pairs)
    return Latency(
        orders_count=len(found),
        p50_ms=found[len(found) // 2] / NS_PER_MS if found else None,
        p99_ms=found[len(found) * 99 // 100] / NS_PER_MS if found else None,
        fill_p50_ms=words[len(words) // 2] / NS_PER_MS if words else None,
        assumed_ms=assumed_ms,
    )


def _pauses(live: Trace) -> dict[str, float]:
    """Seconds by name, within the time it traded."""
    spent: dict[str, float] = {}
    for name, _, begin_ns, end_ns in live.pauses:
        held = min(end_ns, live.last_ns) - max(begin_ns, live.first_ns)
        if held > 0:
            spent[name] = spent.get(name, 0.0) + held / NS_PER_S
    return spent
