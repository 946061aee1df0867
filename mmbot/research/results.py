"""Everything a report says about one run, computed once, and its JSON form."""

from msgspec import Struct, structs, to_builtins

from mmbot.research.attribution import Attribution, Lines, Split, attribute
from mmbot.research.markets import MarketMetrics, measure_markets
from mmbot.research.markouts import Markout, markouts
from mmbot.research.metrics import Metrics, MetricValue, Presence, Profit, Risk, Trading, measure
from mmbot.research.record import RunRecord
from mmbot.research.text import iso_time, span

SCHEMA = "mmbot.results/1"
DAY_S = 86_400
ENOUGH_FILLS = 100
MAX_PARTICIPATION_PCT = 5.0

Json = dict[str, object]


class RunHeader(Struct, frozen=True, kw_only=True):
    """What was run on what. The words (latency, fees, fill model) are for people to read.

    `optimistic_fills` is set for fill models known to flatter; `market_volume_usd` is what the
    whole market traded, None when the input does not tell; `notes` are remarks on the input.
    """

    name: str
    strategy: str
    source: str
    data_hash: str
    config_hash: str
    seed: int
    fill_model: str
    latency: str
    fees: str
    optimistic_fills: bool = False
    market_volume_usd: float | None = None
    notes: tuple[str, ...] = ()


class ShadowDepth(Struct, frozen=True):
    """What virtual quotes at one distance from fair were worth 5 s after their fills.

    Older fills count less, so `fills_count` is not whole.
    """

    depth_bps: float
    fills_count: float
    mean_bps: float
    se_bps: float


class Learned(Struct, frozen=True, kw_only=True):
    """What the markout control of a market knew at the end, and the half width it asked for."""

    symbol: str
    half_width_bps: float
    pays: bool
    depths: tuple[ShadowDepth, ...]


class Results(Struct, frozen=True):
    """A run, described; `learned` has the markets whose width follows shadow quotes."""

    header: RunHeader
    record: RunRecord
    metrics: Metrics
    markets: tuple[MarketMetrics, ...]
    markouts: tuple[Markout, ...]
    attribution: Attribution
    warnings: tuple[str, ...]
    learned: tuple[Learned, ...] = ()

    def values(self) -> dict[str, MetricValue]:
        """Return everything `--fail-if` may name: the metrics and the markouts of all fills."""
        values = self.metrics.flat()
        for markout in self.markouts:
            if markout.side == "all":
                values[f"markout_{markout.horizon_s:g}s_bps"] = markout.mean_bps
        return values


def describe(header: RunHeader, record: RunRecord, learned: tuple[Learned, ...] = ()) -> Results:
    """Compute all results of a run; InvariantViolation when its money does not add up."""
    metrics = measure(record)
    curve = markouts(record)
    return Results(
        header=header,
        record=record,
        metrics=metrics,
        markets=measure_markets(record),
        markouts=curve,
        attribution=attribute(record),
        warnings=_warnings(header, metrics, curve),
        learned=learned,
    )


def value_keys(horizons_ns: tuple[int, ...]) -> tuple[str, ...]:
    """Name the numeric keys of `Results.values` before there is a result."""
    fields = [
        field.name for part in (Profit, Risk, Trading, Presence) for field in structs.fields(part)
    ]
    keys = [name for name in fields if not name.endswith("_reason")]
    return (*keys, *(f"markout_{ns / 1e9:g}s_bps" for ns in (0, *horizons_ns)))


def document(results: Results) -> Json:
    """Return the JSON document of a run, schema "mmbot.results/1"; docs/results.md has the keys."""
    record = results.record
    learned = {"shadows": to_builtins(results.learned)} if results.learned else {}
    return {
        "schema": SCHEMA,
        "header": {
            **structs.asdict(results.header),
            "start": iso_time(record.start_ns),
            "end": iso_time(record.end_ns),
        },
        "metrics": results.metrics.flat(),
        "markets": to_builtins(results.markets),
        "markouts": to_builtins(results.markouts),
        "attribution": _attribution(results.attribution, record),
        "warnings": results.warnings,
        **learned,
    }


def usd_lines(lines: Lines) -> dict[str, float]:
    """Return attribution lines in USD as floats, total last."""
    return {
        **{f"{name}_usd": float(line) for name, line in lines._asdict().items()},
        "total_usd": float(lines.total),
    }


def _attribution(attribution: Attribution, record: RunRecord) -> Json:
    return {
        "lines": usd_lines(attribution.lines),
        "splits": [_split(split) for split in attribution.splits],
        "groups": {
            dimension: {key: usd_lines(lines) for key, lines in parts.items()}
            for dimension, parts in attribution.groups.items()
        },
        "markets": [
            {
                "symbol": part.symbol,
                **{f"{name}_atoms": int(line) for name, line in part.lines._asdict().items()},
                "realised_atoms": part.realised_atoms,
                "unrealised_atoms": part.unrealised_atoms,
                "equity_change_atoms": entry.pnl_atoms,
                "identity_error_atoms": int(part.lines.total - entry.pnl_atoms),
            }
            for part, entry in zip(attribution.markets, record.markets, strict=True)
        ],
    }


def _split(split: Split) -> Json:
    return {
        "horizon_s": split.horizon_ns / 1e9,
        "adverse_usd": float(split.adverse),
        "residual_usd": float(split.residual),
        "realised_usd": float(split.realised),
    }


def _warnings(header: RunHeader, metrics: Metrics, curve: tuple[Markout, ...]) -> tuple[str, ...]:
    warnings = []
    profit = metrics.profit
    if profit.span_s < DAY_S:
        warnings.append(f"the run spans {span(profit.span_s)}: less than a day proves little")
    if metrics.trading.fills_count < ENOUGH_FILLS:
        warnings.append(f"{metrics.trading.fills_count} fills: under 100 nothing is significant")
    if header.optimistic_fills:
        warnings.append(f"fill model {header.fill_model} is optimistic: expect less when trading")
    if header.market_volume_usd is not None and header.market_volume_usd > 0:
        share = profit.volume_usd / header.market_volume_usd * 100
        if share > MAX_PARTICIPATION_PCT:
            warnings.append(f"{share:.1f} % of the market's volume: it would have noticed")
    warnings += [
        f"the run ended before the {markout.horizon_s:g} s markout of {markout.unmatured_count} of "
        f"{markout.unmatured_count + markout.fills_count} fills: left out"
        for markout in curve
        if markout.side == "all" and markout.unmatured_count
    ]
    return (*warnings, *header.notes)
