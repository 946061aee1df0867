"""What a book in step with the venue is watched for: what no chain of updates can tell."""

from msgspec import Struct

from mmbot.adapters.web.clock import NS_PER_MS
from mmbot.adapters.zo.rest.answers import BookView
from mmbot.cext.orderbook import OrderBook
from mmbot.domain.order import Side

# With fewer known levels than this a snapshot's end has come too near to be ignored (P13).
_SUPPORT = 5
# Ids that only ever fall behind are those of a chain begun anew.
_OLD_IN_A_ROW = 50
_ON_ITS_WAY_NS = 1_000 * NS_PER_MS


class BookParams(Struct, frozen=True, kw_only=True):
    """When a book is doubted; times in milliseconds.

    crossed_ms: best bid at or above best ask for longer. verify_ms: every so often a snapshot takes
    the book's place without a break, for what no chain can tell. silent_ms: nothing applied for so
    long; REST must then prove that nothing has changed, within as long again. Frames that wait for
    a snapshot are at most `waiting_frames` and `waiting_bytes`.
    """

    crossed_ms: int = 250
    verify_ms: int = 60_000
    silent_ms: int = 15_000
    waiting_frames: int = 10_000
    waiting_bytes: int = 4 << 20


class BookSight:
    """One book from the snapshot that brought it in step to the break that ends it.

    `reached`: the update it is at. `joining`: the snapshot's number may lie within the next update.
    `refresh`: a snapshot is wanted although the chain holds; `silent`: as a proof of life.
    """

    def __init__(self, book: OrderBook, params: BookParams, view: BookView, now_ns: int) -> None:
        self.reached = view.update_id
        self.joining = True
        self.refresh = False
        self.silent = False
        self.fresh_ns = now_ns
        self._book = book
        self._params = params
        self._adopted_ns = now_ns
        self._crossed_ns: int | None = None
        # REST knew of an update that the silent stream had not brought then.
        self._missed_ns: int | None = None
        # How many different old updates came in a row, and the newest of them.
        self._old: tuple[int, int | None] = (0, None)
        # The worst prices of the snapshot: what lies beyond them may never have been told.
        self._ends = tuple(
            (side, levels[-1].ticks)
            for side, levels in ((Side.BID, view.bids), (Side.ASK, view.asks))
            if len(levels) >= _SUPPORT
        )

    def applied(self, update_id: int, now_ns: int) -> None:
        """An update was applied."""
        self.reached = update_id
        self.joining = False
        self._old = (0, None)
        self.speaks(now_ns)

    def speaks(self, now_ns: int) -> None:
        """Right now the book is the venue's; silence needs no proof any more."""
        self.fresh_ns = now_ns
        if self.silent:
            self.silent = self.refresh = False
            self._missed_ns = None

    def changed(self, now_ns: int) -> None:
        """Levels have changed: are the sides crossed?"""
        best_bid, _, best_ask, _ = self._book.touch(False)
        if not 0 < best_ask <= best_bid:
            self._crossed_ns = None
        elif self._crossed_ns is None:
            self._crossed_ns = now_ns

    def old(self, update_id: int) -> bool:
        """An old update came; True when so many came that it is the chain which went back.

        The same one again counts once: a venue repeats.
        """
        count, newest = self._old
        self._old = (count + (update_id != newest), update_id)
        return self._old[0] >= _OLD_IN_A_ROW

    def missed(self, now_ns: int) -> None:
        """REST knows more than the silent stream. Or it is on its way: a moment will tell."""
        self._missed_ns = self._missed_ns or now_ns

    def shows(self, view: BookView) -> bool:
        """Whether the book is this, as deep as this goes."""
        return all(
            self._book.levels(side, len(levels), False) == list(levels)
            for side, levels in ((Side.BID, view.bids), (Side.ASK, view.asks))
        )

    def wrong(self, now_ns: int) -> str | None:
        """Say why the book cannot be right, if so."""
        limit_ms = self._params.crossed_ms
        if self._crossed_ns is not None and now_ns - self._crossed_ns > limit_ms * NS_PER_MS:
            return f"crossed for more than {limit_ms} ms"
        return None

    def dead(self, now_ns: int) -> str | None:
        """Say why the stream must be dead, if so."""
        limit_ms = 2 * self._params.silent_ms
        if self._missed_ns is not None and now_ns - self._missed_ns > _ON_ITS_WAY_NS:
            return "the book changes and the stream is silent"
        if now_ns - self.fresh_ns >= limit_ms * NS_PER_MS:
            return f"no update for {limit_ms} ms, and no proof that there was none"
        return None

    def wants(self, now_ns: int) -> bool:
        """Look whether a snapshot is wanted now; True when it was not before."""
        if self.refresh:
            self.silent = self.silent or self._is_silent(now_ns)
            return False
        self.silent = self._is_silent(now_ns)
        age_ns = now_ns - self._adopted_ns
        self.refresh = (
            self.silent or age_ns >= self._params.verify_ms * NS_PER_MS or self._shallow()
        )
        return self.refresh

    def _is_silent(self, now_ns: int) -> bool:
        return now_ns - self.fresh_ns >= self._params.silent_ms * NS_PER_MS

    def _shallow(self) -> bool:
        for side, end in self._ends:
            known = self._book.levels(side, _SUPPORT, False)
            if len(known) < _SUPPORT or (known[-1][0] - end) * side < 0:
                return True
        return False
