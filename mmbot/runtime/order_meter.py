"""OrderMeter: what became of orders, counted by market, side and kind of reason."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from itertools import product

from msgspec import Struct

from mmbot.domain.actions import Batch, Cancel, Place
from mmbot.domain.events import Fill, OrderUpdate, Restatement
from mmbot.domain.figures import Labels, Readings
from mmbot.domain.market import MICRO, Market
from mmbot.domain.order import DONE, HELD_BACK, RACES, FillMode, OrderState, Side

# Words of the venue, of which there is a list; everything else is told as one.
_WORD = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
_OURS = {"not sent": "not_sent", "not now": "not_now", "stopping": "stopping"}
_SIDES = {side: side.name.lower() for side in Side}


class _Sent(Struct):
    """An order that was sent. `acked`: the venue had it; `asked`: its cancel was sent.

    left_uusd: the worth of what has not been filled.
    """

    market: str
    side: str
    hedge: bool
    left_uusd: int
    acked: bool = False
    asked: bool = False
    filled: bool = False


class OrderMeter:
    """Told what was sent and what came of it; a fill is told once.

    `cancels` were sent, in `batches`.
    """

    def __init__(self, markets: Sequence[Market]) -> None:
        self._markets = tuple(markets)
        self.cancels = 0
        self.batches = 0
        self._alive: dict[int, _Sent] = {}
        self._hedge_errors: dict[Labels, float] = {(each.symbol,): 0.0 for each in markets}
        symbols = [each.symbol for each in markets]
        sides = list(product(symbols, _SIDES.values()))
        by_fill = [(*each, how) for each in sides for how in ("maker", "taker")]
        # What did not happen yet is counted, too: rates need a beginning.
        self._counts = {
            "orders_placed": _zeros(sides),
            "orders_cancelled": _zeros([(*each, "asked") for each in sides]),
            "order_failures": _zeros([(each.symbol, "place", "other") for each in markets]),
            "order_races": _zeros(product(symbols, RACES.values())),
            "orders_unknown": _zeros([("place",)]),
            "rate_limit_waits": _zeros([("requests",)]),
            "fills": _zeros(by_fill),
            "hedges": Counter[Labels](),
        }
        self._uusd = {
            "traded_notional_usd": _zeros(by_fill),
            "fees_usd": _zeros([(each.symbol, "maker") for each in markets]),
            "rebates_usd": _zeros([(each.symbol,) for each in markets]),
        }

    def batch(self, batch: Batch) -> None:
        """See what was sent."""
        cancels = sum(type(action) is Cancel for action in batch.actions)
        self.cancels += cancels
        self.batches += bool(cancels)
        for action in batch.actions:
            if type(action) is Place:
                symbol, side = self._markets[action.market].symbol, _SIDES[action.side]
                hedge = action.mode is FillMode.IOC
                worth = self._markets[action.market].notional_uusd(2 * action.ticks, action.lots)
                self._alive[action.order_id] = _Sent(symbol, side, hedge, worth)
            elif type(action) is Cancel:
                sent = self._alive.get(action.order_id)
                if sent is not None:
                    sent.asked = True

    def order(self, event: OrderUpdate) -> None:
        """See what is said of an order."""
        sent = self._alive.get(event.order_id)
        if sent is None:
            return
        state = event.state
        if state is OrderState.OPEN:
            if sent.acked and event.reason is not None:
                self._counts["order_failures"][sent.market, "cancel", _kind(event.reason)] += 1
            self._ack(sent)
        elif state is OrderState.UNKNOWN:
            self._counts["orders_unknown"]["cancel" if sent.asked else "place",] += 1
        elif state is OrderState.REJECTED:
            self._refused(sent, event.reason)
        elif state in DONE:
            self._ack(sent)
            if state is not OrderState.FILLED and not sent.hedge:
                who = "asked" if sent.asked else "venue"
                self._counts["orders_cancelled"][sent.market, sent.side, who] += 1
        # Its fill says more of a filled one, and may come after.
        if state in DONE and state is not OrderState.FILLED:
            self._end(event.order_id, sent)

    def _refused(self, sent: _Sent, reason: str | None) -> None:
        if reason == HELD_BACK:
            self._counts["rate_limit_waits"]["requests",] += 1
        elif reason in RACES:
            self._counts["order_races"][sent.market, RACES[reason]] += 1
        else:
            self._counts["order_failures"][sent.market, "place", _kind(reason)] += 1

    def fill(self, event: Fill) -> bool:
        """See a fill; tells whether it was a hedge's."""
        market = self._markets[event.market]
        how = "maker" if event.maker else "taker"
        labels = (market.symbol, _SIDES[event.side], how)
        self._counts["fills"][labels] += 1
        self._uusd["traded_notional_usd"][labels] += market.notional_uusd(
            2 * event.ticks, event.lots
        )
        self._pay(market, how, event.fee_atoms, 2 * event.ticks)
        sent = self._alive.get(event.order_id)
        if sent is None:
            return False
        self._ack(sent)
        sent.filled = True
        sent.left_uusd = market.notional_uusd(2 * event.ticks, event.leaves_lots)
        if not event.leaves_lots:
            self._end(event.order_id, sent)
        return sent.hedge

    def keep(self, alive: Container[int]) -> None:
        """Forget orders that nobody follows any more: some end without a word on them."""
        for order_id, sent in list(self._alive.items()):
            if order_id not in alive:
                self._end(order_id, sent)

    def restated(self, event: Restatement, mark: int) -> None:
        """See fees that were told late."""
        if mark:
            self._pay(self._markets[event.market], "late", event.fees_atoms, mark)

    def readings(self) -> Readings:
        """Return the counts."""
        usd = {
            name: {labels: uusd / MICRO for labels, uusd in amounts.items()}
            for name, amounts in self._uusd.items()
        }
        errors = {"hedge_error_usd": self._hedge_errors}
        return Readings(counts={**self._counts, **usd}, gauges=errors)

    def _ack(self, sent: _Sent) -> None:
        if not sent.acked:
            sent.acked = True
            self._counts["orders_placed"][sent.market, sent.side] += 1

    def _end(self, order_id: int, sent: _Sent) -> None:
        del self._alive[order_id]
        if sent.hedge:
            result = "filled" if sent.filled else "unfilled" if sent.acked else "refused"
            self._counts["hedges"][sent.market, result] += 1
            self._hedge_errors[sent.market,] = sent.left_uusd / MICRO

    def _pay(self, market: Market, how: str, atoms: int, mark: int) -> None:
        uusd = market.atoms_to_uusd(abs(atoms), mark)
        if atoms >= 0:
            self._uusd["fees_usd"][market.symbol, how] += uusd
        else:
            self._uusd["rebates_usd"][market.symbol,] += uusd


def _kind(reason: str | None) -> str:
    """Return one of a few words for a reason, so that they can be told apart for ever."""
    if reason is not None and _WORD.fullmatch(reason):
        return reason.lower()
    return _OURS.get(reason or "", "other")


def _zeros(labels: Iterable[Labels]) -> Counter[Labels]:
    return Counter[Labels](dict.fromkeys(labels, 0))
