# Rows in arrival order to the one array order that serves both clocks.

cdef struct Rows:
    Row* items
    Py_ssize_t head
    Py_ssize_t count
    Py_ssize_t capacity


cdef int reserve(Rows* rows, Py_ssize_t extra) except -1:
    cdef Py_ssize_t capacity
    cdef Row* items
    if rows.head > 4096 and rows.head * 2 > rows.count:
        memmove(rows.items, rows.items + rows.head, (rows.count - rows.head) * sizeof(Row))
        rows.count -= rows.head
        rows.head = 0
    if rows.count + extra <= rows.capacity:
        return 0
    capacity = (rows.count + extra) * 3 // 2 + 1024
    items = <Row*>realloc(rows.items, capacity * sizeof(Row))
    if items == NULL:
        raise MemoryError(f"{capacity} rows")
    rows.items = items
    rows.capacity = capacity
    return 0


cdef bytes take_rows(Rows* rows):
    cdef bytes taken = (<char*>rows.items)[: rows.count * sizeof(Row)] if rows.count else b""
    rows.count = 0
    rows.head = 0
    return taken


cdef Py_ssize_t row_count(bytes rows) except -1:
    if len(rows) % sizeof(Row):
        raise ValueError(f"expected whole rows of {sizeof(Row)} bytes, found {len(rows)} bytes")
    return <Py_ssize_t>(len(rows) // sizeof(Row))


@cython.final
cdef class Sequencer:
    """Merge rows arriving in local order into the order that serves both streams.

    Filtered by its stream bit the result is sorted by that stream's time, stably. A row that fits
    both orders carries both bits, another is written twice. `horizon_ns` bounds the buffer: a row
    whose exchange time is further behind the newest one is refused. O(1) per row in order.
    """

    cdef:
        Rows arrival
        Rows sorted_exch
        Rows merged
        int64_t horizon_ns
        int64_t newest_exch
        int64_t newest_local

    def __init__(self, int64_t horizon_ns):
        self.horizon_ns = horizon_ns
        self.newest_exch = INT64_MIN
        self.newest_local = INT64_MIN

    def __dealloc__(self):
        free(self.arrival.items)
        free(self.sorted_exch.items)
        free(self.merged.items)

    def push(self, bytes rows) -> bytes:
        """Take rows in arrival order; return those whose place is final.

        ValueError: local time goes back, or exchange time by more than the horizon.
        """
        cdef Py_ssize_t count = row_count(rows)
        cdef const Row* given = <const Row*><const char*>rows
        cdef Py_ssize_t i
        reserve(&self.arrival, count)
        reserve(&self.sorted_exch, count)
        for i in range(count):
            self.check(&given[i])
            self.arrival.items[self.arrival.count] = given[i]
            self.arrival.count += 1
            self.insert(&given[i])
        self.merge(False)
        return take_rows(&self.merged)

    def finish(self) -> bytes:
        """Return all rows still held."""
        self.merge(True)
        return take_rows(&self.merged)

    cdef int check(self, const Row* row) except -1:
        if row.local_ns < self.newest_local:
            raise ValueError(
                f"local time goes back from {self.newest_local} to {row.local_ns}"
            )
        if self.newest_exch != INT64_MIN and row.exch_ns < self.newest_exch - self.horizon_ns:
            raise ValueError(
                f"exchange time goes back from {self.newest_exch} to {row.exch_ns},"
                f" more than the {self.horizon_ns} ns that can be put in order"
            )
        self.newest_local = row.local_ns
        self.newest_exch = max(self.newest_exch, row.exch_ns)
        return 0

    cdef void insert(self, const Row* row) noexcept:
        # Cannot raise: the caller has reserved the room.
        cdef Rows* rows = &self.sorted_exch
        cdef Py_ssize_t low = rows.head
        cdef Py_ssize_t high = rows.count
        cdef Py_ssize_t middle
        if low < high and rows.items[high - 1].exch_ns > row.exch_ns:
            while low < high:
                middle = (low + high) // 2
                if rows.items[middle].exch_ns <= row.exch_ns:
                    low = middle + 1
                else:
                    high = middle
            memmove(
                rows.items + low + 1, rows.items + low, (rows.count - low) * sizeof(Row)
            )
            rows.items[low] = row[0]
        else:
            rows.items[high] = row[0]
        rows.count += 1

    cdef int merge(self, bint last) except -1:
        cdef Rows* exch = &self.sorted_exch
        cdef Rows* local = &self.arrival
        cdef Row* e
        cdef Row* l
        reserve(&self.merged, exch.count - exch.head + local.count - local.head)
        while exch.head < exch.count and local.head < local.count:
            e = exch.items + exch.head
            l = local.items + local.head
            if not last and e.exch_ns > self.newest_exch - self.horizon_ns:
                return 0
            if e.exch_ns == l.exch_ns and e.local_ns == l.local_ns:
                self.put(exch, FLAG_EXCH | FLAG_LOCAL)
                local.head += 1
            elif e.exch_ns < l.exch_ns:
                # At equal exchange times `l` came first, and its exchange half is out already.
                self.put(exch, FLAG_EXCH)
            else:
                self.put(local, FLAG_LOCAL)
        while last and exch.head < exch.count:
            self.put(exch, FLAG_EXCH)
        while last and local.head < local.count:
            self.put(local, FLAG_LOCAL)
        return 0

    cdef inline void put(self, Rows* source, uint32_t streams) noexcept:
        # Cannot raise: merge has reserved the room.
        cdef Row* row = self.merged.items + self.merged.count
        row[0] = source.items[source.head]
        row.flags = (row.flags & ~(FLAG_EXCH | FLAG_LOCAL)) | streams
        source.head += 1
        self.merged.count += 1


def arrival_rows(bytes rows) -> bytes:
    """Return the rows of the local stream: every event once, in order of arrival."""
    cdef Py_ssize_t count = row_count(rows), i
    cdef const Row* given = <const Row*><const char*>rows
    cdef Rows kept
    memset(&kept, 0, sizeof(kept))
    try:
        reserve(&kept, count)
        for i in range(count):
            if given[i].flags & FLAG_LOCAL:
                kept.items[kept.count] = given[i]
                kept.count += 1
        return take_rows(&kept)
    finally:
        free(kept.items)


@cython.final
cdef class OrderCheck:
    """Refuse rows of one market whose streams are not in order of their time, and sum them up.

    `count` rows taken; first and newest times of each stream in ns; `trades` and `longest_silence`
    (ns) of the local stream.
    """

    cdef:
        readonly int64_t first_exch
        readonly int64_t newest_exch
        readonly int64_t first_local
        readonly int64_t newest_local
        readonly int64_t longest_silence
        readonly int64_t trades
        readonly int64_t count

    def __cinit__(self):
        self.first_exch = INT64_MAX
        self.newest_exch = INT64_MIN
        self.first_local = INT64_MAX
        self.newest_local = INT64_MIN

    def push(self, bytes rows) -> None:
        """Check rows that follow those before; ValueError: no stream bit, or time goes back."""
        cdef Py_ssize_t count = row_count(rows), i
        cdef const Row* row = <const Row*><const char*>rows
        for i in range(count):
            if not row[i].flags & STREAMS:
                raise ValueError(f"expected a stream bit in row {self.count}")
            if row[i].flags & FLAG_EXCH:
                if row[i].exch_ns < self.newest_exch:
                    raise ValueError(self.disorder("exchange", self.newest_exch, row[i].exch_ns))
                self.newest_exch = row[i].exch_ns
                self.first_exch = min(self.first_exch, row[i].exch_ns)
            if row[i].flags & FLAG_LOCAL:
                if row[i].local_ns < self.newest_local:
                    raise ValueError(self.disorder("local", self.newest_local, row[i].local_ns))
                if self.first_local != INT64_MAX:
                    self.longest_silence = max(
                        self.longest_silence, row[i].local_ns - self.newest_local
                    )
                self.newest_local = row[i].local_ns
                self.first_local = min(self.first_local, row[i].local_ns)
                self.trades += row[i].flags & KIND_MASK == KIND_TRADE
            self.count += 1

    cdef disorder(self, name, before, found):
        return f"{name} time goes back from {before} to {found} in row {self.count}"
