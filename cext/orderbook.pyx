"""OrderBook: one market's price levels, its depth sums and prices, with own orders left out.

Prices are integer ticks >= 1, sizes integer lots; sides are BID = 1 and ASK = -1.
"""

cimport cython
from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport NAN

include "consts.pxi"
include "book.pxi"

cdef extern from *:
    """
    #ifdef CYTHON_WITHOUT_ASSERTIONS
    #define MMBOT_ASSERTIONS 0
    #else
    #define MMBOT_ASSERTIONS 1
    #endif
    """
    const int MMBOT_ASSERTIONS

DEBUG_BUILD = bool(MMBOT_ASSERTIONS)

cdef enum:
    OWN_LEVELS = 64

cdef struct Own:
    int64_t key
    int64_t lots

# Own orders of one side, best first under the key of book.pxi.
cdef struct OwnSide:
    int count
    Own levels[OWN_LEVELS]

# A walk over one side from its best outwards; own orders are met in step with the levels.
cdef struct Walk:
    BookSide* side
    Page* page
    int64_t at
    int64_t word
    uint64_t bits
    int64_t key
    Own* own
    Own* own_end


cdef inline void walk_start(Walk* walk, Book* book, int side, OwnSide* own) noexcept nogil:
    # Begin before the best level; `own` may be NULL: nothing is left out then.
    cdef BookSide* s = book_side(book, side)
    cdef int64_t key = book_best(book, side) ^ s.flip
    walk.side = s
    walk.page = NULL
    walk.key = key
    walk.own = &own.levels[0] if own is not NULL else NULL
    walk.own_end = walk.own + own.count if own is not NULL else NULL
    walk.bits = 0
    walk.word = PAGE_WORDS - 1
    walk.at = s.filled_count
    if key == NO_KEY:
        return
    walk.at = 0 if s.filled[0].number == key >> PAGE_BITS else filled_after(s, key >> PAGE_BITS) - 1
    walk.page = s.filled[walk.at].page
    walk.word = (key & (PAGE_SLOTS - 1)) >> 6
    walk.bits = walk.page.bits[walk.word] & (~<uint64_t>0 << (key & 63))


cdef inline int64_t walk_next(Walk* walk) noexcept nogil:
    # Lots of the next level (its key in walk.key), 0 when there is none.
    cdef int64_t slot, lots
    while True:
        while walk.bits == 0:
            walk.word += 1
            if walk.word == PAGE_WORDS:
                walk.at += 1
                if walk.at >= walk.side.filled_count:
                    walk.word = PAGE_WORDS - 1
                    return 0
                walk.page = walk.side.filled[walk.at].page
                walk.word = 0
            walk.bits = walk.page.bits[walk.word]
        slot = (walk.word << 6) + __builtin_ctzll(walk.bits)
        walk.bits &= walk.bits - 1
        walk.key = (walk.page.number << PAGE_BITS) + slot
        lots = walk.page.lots[slot]
        while walk.own != walk.own_end and walk.own.key < walk.key:
            walk.own += 1
        if walk.own != walk.own_end and walk.own.key == walk.key:
            lots -= walk.own.lots
        if lots > 0:
            return lots


cdef inline int64_t walk_ticks(Walk* walk) noexcept nogil:
    return walk.key ^ walk.side.flip


cdef int check_side(int side) except -1:
    if side != BID and side != ASK:
        raise ValueError(f"side must be {BID} (bid) or {ASK} (ask), not {side}")
    return 0


cdef inline int check_level(int64_t ticks, int64_t lots) except -1:
    if ticks < 1 or lots < 0:
        raise ValueError(f"a level needs ticks >= 1 and lots >= 0, not ({ticks}, {lots})")
    return 0


@cython.final
cdef class OrderBook:
    """Price levels of one market, best first in every answer.

    Setting a level is O(1) but for rare page work, reading N levels O(N). A book may be crossed;
    whoever reads it must look. Own orders, at most 64 prices a side, are kept beside the levels
    and stay through `clear` and `snapshot`: where `exclude_own` is true their lots are
    subtracted and levels with nothing left are skipped. OverflowError beyond 64 bits.
    """

    cdef:
        Book* book
        OwnSide own_bids
        OwnSide own_asks
        int64_t seen_bid
        int64_t seen_ask
        object seen_bid_ticks
        object seen_ask_ticks

    def __cinit__(self):
        self.book = book_new()
        self.seen_bid_ticks = self.seen_ask_ticks = 0

    def __dealloc__(self):
        book_free(self.book)

    cdef inline void start(self, Walk* walk, int side, bint exclude_own) noexcept:
        walk_start(walk, self.book, side, self.own(side) if exclude_own else NULL)

    cdef inline OwnSide* own(self, int side) noexcept:
        return &self.own_bids if side > 0 else &self.own_asks

    cdef int fill(self, int side, levels) except -1:
        cdef int64_t ticks, lots
        for ticks, lots in levels:
            check_level(ticks, lots)
            book_set(self.book, side, ticks, lots)
        return 0

    def snapshot(self, bids, asks):
        """Replace all levels by these (ticks, lots), bids first.

        ValueError at the first bad level; the book then holds the ones before it and is useless.
        """
        book_clear(self.book)
        self.fill(BID, bids)
        self.fill(ASK, asks)

    def apply(self, bids, asks):
        """Set the sizes at these (ticks, lots), 0 lots removing a level, bids first.

        ValueError at the first bad level; those before it are applied.
        """
        self.fill(BID, bids)
        self.fill(ASK, asks)

    def set_level(self, int side, int64_t ticks, int64_t lots):
        """Set the size at one price; 0 removes the level."""
        check_side(side)
        check_level(ticks, lots)
        book_set(self.book, side, ticks, lots)

    def clear(self):
        """Remove all levels; own orders stay."""
        book_clear(self.book)

    def touch(self, bint exclude_own=True):
        """Return (best_bid, bid_lots, best_ask, ask_lots); (0, 0) stands for a missing side."""
        cdef Walk bids, asks
        self.start(&bids, BID, exclude_own)
        self.start(&asks, ASK, exclude_own)
        cdef int64_t bid_lots = walk_next(&bids), ask_lots = walk_next(&asks)
        return (
            walk_ticks(&bids) if bid_lots else 0,
            bid_lots,
            walk_ticks(&asks) if ask_lots else 0,
            ask_lots,
        )

    def top(self, int levels, bint exclude_own=True):
        """Return (best_bid, best_ask, bid_depth, ask_depth, imbalance, mid_ticks, n_bid, n_ask).

        Depths sum the best N' levels, N' the least of `levels` and both sides' counts (spec
        section 3); n_bid and n_ask count levels up to `levels`. A missing side has best 0 and
        makes mid NaN; imbalance is 0.0 when both depths are 0. ValueError when levels < 1.
        """
        cdef Walk bids, asks
        cdef int64_t bid_lots, ask_lots, bid_depth, ask_depth, best_bid = 0, best_ask = 0
        cdef int n_bid, n_ask
        cdef double imbalance = 0.0, mid = NAN
        if levels < 1:
            raise ValueError(f"levels must be at least 1, not {levels}")
        self.start(&bids, BID, exclude_own)
        self.start(&asks, ASK, exclude_own)
        bid_depth = bid_lots = walk_next(&bids)
        ask_depth = ask_lots = walk_next(&asks)
        if bid_lots:
            best_bid = walk_ticks(&bids)
        if ask_lots:
            best_ask = walk_ticks(&asks)
        n_bid = bid_lots > 0
        n_ask = ask_lots > 0
        if bid_lots and ask_lots:
            mid = (best_bid + best_ask) * 0.5
        else:
            bid_depth = ask_depth = 0
        while (bid_lots and n_bid < levels) or (ask_lots and n_ask < levels):
            bid_lots = walk_next(&bids) if bid_lots else 0
            ask_lots = walk_next(&asks) if ask_lots else 0
            n_bid += bid_lots > 0
            n_ask += ask_lots > 0
            if bid_lots and ask_lots:
                bid_depth += bid_lots
                ask_depth += ask_lots
        if bid_depth + ask_depth:
            imbalance = (bid_depth - ask_depth) / <double>(bid_depth + ask_depth)
        # The best prices seldom move between two reads; keeping their objects saves making them.
        if best_bid != self.seen_bid:
            self.seen_bid = best_bid
            self.seen_bid_ticks = best_bid
        if best_ask != self.seen_ask:
            self.seen_ask = best_ask
            self.seen_ask_ticks = best_ask
        return (
            self.seen_bid_ticks, self.seen_ask_ticks, bid_depth, ask_depth,
            imbalance, mid, n_bid, n_ask,
        )

    def microprice(self, bint exclude_own=True):
        """Return the size-weighted mid in ticks (spec section 3); NaN when a side is missing."""
        cdef Walk bids, asks
        self.start(&bids, BID, exclude_own)
        self.start(&asks, ASK, exclude_own)
        cdef double bid_lots = walk_next(&bids), ask_lots = walk_next(&asks)
        if bid_lots == 0.0 or ask_lots == 0.0:
            return NAN
        cdef double spread = walk_ticks(&asks) - walk_ticks(&bids)
        return walk_ticks(&bids) + spread * bid_lots / (bid_lots + ask_lots)

    def vwap(self, int side, int64_t lots, bint exclude_own=True):
        """Return (mean ticks, lots filled) of walking `side` for `lots`; (NaN, 0) when empty.

        ValueError when lots < 1.
        """
        cdef Walk walk
        cdef int64_t found, filled = 0, best = 0
        cdef double beyond = 0.0
        check_side(side)
        if lots < 1:
            raise ValueError(f"lots must be at least 1, not {lots}")
        self.start(&walk, side, exclude_own)
        while filled < lots:
            found = min(walk_next(&walk), lots - filled)
            if found == 0:
                break
            best = best or walk_ticks(&walk)
            beyond += <double>(walk_ticks(&walk) - best) * found
            filled += found
        return (best + beyond / filled if filled else NAN), filled

    def levels(self, int side, int count, bint exclude_own=True):
        """Return up to `count` levels of a side as a list of (ticks, lots), best first."""
        cdef Walk walk
        cdef int64_t lots
        check_side(side)
        self.start(&walk, side, exclude_own)
        found = []
        while len(found) < count:
            lots = walk_next(&walk)
            if lots == 0:
                break
            found.append((walk_ticks(&walk), lots))
        return found

    def lots_at(self, int side, int64_t ticks):
        """Return the size at a price, own orders counted; 0 when there is no level."""
        check_side(side)
        return book_lots(self.book, side, ticks)

    def lots_within(self, int side, int64_t ticks):
        """Return the size within `ticks` of the best, the best included, own orders counted."""
        cdef Walk walk
        cdef int64_t lots, best, total = 0
        check_side(side)
        self.start(&walk, side, False)
        best = walk.key
        while True:
            lots = walk_next(&walk)
            if lots == 0 or walk.key - best > ticks:
                return total
            total += lots

    def set_own(self, int side, int64_t ticks, int64_t lots):
        """Say how many of the lots at a price are ours; 0 removes. ValueError past 64 prices."""
        cdef OwnSide* own
        cdef int at = 0
        check_side(side)
        check_level(ticks, lots)
        own = self.own(side)
        cdef int64_t key = ticks ^ book_side(self.book, side).flip
        while at < own.count and own.levels[at].key < key:
            at += 1
        cdef bint known = at < own.count and own.levels[at].key == key
        assert 0 <= at <= own.count <= OWN_LEVELS
        if lots == 0:
            if known:
                own.count -= 1
                memmove(&own.levels[at], &own.levels[at + 1], (own.count - at) * sizeof(Own))
            return
        if not known:
            if own.count == OWN_LEVELS:
                raise ValueError(f"at most {OWN_LEVELS} own prices a side")
            memmove(&own.levels[at + 1], &own.levels[at], (own.count - at) * sizeof(Own))
            own.levels[at].key = key
            own.count += 1
        own.levels[at].lots = lots

    def clear_own(self):
        """Forget all own orders."""
        self.own_bids.count = 0
        self.own_asks.count = 0

    @property
    def capsule(self):
        """PyCapsule "mmbot.book" with the Book* of book.pxi, for other kernels.

        The OrderBook owns that memory: whoever holds the capsule must keep the OrderBook alive.
        """
        return PyCapsule_New(self.book, "mmbot.book", NULL)
