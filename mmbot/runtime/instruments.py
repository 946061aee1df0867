"""BotInstruments: all that is measured of a running bot, read when somebody asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmbot.domain.events import Fill
from mmbot.domain.figures import (
    CurvePoint,
    Histogram,
    Labels,
    Ladder,
    MarketPnl,
    Readings,
    Timing,
    joined,
)
from mmbot.domain.market import MICRO
from mmbot.domain.notices import Notice
from mmbot.domain.order import Side
from mmbot.domain.status import Mode, StatusView
from mmbot.engine.explaining import seen_in_book
from mmbot.runtime.live import MarketMakerLive
from mmbot.runtime.metering import Meters

NS_PER_S = 1_000_000_000
# More of them would make too many series.
MOST_MARKETS = 60
_COMPONENTS = ("spread", "adverse", "inventory", "fees", "rebates", "funding", "hedge", "total")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Whom to measure. build: version, git, python, config hash and mode; others: more readings."""

    live: MarketMakerLive
    meters: Meters
    status: Callable[[], StatusView]
    build: Labels
    others: Sequence[Callable[[], Readings]]


class BotInstruments:
    """See ports.Instruments."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._meters = measured.meters

    def readings(self) -> Readings:
        """See Instruments."""
        measured = self._measured
        view = measured.status()
        parts = (
            measured.meters.readings(),
            measured.live.works.figures().readings,
            Readings(gauges={**account_gauges(view), "build_info": {measured.build: 1.0}}),
            Readings(gauges=self._of_markets(view)),
            self._of_loop(view),
            *(other() for other in measured.others),
        )
        return joined(parts)

    def ladders(self, levels: int) -> tuple[Ladder, ...]:
        """See Instruments."""
        return tuple(
            Ladder(
                desk.state.market.symbol,
                tuple(desk.state.book.levels(Side.BID, levels, exclude_own=False)),
                tuple(desk.state.book.levels(Side.ASK, levels, exclude_own=False)),
            )
            for desk in self._measured.live.works.engine.desks
        )

    def pnl(self) -> tuple[MarketPnl, ...]:
        """See Instruments."""
        return self._meters.market.pnl()

    def curve(self) -> tuple[CurvePoint, ...]:
        """See Instruments."""
        return self._meters.market.curve.points()

    def fills(self) -> tuple[Fill, ...]:
        """See Instruments."""
        return tuple(self._meters.fills)

    def notices(self) -> tuple[Notice, ...]:
        """See Instruments."""
        return tuple(self._meters.told)

    def timings(self) -> tuple[Timing, ...]:
        """See Instruments."""
        live = self._measured.live
        acks = live.works.figures()
        return (
            _timing("tick to order", live.reactions),
            Timing("order to answer", acks.ack_p50_ms, acks.ack_p99_ms),
            _timing("loop lag", live.lags),
        )

    def _of_markets(self, view: StatusView) -> dict[str, dict[Labels, float]]:
        """Return the gauges of every market; those that are not known are left out."""
        found: dict[str, dict[Labels, float]] = {}

        def put(name: str, value: float | None, *labels: str) -> None:
            if value is not None:
                found.setdefault(name, {})[labels] = value

        desks = self._measured.live.works.engine.desks
        pnl = self._meters.market.pnl()
        for index, each in enumerate(view.markets[:MOST_MARKETS]):
            symbol, fair_imbalance = each.symbol, seen_in_book(desks[index])
            sign = 1 if each.position_lots > 0 else -1
            put("quoting", float(bool(each.bids or each.asks)), symbol)
            put("open_orders", len(each.bids), symbol, Side.BID.name.lower())
            put("open_orders", len(each.asks), symbol, Side.ASK.name.lower())
            put("quoted_spread_basis_points", each.width_bps, symbol)
            if each.best_bid and each.best_ask:
                width = (each.best_ask - each.best_bid) / each.mark_half_ticks * 2e4
                put("market_spread_basis_points", width, symbol)
            put("skew_basis_points", each.skew_bps, symbol)
            put("fair_price_usd", fair_imbalance[0], symbol)
            put("book_imbalance_ratio", fair_imbalance[1], symbol)
            put("quote_uptime_ratio", self._meters.market.uptimes[index].ratio(), symbol)
            put("position_base", float(each.lot * each.position_lots), symbol)
            put("position_notional_usd", sign * each.exposure_uusd / MICRO, symbol)
            put("exposure_ratio", each.exposure_ratio, symbol)
            for component in _COMPONENTS:
                put("pnl_usd", getattr(pnl[index].day, component) / MICRO, symbol, component)
        return found

    def _of_loop(self, view: StatusView) -> Readings:
        """Return what concerns the loop and its feeds."""
        live = self._measured.live
        works, now_ns = live.works, view.ts_ns
        told = [feed.figures() for feed in works.feeds]
        ages: dict[Labels, float] = {
            (stream,): (now_ns - heard_ns) / NS_PER_S
            for stream, heard_ns in self._meters.heard_ns.items()
        }
        books = [each.book_age_ms for each in view.markets if each.book_age_ms is not None]
        if books:
            ages["book",] = max(books) / 1e3
        left = works.engine.budget.tokens(now_ns)
        return Readings(
            counts={
                "ws_reconnects": {(each.stream,): each.reconnects for each in told},
                "ws_messages": {(each.stream,): each.messages for each in told},
            },
            gauges={
                "feed_age_seconds": ages,
                "rate_limit_tokens": {(kind,): count for kind, count in left.items()},
            },
            times={
                "tick_to_order_seconds": {(): live.reactions},
                "event_loop_lag_seconds": {(): live.lags},
            },
        )


def account_gauges(view: StatusView) -> dict[str, dict[Labels, float]]:
    """Return the gauges of the account; what is not known is left out."""
    limits = view.limits
    singles = {
        "start_time_seconds": view.started_ns / NS_PER_S,
        "equity_usd": _usd(view.equity_uusd),
        "equity_peak_usd": None,
        "drawdown_ratio": None,
        "free_collateral_usd": _usd(view.free_uusd),
        "margin_fraction_ratio": view.margin_fraction,
        "total_exposure_ratio": view.exposure_ratio,
        "session_expiry_timestamp_seconds": (
            None if view.session_ends_ns is None else view.session_ends_ns / NS_PER_S
        ),
        "lease_fencing_token": float(view.epoch),
    }
    if view.equity_uusd is not None and view.drawdown_uusd is not None:
        peak_uusd = view.equity_uusd + view.drawdown_uusd
        singles["equity_peak_usd"] = peak_uusd / MICRO
        if peak_uusd > 0:
            singles["drawdown_ratio"] = view.drawdown_uusd / peak_uusd
    found: dict[str, dict[Labels, float]] = {
        name: {(): value} for name, value in singles.items() if value is not None
    }
    found["state"] = {(str(mode),): float(mode is view.mode) for mode in Mode}
    if limits is not None:
        found["limit_ratio"] = {
            ("margin",): limits.margin_ratio,
            ("total_exposure",): limits.exposure_ratio,
            ("drawdown",): limits.drawdown_ratio,
        }
        found["limit_usd"] = {
            ("daily_loss",): limits.daily_loss_uusd / MICRO,
            ("free_collateral",): limits.free_uusd / MICRO,
        }
    return found


def _usd(uusd: int | None) -> float | None:
    return None if uusd is None else uusd / MICRO


def _timing(name: str, times: Histogram) -> Timing:
    p50_ns, p99_ns = times.quantile_ns(0.5), times.quantile_ns(0.99)
    return Timing(
        name, None if p50_ns is None else p50_ns / 1e6, None if p99_ns is None else p99_ns / 1e6
    )
