"""How a running bot stands, as a StatusView: added up only when somebody asks."""

from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from mmbot.domain.events import AccountSnapshot
from mmbot.domain.order import Level, OrderState, Side
from mmbot.domain.quotes import Quotes
from mmbot.domain.status import MarketStatus, Mode, StatusView
from mmbot.engine import Desk, Engine
from mmbot.engine.explaining import skew_bps
from mmbot.engine.view import market_reason, orders_alive, orders_unknown, standing
from mmbot.ports import VenueFigures


class Named(NamedTuple):
    """What a run is called, and what does not change during it."""

    instance: str
    run_mode: str
    epoch: int
    started_ns: int
    requote_interval_ms: float


class Moment(NamedTuple):
    """What only the loop knows; `mode` where it is not the engine's to say."""

    now_ns: int
    mode: Mode | None
    account: AccountSnapshot | None
    venue: VenueFigures
    loop_lag_p99_ms: float | None
    reconnects: int


class Marks:
    """The last mid of every market in half ticks, 0 before the first; a book may lack a side."""

    def __init__(self, count: int) -> None:
        self._last = [0] * count

    def of(self, index: int, best_bid: int, best_ask: int) -> int:
        """Return what a market is valued at now, 0 for an empty side."""
        if best_bid and best_ask:
            self._last[index] = best_bid + best_ask
        return self._last[index]


def status_view(
    engine: Engine,
    named: Named,
    moment: Moment,
    book_age_ms: Callable[[int], float | None],
    marks: Marks,
) -> StatusView:
    """Say how the bot stands."""
    mode, reasons = standing(engine)
    counts = [desk.counts for desk in engine.desks]
    account, base = moment.account, engine.stops.breaker.memory
    equity = None if account is None else account.mf_uusd
    day_start = base.day_start_uusd
    markets = tuple(
        _market(engine, index, book_age_ms(index), equity, marks)
        for index in range(len(engine.desks))
    )
    if moment.venue.stops:
        markets = tuple(
            replace(each, stop_trigger=stop)
            for each, stop in zip(markets, moment.venue.stops, strict=True)
        )
    return StatusView(
        ts_ns=moment.now_ns,
        instance=named.instance,
        run_mode=named.run_mode,
        mode=mode if moment.mode is None else moment.mode,
        reasons=reasons,
        started_ns=named.started_ns,
        epoch=named.epoch,
        equity_uusd=equity,
        free_uusd=_free(account),
        day_pnl_uusd=_less(equity, None if day_start is None else day_start + base.transfers_uusd),
        drawdown_uusd=_less(base.peak_uusd, equity),
        margin_fraction=_fraction(account),
        markets=markets,
        orders=orders_alive(engine),
        unknown=orders_unknown(engine),
        placed=sum(each.placed for each in counts),
        cancelled=sum(each.cancelled for each in counts),
        rejected=sum(each.rejected for each in counts),
        fills=sum(each.fills for each in counts),
        ack_p50_ms=moment.venue.ack_p50_ms,
        ack_p99_ms=moment.venue.ack_p99_ms,
        loop_lag_p99_ms=moment.loop_lag_p99_ms,
        reconnects=moment.reconnects + moment.venue.reconnects,
        requote_interval_ms=named.requote_interval_ms,
        exposure_ratio=_ratio(sum(each.exposure_uusd for each in markets), equity),
        budget_ratio=engine.budget.left(moment.now_ns),
        raced=sum(each.raced for each in counts),
    )


def _market(
    engine: Engine, index: int, age_ms: float | None, equity: int | None, marks: Marks
) -> MarketStatus:
    desk = engine.desks[index]
    state, position = desk.state, desk.position
    market = state.market
    best_bid, _, best_ask, _ = state.book.touch(False)
    mark = marks.of(index, best_bid, best_ask)
    held_uusd = market.notional_uusd(mark, position.lots) if mark else 0
    priced = bool(mark) or not position.lots
    bids, asks = resting(desk, Side.BID), resting(desk, Side.ASK)
    return MarketStatus(
        symbol=market.symbol,
        reason=unquoted(engine, index),
        best_bid=best_bid,
        best_ask=best_ask,
        bids=bids,
        asks=asks,
        position_lots=position.lots,
        mark_half_ticks=mark,
        pnl_uusd=market.atoms_to_uusd(position.pnl_atoms(mark), mark) if mark else 0,
        room=state.room,
        fills=desk.counts.fills,
        volume_uusd=desk.counts.volume_uusd,
        book_age_ms=age_ms,
        tick=market.tick,
        lot=market.lot,
        width_bps=_width_bps(bids, asks),
        skew_bps=skew_bps(desk) if bids or asks else None,
        exposure_uusd=held_uusd,
        exposure_ratio=_ratio(held_uusd, equity) if priced else None,
    )


def unquoted(engine: Engine, index: int) -> str | None:
    """Why nothing of a market is quoted; with one side of it quoted, it is."""
    answer = engine.desks[index].answer
    one_sided = type(answer) is Quotes and bool(answer.bids or answer.asks)
    return engine.stops.reason(index) if one_sided else market_reason(engine, index)


def resting(desk: Desk, side: Side) -> tuple[Level, ...]:
    """Our orders known to rest on a side, the best first."""
    found = [
        Level(each.ticks, each.leaves)
        for each in desk.tracker.orders.values()
        if each.side is side and each.state is OrderState.OPEN
    ]
    return tuple(sorted(found, reverse=side is Side.BID))


def _width_bps(bids: tuple[Level, ...], asks: tuple[Level, ...]) -> float | None:
    if not bids or not asks:
        return None
    bid, ask = bids[0].ticks, asks[0].ticks
    return (ask - bid) / (ask + bid) * 2e4


def _ratio(uusd: int, equity_uusd: int | None) -> float | None:
    return uusd / equity_uusd if equity_uusd else None


def _less(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


def _free(account: AccountSnapshot | None) -> int | None:
    if account is None or account.omf_uusd is None or account.imf_uusd is None:
        return None
    return max(0, account.omf_uusd - account.imf_uusd)


def _fraction(account: AccountSnapshot | None) -> float | None:
    if account is None or account.mf_uusd is None or not account.pn_uusd:
        return None
    return account.mf_uusd / account.pn_uusd
