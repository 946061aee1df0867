"""How a running bot stands, as a StatusView: counted while it runs, added up only when asked."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from mmbot.domain.actions import Batch, Place
from mmbot.domain.events import AccountSnapshot, Event, Fill, Hindrance, OrderUpdate
from mmbot.domain.order import Level, OrderState, Side
from mmbot.domain.quotes import Quotes
from mmbot.domain.status import MarketStatus, Mode, StatusView
from mmbot.engine import Desk, Engine
from mmbot.ports import VenueFigures

_REJECTED = OrderState.REJECTED
# While one of these holds, what rests at the venue is not known yet.
RECONCILING = frozenset({"recovering", "account"})
WARMING = "warming"
PPM = 1_000_000


class Named(NamedTuple):
    """What a run is called, and what does not change during it."""

    instance: str
    run_mode: str
    epoch: int
    started_ns: int
    requote_interval_ms: float


class Live(NamedTuple):
    """What only the loop knows at this moment."""

    now_ns: int
    draining: bool
    halted: bool
    venue: VenueFigures
    loop_lag_p99_ms: float | None
    reconnects: int


class Counts:
    """What happened since the start; `take` sees every event, `sent` every batch."""

    def __init__(self, engine: Engine) -> None:
        markets = len(engine.desks)
        self.engine = engine
        self.placed = self.cancelled = self.rejected = 0
        self.fills = [0] * markets
        self.volume_uusd = [0] * markets
        self.account: AccountSnapshot | None = None
        self.hindrances: dict[tuple[str, int | None], str] = {}
        self.quoted = False

    def sent(self, batch: Batch) -> None:
        """Count the actions of a batch."""
        places = sum(type(action) is Place for action in batch.actions)
        self.placed += places
        self.cancelled += len(batch.actions) - places
        self.quoted = self.quoted or places > 0

    def take(self, event: Event) -> None:
        """Count what an event says."""
        if type(event) is OrderUpdate:
            self.rejected += event.state is _REJECTED
        elif type(event) is Fill:
            market = self.engine.desks[event.market].state.market
            self.fills[event.market] += 1
            self.volume_uusd[event.market] += market.notional_uusd(2 * event.ticks, event.lots)
        elif type(event) is AccountSnapshot:
            self.account = event
        elif type(event) is Hindrance:
            key = (event.name, event.market)
            if event.reason is None:
                self.hindrances.pop(key, None)
            else:
                self.hindrances[key] = event.reason

    def view(
        self, named: Named, live: Live, book_age_ms: Callable[[int], float | None]
    ) -> StatusView:
        """Add it all up."""
        markets = tuple(
            self._market(desk, book_age_ms(index)) for index, desk in enumerate(self.engine.desks)
        )
        orders = [each for desk in self.engine.desks for each in desk.tracker.orders.values()]
        account, breaker = self.account, self.engine.memory
        equity = None if account is None else account.mf_uusd
        return StatusView(
            ts_ns=live.now_ns,
            instance=named.instance,
            run_mode=named.run_mode,
            mode=self._mode(live, markets),
            reasons=tuple(self._reasons()),
            started_ns=named.started_ns,
            epoch=named.epoch,
            equity_uusd=equity,
            free_uusd=_free(account),
            day_pnl_uusd=_less(equity, breaker.day_start_uusd),
            drawdown_uusd=_less(breaker.peak_uusd, equity),
            margin_fraction=_fraction(account),
            markets=markets,
            orders=len(orders),
            unknown=sum(each.state is OrderState.UNKNOWN for each in orders),
            placed=self.placed,
            cancelled=self.cancelled,
            rejected=self.rejected,
            fills=sum(self.fills),
            ack_p50_ms=live.venue.ack_p50_ms,
            ack_p99_ms=live.venue.ack_p99_ms,
            loop_lag_p99_ms=live.loop_lag_p99_ms,
            reconnects=live.reconnects + live.venue.reconnects,
            requote_interval_ms=named.requote_interval_ms,
        )

    def _reasons(self) -> list[str]:
        """Every hindrance and stop in force, in words."""
        found = []
        for (name, market), reason in self.hindrances.items():
            where = "" if market is None else f"{self.engine.desks[market].state.market.symbol}: "
            found.append(f"{where}{name}" + (f" ({reason})" if reason != name else ""))
        stop = self.engine.stop_reason
        return found if stop is None else [stop, *found]

    def _mode(self, live: Live, markets: Sequence[MarketStatus]) -> Mode:
        if live.halted:
            return Mode.HALTED
        if live.draining:
            return Mode.DRAINING
        names = {name for name, _ in self.hindrances}
        if not self.quoted and (names & RECONCILING or self.account is None):
            return Mode.RECONCILING
        if not self.quoted and WARMING in names:
            return Mode.WARMING
        return Mode.PAUSED if all(each.reason for each in markets) else Mode.QUOTING

    def _market(self, desk: Desk, age_ms: float | None) -> MarketStatus:
        state, position = desk.state, desk.position
        market = state.market
        best_bid, _, best_ask, _ = state.book.touch(False)
        mark = best_bid + best_ask if best_bid and best_ask else 0
        answer = desk.answer
        quoting = type(answer) is not Quotes or bool(answer.bids or answer.asks)
        reason = answer.reason if type(answer) is Quotes and not quoting else None
        return MarketStatus(
            symbol=market.symbol,
            reason=None if quoting else reason or "no quotes",
            best_bid=best_bid,
            best_ask=best_ask,
            bids=_resting(desk, Side.BID),
            asks=_resting(desk, Side.ASK),
            position_lots=position.lots,
            mark_half_ticks=mark,
            pnl_uusd=market.atoms_to_uusd(position.pnl_atoms(mark), mark) if mark else 0,
            room=state.room,
            fills=self.fills[market.index],
            volume_uusd=self.volume_uusd[market.index],
            book_age_ms=age_ms,
        )


def _resting(desk: Desk, side: Side) -> tuple[Level, ...]:
    found = [
        Level(each.ticks, each.leaves)
        for each in desk.tracker.orders.values()
        if each.side is side and each.state is OrderState.OPEN
    ]
    return tuple(sorted(found, reverse=side is Side.BID))


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
