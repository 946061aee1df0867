"""Keep one order book equal to the venue's: buffer, snapshot, replay, check the chain (4.3).

A state machine without input or output: it is told what came and when, changes its OrderBook and
says what that means as events; `wanted` tells that it needs a snapshot.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from mmbot.adapters.zo.rest.answers import BookView
from mmbot.adapters.zo.streams.book_sight import BookParams, BookSight
from mmbot.adapters.zo.streams.update_chain import BEYOND, NEXT, Held, Waiting, follow, place
from mmbot.cext.nord import Deltas
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.events import BookGap, BookUpdate


class BookTally(Struct):
    """Counts since the start.

    Breaks of the chain, snapshots adopted, updates applied, and updates dropped for being old.
    """

    gaps: int = 0
    snapshots: int = 0
    applied: int = 0
    dropped: int = 0


class BookHealth(NamedTuple):
    """What is known of one book. `fresh_ns`: when it was last known to be the venue's, 0 if not.

    `reason` says why it is not synced, empty when it is. For the counts see BookTally.
    """

    synced: bool
    reason: str
    fresh_ns: int
    crossed: bool
    one_sided: bool
    gaps: int
    snapshots: int
    applied: int
    dropped: int


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
        self.tally = BookTally()
        self._book = book
        self._capsule = book.capsule
        self._deltas = deltas
        self._emit = emit
        self._params = params
        self._connected = False
        self._reason = "not connected yet"
        self._waiting = Waiting[bytes](params.waiting_frames, params.waiting_bytes)
        self._sight: BookSight | None = None

    @property
    def synced(self) -> bool:
        """Whether the book is the venue's as far as anything that came can tell."""
        return self._sight is not None

    @property
    def reached(self) -> int | None:
        """The update the book is at, None when it is not synced."""
        return None if self._sight is None else self._sight.reached

    @property
    def wanted(self) -> bool:
        """Whether a snapshot is needed: to begin, after a break, or as a proof."""
        return self._connected and (self._sight is None or self._sight.refresh)

    def health(self) -> BookHealth:
        """Return what is known of the book."""
        best_bid, _, best_ask, _ = self._book.touch(False)
        return BookHealth(
            synced=self.synced,
            reason=self._reason,
            fresh_ns=0 if self._sight is None else self._sight.fresh_ns,
            crossed=0 < best_ask <= best_bid,
            one_sided=not (best_bid and best_ask),
            gaps=self.tally.gaps,
            snapshots=self.tally.snapshots,
            applied=self.tally.applied,
            dropped=self.tally.dropped,
        )

    def opened(self, now_ns: int) -> None:
        """A connection stands: what comes now waits for a snapshot asked for from now on."""
        self.doubt("a new connection", now_ns)
        self._connected = True

    def closed(self, reason: str, now_ns: int) -> None:
        """The connection is gone."""
        self.doubt(reason, now_ns)
        self._connected = False

    def doubt(self, reason: str, now_ns: int) -> None:
        """The chain is broken, or something came that could not be read: begin anew."""
        # An answer under way was asked for before the break and may not know of it.
        self.epoch += 1
        self._waiting.clear()
        self._reason = reason
        if self._sight is not None:
            self._sight = None
            self.tally.gaps += 1
            self._emit(BookGap(now_ns, now_ns, self.market, reason))

    def delta(self, last_id: int | None, update_id: int, frame: bytes, now_ns: int) -> None:
        """Take the update that `deltas` has just parsed from `frame`."""
        sight = self._sight
        if sight is None or sight.refresh:
            self._hold(last_id, update_id, frame)
            if sight is None:
                return
        stands = place(last_id, update_id, sight.reached, joining=sight.joining)
        if stands is NEXT:
            self._deltas.apply(self._capsule)
            self.tally.applied += 1
            sight.applied(update_id, now_ns)
            self._changed(sight, now_ns)
        elif stands is BEYOND:
            self.doubt(f"gap: an update after {last_id} came after {sight.reached}", now_ns)
            self._hold(last_id, update_id, frame)
        else:
            self.tally.dropped += 1
            if sight.old(update_id):
                self.doubt("the ids of the venue went back", now_ns)

    def snapshot(self, view: BookView, epoch: int, now_ns: int) -> bool:
        """Take the answer to a request made when `epoch` was this; False when it does not help."""
        if epoch != self.epoch or not self.wanted:
            return False
        newer = follow(self._waiting.held, view.update_id)
        if newer is None:
            # Older than what came, or an update was lost; only a newer snapshot can tell.
            return False
        sight = self._sight
        if sight is not None:
            after = newer[-1].update_id if newer else view.update_id
            if after < sight.reached:
                return False
            if sight.silent and sight.shows(view):
                sight.speaks(now_ns)
                return True
            if sight.silent and after > sight.reached:
                sight.missed(now_ns)
                return False
        self._adopt(view, newer, now_ns)
        return True

    def tick(self, now_ns: int) -> str | None:
        """Look at what only time can tell; a reason when the connection must be dead.

        To be called a few times within `crossed_ms`.
        """
        sight = self._sight
        if sight is None:
            return None
        wrong = sight.wrong(now_ns)
        if wrong is not None:
            self.doubt(wrong, now_ns)
            return None
        if sight.wants(now_ns):
            self._waiting.clear()
        return sight.dead(now_ns)

    def _hold(self, last_id: int | None, update_id: int, frame: bytes) -> None:
        self._waiting.add(Held(last_id, update_id, frame), len(frame))

    def _adopt(self, view: BookView, newer: Sequence[Held[bytes]], now_ns: int) -> None:
        self._book.snapshot(view.bids, view.asks)
        sight = self._sight = BookSight(self._book, self._params, view, now_ns)
        for each in newer:
            self._deltas.parse(each.content)
            self._deltas.apply(self._capsule)
            sight.applied(each.update_id, now_ns)
        self._waiting.clear()
        self._reason = ""
        self.tally.snapshots += 1
        self._changed(sight, now_ns)

    def _changed(self, sight: BookSight, now_ns: int) -> None:
        # What is decided by it leaves first.
        self._emit(BookUpdate(now_ns, now_ns, self.market))
        sight.changed(now_ns)
