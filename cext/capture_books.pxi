# Books kept while reading: the state at the start of a window, and how often a book is crossed.


cdef int apply_row(Book* book, const Row* row) except -1:
    cdef int side = BID if row.flags & FLAG_BUY else ASK
    cdef uint32_t kind = row.flags & KIND_MASK
    if kind == KIND_DEPTH or kind == KIND_SNAPSHOT:
        book_set(book, side, row.ticks, row.lots)
    elif kind == KIND_CLEAR:
        book_clear_to(book, side, row.ticks)
    return 0


@cython.final
cdef class Window:
    """Cut rows to exchange times from `start_ns` up to and without `end_ns`.

    What depth came before the start is folded into a book and given as a snapshot at the start.
    `done` says that no row of the window can follow. O(1) per row.
    """

    cdef:
        Book* book
        Rows out
        int64_t start_ns
        int64_t end_ns
        int64_t horizon_ns
        uint32_t market
        bint started
        readonly bint done

    def __cinit__(self):
        self.book = book_new()
        self.book.uncross = True

    def __init__(self, int64_t start_ns, int64_t end_ns, int64_t horizon_ns, uint32_t market):
        self.start_ns = start_ns
        self.end_ns = end_ns
        self.horizon_ns = horizon_ns
        self.market = market

    def __dealloc__(self):
        book_free(self.book)
        free(self.out.items)

    def push(self, bytes rows) -> bytes:
        """Take rows in their final order; return those of the window."""
        cdef Py_ssize_t count = row_count(rows), i
        cdef const Row* row = <const Row*><const char*>rows
        for i in range(count):
            if row[i].exch_ns < self.start_ns:
                # The exchange's stream is complete up to here when the first row is kept.
                if not self.started and row[i].flags & FLAG_EXCH:
                    apply_row(self.book, &row[i])
            elif row[i].exch_ns < self.end_ns:
                if not self.started:
                    self.open_window(min(self.start_ns, row[i].local_ns))
                reserve(&self.out, 1)
                self.out.items[self.out.count] = row[i]
                self.out.count += 1
            elif row[i].exch_ns - self.end_ns > self.horizon_ns:
                self.done = True
                break
        return take_rows(&self.out)

    cdef int open_window(self, int64_t local_ns) except -1:
        self.started = True
        self.give_side(BID, self.book.best_bid, NO_BID, FLAG_BUY, local_ns)
        self.give_side(ASK, self.book.best_ask, NO_ASK, FLAG_SELL, local_ns)
        return 0

    cdef int give_side(
        self, int side, int64_t ticks, int64_t none, uint32_t flags, int64_t local_ns
    ) except -1:
        cdef Row row
        row.exch_ns = self.start_ns
        row.local_ns = local_ns
        row.flags = KIND_SNAPSHOT | FLAG_EXCH | FLAG_LOCAL | flags
        row.market = self.market
        while ticks != none:
            row.ticks = ticks
            row.lots = book_lots(self.book, side, ticks)
            reserve(&self.out, 1)
            self.out.items[self.out.count] = row
            self.out.count += 1
            ticks = book_next(self.book, side, ticks)
        return 0


@cython.final
cdef class BookCheck:
    """Follow the local book through rows in their final order and count when it is crossed.

    `moments` are the distinct local times with depth, `crossed` those after which the best bid is
    at or above the best ask, `one_sided` those after which a side is empty.
    """

    cdef:
        Book* book
        int64_t now_ns
        bint changed
        readonly int64_t moments
        readonly int64_t crossed
        readonly int64_t one_sided

    def __cinit__(self):
        self.book = book_new()

    def __dealloc__(self):
        book_free(self.book)

    def push(self, bytes rows) -> None:
        """Apply rows."""
        cdef Py_ssize_t count = row_count(rows), i
        cdef const Row* row = <const Row*><const char*>rows
        for i in range(count):
            if not row[i].flags & FLAG_LOCAL or row[i].flags & KIND_MASK == KIND_TRADE:
                continue
            if row[i].local_ns != self.now_ns:
                self.finish()
                self.now_ns = row[i].local_ns
            self.changed = True
            apply_row(self.book, &row[i])

    def finish(self) -> None:
        """Count the moment that the last rows belong to."""
        if not self.changed:
            return
        self.changed = False
        self.moments += 1
        if self.book.best_bid == NO_BID or self.book.best_ask == NO_ASK:
            self.one_sided += 1
        elif self.book.best_bid >= self.book.best_ask:
            self.crossed += 1
