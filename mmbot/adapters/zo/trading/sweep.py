"""Everything of ours off the venue at the end of a run, and the proof of it, by REST alone.

The proof is two snapshots in a row without an order of this instance, a round trip apart, asked for
after anything in flight could have landed (reliability 3.2 rule 8, 3.3).
"""

import asyncio
from functools import partial

from msgspec import Struct

from mmbot.adapters.web.clock import NS_PER_MS, NS_PER_S
from mmbot.adapters.zo.rest.answers import RestingOrder
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.trading.dispatch import Dispatch, Judged
from mmbot.adapters.zo.trading.known_orders import KnownOrders
from mmbot.adapters.zo.trading.params import TradedAccount
from mmbot.adapters.zo.trading.settling import GONE, NEVER
from mmbot.adapters.zo.wire.actions import (
    MOST_PARTS,
    Atomic,
    CancelByClientId,
    CancelById,
    SessionAction,
)
from mmbot.adapters.zo.wire.outcomes import Accepted
from mmbot.domain.order import OrderState
from mmbot.errors import Unavailable, VenueError
from mmbot.ports import Leftovers

_CLEAN_IN_A_ROW = 2


class Look(Struct):
    """A snapshot: what of ours rests, when it was asked for and came.

    `settled`: nothing that had been in flight could still land when it was asked for.
    """

    own: list[RestingOrder]
    update_id: int
    asked_ns: int
    came_ns: int
    settled: bool


class Proof:
    """Counts clean looks in a row."""

    def __init__(self) -> None:
        self._clean = 0
        self._next_ns = 0
        self._newest = 0

    def note(self, look: Look) -> bool:
        """Take a look; True when it completes the proof. A stale one proves nothing."""
        if look.update_id < self._newest:
            return False
        self._newest = look.update_id
        if look.own or not look.settled:
            self._clean = 0
        elif look.asked_ns >= self._next_ns or not self._clean:
            self._clean += 1
            self._next_ns = look.came_ns
        return self._clean >= _CLEAN_IN_A_ROW


class Sweep:
    """Cancels what rests, whichever of our runs placed it, until the proof is complete."""

    def __init__(
        self,
        http: ZoHttp,
        traded: TradedAccount,
        dispatch: Dispatch,
        orders: KnownOrders,
        pauses_ms: tuple[int, int],
    ) -> None:
        self._http = http
        self._traded = traded
        self._dispatch = dispatch
        self._orders = orders
        look_ms, split_ms = pauses_ms
        self._look_s = look_ms / 1000
        self._split_ns = split_ms * NS_PER_MS
        # When each order was last cancelled alone, and in company, by venue id.
        self._alone_ns: dict[int, int] = {}
        self._together_ns: dict[int, int] = {}

    async def run(self, deadline_s: float) -> Leftovers:
        """Cancel until nothing is left, or the time is up."""
        end_ns = self._dispatch.clock() + round(deadline_s * NS_PER_S)
        proof, last, reason = Proof(), None, "the venue could not be read"
        while (now_ns := self._dispatch.clock()) < end_ns:
            try:
                async with asyncio.timeout((end_ns - now_ns) / NS_PER_S):
                    last = await self._look()
            except (VenueError, TimeoutError) as error:
                reason = str(error) or "no answer in time"
            else:
                reason = "" if last.settled else "an action in flight may still land"
                if proof.note(last):
                    self._tell_ends()
                    return Leftovers(True)
                self._cancel(last.own)
                if not last.own and last.settled:
                    continue
            left_s = (end_ns - self._dispatch.clock()) / NS_PER_S
            await asyncio.sleep(max(0.0, min(self._look_s, left_s)))
        left = () if last is None else tuple(order.order_id for order in last.own)
        return Leftovers(False, left, reason or "the time was up")

    async def _look(self) -> Look:
        clock, engine_clock = self._dispatch.clock, self._dispatch.engine_clock
        sample = await self._http.timestamp()
        engine_clock.observe(sample.engine_s, sample.sent_ns, sample.received_ns)
        settled, asked_ns = self._settled(), clock()
        account_id, catalog = self._traded.signer.account_id, self._traded.catalog
        view = await self._http.account(account_id, catalog)
        if view is None:
            raise VenueError("the venue does not know the account")
        own = [order for order in view.orders if self._is_ours(order)]
        return Look(own, view.update_id, asked_ns, clock(), settled)

    def _settled(self) -> bool:
        return all(
            order.landed or order.stamp is None or self._dispatch.expired(order.stamp)
            for order in self._orders
        )

    def _is_ours(self, order: RestingOrder) -> bool:
        client_id = order.client_order_id
        return client_id is not None and self._traded.ids.owns(client_id)

    def _cancel(self, own: list[RestingOrder]) -> None:
        now_ns = self._dispatch.clock()
        fresh = [order for order in own if order.order_id not in self._together_ns]
        for at in range(0, len(fresh), MOST_PARTS):
            self._together(fresh[at : at + MOST_PARTS], now_ns)
        for order in own:
            since_ns = self._alone_ns.get(order.order_id, self._together_ns[order.order_id])
            if now_ns - since_ns >= self._split_ns:
                self._alone(order, now_ns)

    def _together(self, orders: list[RestingOrder], now_ns: int) -> None:
        for order in orders:
            self._together_ns[order.order_id] = now_ns
        if len(orders) == 1:
            self._alone(orders[0], now_ns)
            return
        parts = tuple(CancelById(order.order_id, order.market_id) for order in orders)
        self._send(Atomic(parts), partial(self._split, orders))

    def _split(self, orders: list[RestingOrder], outcome: object) -> None:
        if not isinstance(outcome, Accepted):
            now_ns = self._dispatch.clock()
            for order in orders:
                self._alone(order, now_ns)

    def _alone(self, order: RestingOrder, now_ns: int) -> None:
        first = order.order_id not in self._alone_ns
        self._alone_ns[order.order_id] = now_ns
        self._send(CancelById(order.order_id), _ignored)
        if not first and order.client_order_id is not None:
            self._send(CancelByClientId(order.client_order_id), _ignored)

    def _send(self, action: SessionAction, judged: Judged) -> None:
        try:
            signed = self._dispatch.sign(action, self._dispatch.clock())
        except Unavailable:
            return
        self._dispatch.send(signed, judged, urgent=True)

    def _tell_ends(self) -> None:
        for order in self._orders:
            self._orders.tell(order, OrderState.EXPIRED, GONE if order.landed else NEVER)


def _ignored(_outcome: object) -> None:
    """The next snapshot tells more."""
