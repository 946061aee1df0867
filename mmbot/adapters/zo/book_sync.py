"""Keep one order book equal to the venue's: buffer, snapshot, replay, check the chain (4.3).

A state machine without input or output: it is told what came and when, changes its OrderBook and
says what that means as events; `wanted` tells that it needs a snapshot.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from mmbot.adapters.web.clock import NS_PER_MS
from mmbot.adapters.zo.answers import BookView
from mmbot.adapters.zo.update_chain import Held, Place, Waiting, follow, place
from mmbot.cext.nord import Deltas
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate
from mmbot.domain.order import Side

# With fewer known levels than this a snapshot's end has come too near to be ignored (P13).
_SUPPORT = 5
# Ids that only ever fall behind are those of a chain begun anew.
_OLD_IN_A_ROW = 20
_ON_ITS_WAY_NS = 1_000 * NS_PER_MS


class BookParams(Struct, frozen=True, kw_only=True):
    """When a book is doubted; times in milliseconds.

    crossed_ms: best bid at or above best ask for longer. silent_ms: nothing applied for so long;
    REST must then prove that nothing has changed, within as long again. Frames that wait for a
    snapshot are at most `waiting_frames` and `waiting_bytes`.
    """

    crossed_ms: int = 250
    silent_ms: int = 15_000
    waiting_frames: int = 10_000
    waiting_bytes: int = 4 << 20


class BookHealth(NamedTuple):
    """What is known of one book: `reached` is the update it is at, None when it is not synced.

    `fresh_ns`: when it was last known to be the venue's.

    `reason` says why it is not synced, empty when it is. Counts are since the start: chains that
    broke, snapshots adopted, updates applied, and updates dropped for being old.
    """

    synced: bool
    reached: int | None
    reason: str
    fresh_ns: int
    crossed: bool
    one_sided: bool
    gaps: int
    snapshots: int
    applied: int
    dropped: int


class _Sight(Struct):
    """What a synced book is watched for."""

    fresh_ns: int = 0
    crossed_ns: int | None = None
    old_in_a_row: int = 0
    # The snapshot's number may lie within the next update.
    joining: bool = False
    # A snapshot is wanted although the chain holds, because the stream is silent or to see deeper.
    refresh: bool = False
    silent: bool = False
    # REST knew of an update that the silent stream had not brought then.
    missed_ns: int | None = None
    # The worst prices of the last snapshot: what lies beyond them may never have been told.
    lowest_bid: int | None = None
    highest_ask: int | None = None


class _Tally(Struct):
    gaps: int = 0
    snapshots: int = 0
    applied: int = 0
    dropped: int = 0


class BookSync:
    """One market's book and how far its chain of updates is known.

    `emit` gets a BookUpdate after every change of a synced book, and one BookGap when it is no
    longer to be trusted. The levels of a book that is not synced are those before the break.
    """

    def __init__(
        self,
        market: int,
        book: OrderBook,
        deltas: Deltas,
        emit: Callable[[BookUpdate | BookGap], None],
        params: BookParams,
    ) -> None:
        self.market = market
        self.epoch = 0
        self._book = book
        self._capsule = book.capsule
        self._deltas = deltas
        self._emit = emit
        self._params = params
        self._connected = False
        self._reached: int | None = None
        self._reason = "not connected yet"
        self._waiting = Waiting[bytes](params.waiting_frames, params.waiting_bytes)
        self._sight = _Sight()
        self._tally = _Tally()

    @property
    def synced(self) -> bool:
        """Whether the book is the venue's as far as anything that came can tell."""
        return self._reached is not None

    @property
    def wanted(self) -> bool:
        """Whether a snapshot is needed: to begin, after a break, or as a proof."""
        return self._connected and (self._reached is None or self._sight.refresh)

    def health(self) -> BookHealth:
        """Return what is known of the book."""
        best_bid, _, best_ask, _ = self._book.touch(False)
        return BookHealth(
            synced=self.synced,
            reached=self._reached,
            reason=self._reason,
            fresh_ns=self._sight.fresh_ns,
            crossed=0 < best_ask <= best_bid,
            one_sided=not (best_bid and best_ask),
            gaps=self._tally.gaps,
            snapshots=self._tally.snapshots,
            applied=self._tally.applied,
            dropped=self._tally.dropped,
        )

    def opened(self, now_ns: int) -> None:
        """A connection stands: what comes now waits for a snapshot asked for from now on."""
        self._break("a new connection", now_ns)
        self._connected = True

    def closed(self, reason: str, now_ns: int) -> None:
        """The connection is gone."""
        self._break(reason, now_ns)
        self._connected = False

    def doubt(self, reason: str, now_ns: int) -> None:
        """Something came that could not be read and may have been ours: begin anew."""
        self._break(reason, now_ns)

    def delta(self, last_id: int | None, update_id: int, frame: bytes, now_ns: int) -> None:
        """Take the update that `deltas` has just parsed from `frame`."""
        if self.wanted:
            self._waiting.add(Held(last_id, update_id, frame), len(frame))
        reached = self._reached
        if reached is None:
            return
        stands = place(last_id, update_id, reached, joining=self._sight.joining)
        if stands is Place.NEXT:
            self._apply(update_id, now_ns)
        elif stands is Place.BEYOND:
            self._break(f"gap: an update after {last_id} came after {reached}", now_ns)
            self._waiting.add(Held(last_id, update_id, frame), len(frame))
        else:
            self._tally.dropped += 1
            self._sight.old_in_a_row += 1
            if self._sight.old_in_a_row >= _OLD_IN_A_ROW:
                self._break("the ids of the venue went back", now_ns)

    def snapshot(self, view: BookView, epoch: int, now_ns: int) -> bool:
        """Take the answer to a request made when `epoch` was this; False when it does not help."""
        if epoch != self.epoch or not self.wanted:
            return False
        newer = follow(self._waiting.held, view.update_id)
        if newer is None:
            # Older than what came, or an update was lost; only a newer snapshot can tell.
            return False
        after = newer[-1].update_id if newer else view.update_id
        if self._reached is not None:
            if after < self._reached:
                return False
            if self._sight.silent and self._shows(view):
                self._speaks(now_ns)
                return True
            if self._sight.silent and after > self._reached:
                # Or it is on its way: a moment will tell.
                self._sight.missed_ns = self._sight.missed_ns or now_ns
                return False
        self._adopt(view, newer, now_ns)
        return True

    def tick(self, now_ns: int) -> str | None:
        """Look at what only time can tell; a reason when the connection must be dead.

        To be called a few times within `crossed_ms`.
        """
        if self._reached is None:
            return None
        sight, params = self._sight, self._params
        if (
            sight.crossed_ns is not None
            and now_ns - sight.crossed_ns > params.crossed_ms * NS_PER_MS
        ):
            self._break(f"crossed for more than {params.crossed_ms} ms", now_ns)
            return None
        if sight.missed_ns is not None and now_ns - sight.missed_ns > _ON_ITS_WAY_NS:
            return "the book changes and the stream is silent"
        silent_ns = params.silent_ms * NS_PER_MS
        if now_ns - sight.fresh_ns >= 2 * silent_ns:
            return f"no update for {2 * params.silent_ms} ms, and no proof that there was none"
        sight.silent = now_ns - sight.fresh_ns >= silent_ns
        if not sight.refresh and (sight.silent or self._shallow()):
            self._waiting.clear()
            sight.refresh = True
        return None

    def _adopt(self, view: BookView, newer: Sequence[Held[bytes]], now_ns: int) -> None:
        self._book.snapshot(view.bids, view.asks)
        self._reached = view.update_id
        for each in newer:
            self._deltas.parse(each.content)
            self._deltas.apply(self._capsule)
            self._reached = each.update_id
        self._waiting.clear()
        self._reason = ""
        self._tally.snapshots += 1
        self._sight = _Sight(
            fresh_ns=now_ns,
            joining=not newer,
            lowest_bid=view.bids[-1].ticks if len(view.bids) >= _SUPPORT else None,
            highest_ask=view.asks[-1].ticks if len(view.asks) >= _SUPPORT else None,
        )
        self._changed(now_ns)

    def _apply(self, update_id: int, now_ns: int) -> None:
        self._deltas.apply(self._capsule)
        self._reached = update_id
        self._tally.applied += 1
        self._sight.joining = False
        self._sight.old_in_a_row = 0
        self._speaks(now_ns)
        self._changed(now_ns)

    def _speaks(self, now_ns: int) -> None:
        # Right now the book is the venue's; silence needs no proof any more.
        sight = self._sight
        sight.fresh_ns = now_ns
        if sight.silent:
            sight.silent = sight.refresh = False
            sight.missed_ns = None

    def _shows(self, view: BookView) -> bool:
        return all(
            self._book.levels(side, len(levels), False) == list(levels)
            for side, levels in ((Side.BID, view.bids), (Side.ASK, view.asks))
        )

    def _changed(self, now_ns: int) -> None:
        best_bid, _, best_ask, _ = self._book.touch(False)
        if not 0 < best_ask <= best_bid:
            self._sight.crossed_ns = None
        elif self._sight.crossed_ns is None:
            self._sight.crossed_ns = now_ns
        self._emit(BookUpdate(now_ns, now_ns, self.market))

    def _break(self, reason: str, now_ns: int) -> None:
        # An answer under way was asked for before the break and may not know of it.
        self.epoch += 1
        self._waiting.clear()
        self._reason = reason
        if self._reached is not None:
            self._reached = None
            self._tally.gaps += 1
            self._emit(BookGap(now_ns, now_ns, self.market, reason))

    def _shallow(self) -> bool:
        return self._beyond(Side.BID, self._sight.lowest_bid) or self._beyond(
            Side.ASK, self._sight.highest_ask
        )

    def _beyond(self, side: Side, end: int | None) -> bool:
        if end is None:
            return False
        known = self._book.levels(side, _SUPPORT, False)
        return len(known) < _SUPPORT or (known[-1][0] - end) * side < 0
