"""Keep what an account did known once and in order: buffer, snapshot, replay, check the chain.

A state machine without input or output (protocol 4.2; reliability 3.3, P03-P07). The venue repeats,
reorders, merges and loses; what leaves here is every update after a snapshot once, or a gap.
"""

from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from mmbot.adapters.web.clock import NS_PER_MS
from mmbot.adapters.zo.rest.answers import AccountView
from mmbot.adapters.zo.streams.frames import AccountFrame, OwnFill
from mmbot.adapters.zo.streams.holdings import Holdings
from mmbot.adapters.zo.streams.update_chain import RESTART, Held, Place, Waiting, follow, place

_ON_ITS_WAY_NS = 1_000 * NS_PER_MS


class AccountParams(Struct, frozen=True, kw_only=True):
    """When an account stream is doubted; times in milliseconds.

    reorder_ms: how long an update may wait for the one before it. silent_ms: nothing came for so
    long; REST must then prove that nothing happened, within as long again.
    """

    reorder_ms: int = 200
    silent_ms: int = 10_000
    waiting_frames: int = 1_000


class AccountSink(Protocol):
    """Who wants to know; every call returns at once."""

    def account_adopted(self, view: AccountView, now_ns: int) -> None:
        """The account is this; updates after it follow. What led to it is in `GET /trades`."""
        ...

    def account_changed(self, frame: AccountFrame, now_ns: int) -> None:
        """The next update. Lots of its fills are what the order really lost by it."""
        ...

    def account_gap(self, reason: str, now_ns: int) -> None:
        """The account is not known any more, until the next adoption."""
        ...

    def account_doubt(self, reason: str, now_ns: int) -> None:
        """Sizes are right, but prices or fees of a fill must be looked up in `GET /trades`."""
        ...

    def account_proved(self, view: AccountView, now_ns: int) -> None:
        """REST tells the same as the stream did, up to the same update."""
        ...


class _Sight(Struct):
    fresh_ns: int = 0
    # The snapshot's number may lie within the next update.
    joining: bool = True
    # Since when an update waits for the one before it.
    late_ns: int | None = None
    # REST is asked because the stream is silent, and knew of more than the stream had told then.
    refresh: bool = False
    missed_ns: int | None = None
    # Somebody wants a proof, silent or not.
    asked: bool = False
    # What REST knew then: a proof as soon as the stream has told as much.
    ahead: AccountView | None = None


class AccountSync:
    """One account's place in the chain of its updates, and what rests of its orders.

    `connected` and `lost` bracket a connection; `wanted` tells that a snapshot is needed.
    """

    def __init__(self, account_id: int, sink: AccountSink, params: AccountParams) -> None:
        self.account_id = account_id
        self.epoch = 0
        self.reason = "not connected yet"
        self.gaps = 0
        self._sink = sink
        self._params = params
        self._connected = False
        self._reached: int | None = None
        # No snapshot may lead back behind what was told already.
        self._newest = 0
        self._waiting = Waiting[AccountFrame](params.waiting_frames, most_bytes=0)
        self._holdings = Holdings()
        self._sight = _Sight()

    @property
    def synced(self) -> bool:
        """Whether everything the account did is known, as far as anything that came can tell."""
        return self._reached is not None and self._sight.late_ns is None

    @property
    def wanted(self) -> bool:
        """Whether a snapshot is needed: to begin, after a break, or as a proof."""
        return self._connected and (
            self._reached is None or self._sight.refresh or self._sight.asked
        )

    @property
    def resting(self) -> dict[int, int]:
        """Lots that rest by order id, as the stream tells."""
        return dict(self._holdings.resting)

    @property
    def fresh_ns(self) -> int:
        """When the account was last known to be as told."""
        return self._sight.fresh_ns

    def ask_proof(self) -> None:
        """Want a snapshot that agrees with everything told; the sink hears of it."""
        if self._reached is not None:
            self._sight.asked = True

    def opened(self, now_ns: int) -> None:
        """A connection stands: what comes now waits for a snapshot asked for from now on."""
        self._waiting.clear()
        self.doubt("a new connection", now_ns)
        self._connected = True

    def closed(self, reason: str, now_ns: int) -> None:
        """The connection is gone."""
        self._waiting.clear()
        self.doubt(reason, now_ns)
        self._connected = False

    def frame(self, frame: AccountFrame, now_ns: int) -> None:
        """Take an update as it comes. ValueError: it is of another account."""
        if frame.account_id != self.account_id:
            raise ValueError("account.account_id is not the one asked for")
        held = Held(frame.last_update_id, frame.update_id, frame)
        if self._reached is None:
            self._waiting.add(held)
            return
        stands = _place(held, self._reached, self._sight.joining)
        if stands is Place.BEYOND:
            self._waiting.add(held)
            if self._sight.late_ns is None:
                self._sight.late_ns = now_ns
        elif stands is Place.NEXT:
            self._apply(frame, now_ns)
            self._catch_up(now_ns)

    def snapshot(self, view: AccountView, epoch: int, now_ns: int) -> bool:
        """Take the answer to a request made when `epoch` was this; False when it does not help."""
        if epoch != self.epoch or not self.wanted:
            return False
        if self._reached is not None:
            return self._proves(view, now_ns)
        newer = follow(self._waiting.held, view.update_id)
        if newer is None or view.update_id < self._newest:
            # Older than what came or was told, or an update was lost: a newer one will do.
            return False
        self._waiting.clear()
        self._reached = self._newest = view.update_id
        self._holdings = Holdings(view.orders, view.positions)
        self._sight = _Sight(fresh_ns=now_ns)
        self.reason = ""
        self._sink.account_adopted(view, now_ns)
        for held in newer:
            if self._reached is not None:
                self._apply(held.content, now_ns)
        return True

    def tick(self, now_ns: int) -> str | None:
        """Look at what only time can tell; a reason when the connection must be dead."""
        if self._reached is None:
            return None
        sight, params = self._sight, self._params
        if sight.late_ns is not None and now_ns - sight.late_ns > params.reorder_ms * NS_PER_MS:
            self.doubt(f"gap: what follows update {self._reached} is missing", now_ns)
            return None
        if sight.missed_ns is not None and now_ns - sight.missed_ns > _ON_ITS_WAY_NS:
            return "the account changes and its stream is silent"
        silent_ns = now_ns - sight.fresh_ns
        if silent_ns >= 2 * params.silent_ms * NS_PER_MS:
            return f"no update for {2 * params.silent_ms} ms, and no proof that there was none"
        sight.refresh = sight.refresh or silent_ns >= params.silent_ms * NS_PER_MS
        return None

    def _catch_up(self, now_ns: int) -> None:
        # Updates that came too early may follow now.
        for held in sorted(self._waiting.held, key=lambda each: each.update_id):
            if self._reached is None:
                return
            stands = _place(held, self._reached, self._sight.joining)
            if stands is Place.NEXT:
                self._apply(held.content, now_ns)
            if stands is not Place.BEYOND:
                self._waiting.held.remove(held)
        if not self._waiting.held:
            self._waiting.clear()
            self._sight.late_ns = None

    def _apply(self, frame: AccountFrame, now_ns: int) -> None:
        reached = self._newest
        if _straddles(frame, reached) and any(
            fill.order_id not in self._holdings.resting for fill in frame.fills
        ):
            # Of such a fill nobody can tell whether the snapshot has it already.
            self._newest = frame.update_id
            self.doubt("the first update begins before the snapshot", now_ns)
            return
        fills = []
        for fill in frame.fills:
            before = self._holdings.resting.get(fill.order_id)
            if before is not None and fill.remaining > before:
                self.doubt(f"order {fill.order_id} grew", now_ns)
                return
            fills.append(fill if before is None else replace(fill, lots=before - fill.remaining))
        self._holdings.note(replace(frame, fills=tuple(fills)))
        self._reached = self._newest = frame.update_id
        self._sight.joining = False
        self._sight.fresh_ns = now_ns
        self._sight.refresh = False
        self._sight.missed_ns = None
        real = tuple(fill for fill in fills if fill.lots)
        self._sink.account_changed(replace(frame, fills=real), now_ns)
        doubt = _doubt(frame, fills, reached)
        if doubt is not None:
            self._sink.account_doubt(doubt, now_ns)
        ahead = self._sight.ahead
        if ahead is not None and ahead.update_id <= frame.update_id:
            self._sight.ahead = None
            if ahead.update_id == frame.update_id:
                self._proves(ahead, now_ns)

    def _proves(self, view: AccountView, now_ns: int) -> bool:
        sight = self._sight
        if view.update_id < self._newest:
            return False
        if view.update_id > self._newest:
            # Or it is on its way: a moment will tell.
            sight.missed_ns = sight.missed_ns or now_ns
            sight.ahead = view
            return False
        differs = self._holdings.differs(view)
        if differs is not None:
            self.doubt(differs, now_ns)
            return False
        sight.fresh_ns = now_ns
        sight.refresh = sight.asked = False
        sight.missed_ns = None
        self._sink.account_proved(view, now_ns)
        return True

    def doubt(self, reason: str, now_ns: int) -> None:
        """Something is not known any more, as when what came could not be read: a gap."""
        # An answer under way was asked for before the break and may not know of it.
        self.epoch += 1
        self.reason = reason
        self._sight.late_ns = None
        self._sight.ahead = None
        if self._reached is not None:
            self._reached = None
            self.gaps += 1
            self._sink.account_gap(reason, now_ns)


def _place(held: Held[AccountFrame], reached: int, joining: bool) -> Place:
    # Fills are not absolute: a chain that begins anew may have lost some.
    if held.last_id == RESTART != reached and held.update_id > reached:
        return Place.BEYOND
    return place(held.last_id, held.update_id, reached, joining=joining)


def _straddles(frame: AccountFrame, reached: int) -> bool:
    # Only the first update after a snapshot may begin before it; the chain was checked.
    last_id = frame.last_update_id
    return last_id is not None and RESTART != last_id < reached


def _doubt(frame: AccountFrame, fills: list[OwnFill], reached: int) -> str | None:
    # Why what came does not tell everything about its fills; `reached` is the id before it.
    if frame.last_update_id is None:
        return "an update without a link: one before it may be missing"
    if fills and _straddles(frame, reached):
        return "the first update begins before the snapshot"
    if any(not fill.exact for fill in fills):
        return "the price of a fill lies on no tick: it stands for several"
    if any(fill.lots != told.lots for fill, told in zip(fills, frame.fills, strict=True)):
        return "the sizes of a fill and of what rests disagree: it stands for several"
    return None
