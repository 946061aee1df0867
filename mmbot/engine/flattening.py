"""Flattening: bring one market's position to nothing with immediate-or-cancel orders in a band.

Nothing of ours may rest when one goes out, and the next waits for the outcome of the last. A try
is an order that was not filled wholly; after MOST_TRIES of them an operator has to look. A large
position may be closed over some time, in slices.
"""

from typing import Final

from mmbot.cext.orderbook import OrderBook
from mmbot.domain.market import PPB
from mmbot.domain.order import Side
from mmbot.execution.tracker import Tracker
from mmbot.hedging.engine import Hedge
from mmbot.hedging.slicing import Slicing
from mmbot.risk.rejects import REDUCE_IS_POST_ONLY, is_position

MOST_TRIES: Final = 5
MOST_ORDERS: Final = 100
# A receipt may be ahead of the account's news of the fills it tells about.
SETTLE_NS: Final = 1_000_000_000
RETRY_NS: Final = 500_000_000
SECOND_NS: Final = 1_000_000_000
AT_ONCE: Final = Slicing()


class Flattening:
    """The state of one market's flattening.

    `plain`: the venue takes no reduce-only order that does not rest, so an order of exactly the
    position goes instead. `waiting`: for the next snapshot, as our picture of the position is old.
    """

    __slots__ = (
        "_begun",
        "_left",
        "_min_lots",
        "_next_ns",
        "_orders",
        "_slicing",
        "_slippage_ppb",
        "order_id",
        "plain",
        "tries",
        "waiting",
    )

    def __init__(self, slippage_ppb: int, slicing: Slicing = AT_ONCE, min_lots: int = 1) -> None:
        self._slippage_ppb = slippage_ppb
        self._slicing = slicing
        self._min_lots = min_lots
        # When the first slice was asked for, and the position (unsigned) then.
        self._begun: tuple[int, int] | None = None
        self._orders = 0
        self._left = 0
        self._next_ns = 0
        self.order_id: int | None = None
        self.plain = False
        self.tries = 0
        self.waiting = False

    @property
    def failed(self) -> bool:
        """Has it been tried often enough?"""
        return self.tries >= MOST_TRIES or self._orders >= MOST_ORDERS

    def due(self, tracker: Tracker, lots: int, now_ns: int) -> bool:
        """May the next order go out: nothing of ours is alive, and the last one's fills are in?

        Without a position: is it certain, with the fills in of whatever has ended?
        """
        if tracker.orders or self.waiting or now_ns < self._next_ns:
            return False
        newest_ns = next(reversed(tracker.ended.values()), now_ns - SETTLE_NS)
        if lots == 0 and now_ns < newest_ns + SETTLE_NS:
            return False
        if self.order_id is not None:
            fell_short = abs(lots) > self._left
            ended_ns = tracker.ended.get(self.order_id, now_ns - SETTLE_NS)
            if fell_short and now_ns < ended_ns + SETTLE_NS:
                return False
            self.order_id = None
            self.tries += fell_short
        return True

    def order(self, book: OrderBook, lots: int, now_ns: int) -> Hedge | None:
        """Slice to send now: what the book shows inside the band; None when it shows nothing."""
        best_bid, _, best_ask, _ = book.touch()
        held = abs(lots)
        wanted = self._slice(held, now_ns)
        if wanted == 0:
            return None
        side = Side.ASK if lots > 0 else Side.BID
        best = best_bid if side is Side.ASK else best_ask
        if best <= 0:
            self.missed(now_ns)
            return None
        # Rounded toward the best, so the band is never wider than configured.
        slack = best * self._slippage_ppb // PPB
        shown = held if self.plain else book.lots_within(-side, slack)
        return Hedge(side, best + side * slack, min(wanted, shown))

    def _slice(self, held: int, now_ns: int) -> int:
        """Lots to give back now, 0 while it is too early for an order of them."""
        if not self._slicing.over_s:
            return held
        if self._begun is None:
            self._begun = (now_ns, held)
        begun_ns, whole = self._begun
        wanted = held - self._slicing.left(whole, (now_ns - begun_ns) / SECOND_NS)
        self._next_ns = now_ns + max(RETRY_NS, int(self._slicing.pace_s * SECOND_NS))
        # What would be left must be an order as well.
        if held - wanted < self._min_lots:
            return held
        return wanted if wanted >= self._min_lots else 0

    def missed(self, now_ns: int) -> None:
        """Count a try that sent nothing."""
        self.tries += 1
        self._next_ns = now_ns + RETRY_NS

    def sent(self, order_id: int, lots_after: int) -> None:
        """An order is out; when it fills wholly the position has `lots_after` (unsigned) left."""
        self._orders += 1
        self._left = lots_after
        self.order_id = order_id

    def refused(self, order_id: int, name: str) -> None:
        """The venue did not take an order."""
        if order_id != self.order_id:
            return
        if name == REDUCE_IS_POST_ONLY and not self.plain:
            self.plain = True
        elif is_position(name):
            self.waiting = True
