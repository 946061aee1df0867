# The exchange's rule for diffs: which of them continues the book, and those that wait to know.

cdef enum:
    MAX_HELD_ROWS = 1_000_000

# What becomes of a diff.
cdef enum:
    LEFT_OUT = 0
    IN_TURN = 1
    WAITS = 2

# A diff that waits for its snapshot; its rows are `start` .. `start + count` of the held ones.
cdef struct Held:
    Message message
    int64_t line
    int64_t exch_ns
    Py_ssize_t start
    Py_ssize_t count

# `last_id` is the id the book stands at, -1 while it is unknown; `joining` says that it comes from
# a snapshot, which the next diff may straddle.
cdef struct Chain:
    bint waiting
    bint joining
    int64_t last_id
    int64_t snapshots_left
    int64_t stale_diffs
    int64_t dropped_diffs
    Rows rows
    Held* held
    Py_ssize_t held_count
    Py_ssize_t held_capacity


cdef inline bint follows(const Chain* chain, const Message* m) noexcept nogil:
    cdef bint has_previous = m.seen & HAS_PREVIOUS != 0
    if chain.joining and has_previous and m.previous_id <= chain.last_id:
        return True
    if chain.joining:
        return m.first_id <= chain.last_id + 1
    if has_previous:
        return m.previous_id == chain.last_id
    return m.first_id == chain.last_id + 1


# Decide on a diff; `broken` tells that ids are missing in front of it.
cdef int place_diff(Chain* chain, const Message* m, bint* broken) noexcept nogil:
    broken[0] = False
    if chain.waiting:
        return WAITS
    if chain.last_id >= 0 and m.last_id <= chain.last_id:
        chain.stale_diffs += 1
        return LEFT_OUT
    if chain.last_id >= 0 and not follows(chain, m):
        broken[0] = True
        chain.last_id = -1
        chain.joining = False
        chain.waiting = chain.snapshots_left > 0
        if chain.waiting:
            return WAITS
    chain.joining = False
    chain.last_id = m.last_id
    return IN_TURN


# A place for a diff whose rows the caller adds; when there are too many, the oldest are given up.
cdef Held* hold_diff(Chain* chain, const Message* m, int64_t line, int64_t exch_ns) except NULL:
    cdef Held* entry
    cdef Py_ssize_t capacity
    if chain.rows.count > MAX_HELD_ROWS:
        chain.dropped_diffs += chain.held_count
        chain.held_count = 0
        chain.rows.count = 0
    if chain.held_count == chain.held_capacity:
        capacity = chain.held_capacity * 2 + 64
        entry = <Held*>realloc(chain.held, capacity * sizeof(Held))
        if entry == NULL:
            raise MemoryError(f"{capacity} diffs waiting for a snapshot")
        chain.held = entry
        chain.held_capacity = capacity
    entry = &chain.held[chain.held_count]
    entry.message = m[0]
    entry.line = line
    entry.exch_ns = exch_ns
    entry.start = chain.rows.count
    chain.held_count += 1
    return entry


# Forget the waiting diffs in front of `first`.
cdef void keep_held(Chain* chain, Py_ssize_t first) noexcept nogil:
    cdef Py_ssize_t start = chain.held[first].start
    cdef Py_ssize_t i
    chain.held_count -= first
    chain.rows.count -= start
    memmove(chain.held, chain.held + first, chain.held_count * sizeof(Held))
    memmove(chain.rows.items, chain.rows.items + start, chain.rows.count * sizeof(Row))
    for i in range(chain.held_count):
        chain.held[i].start -= start


cdef void free_chain(Chain* chain) noexcept nogil:
    free(chain.rows.items)
    free(chain.held)


# One row for each level, everything else as in `like`.
cdef int add_levels(Rows* rows, const Levels* levels, Row like) except -1:
    cdef Py_ssize_t i
    reserve(rows, levels.count)
    for i in range(levels.count):
        like.ticks = levels.items[i].ticks
        like.lots = levels.items[i].lots
        rows.items[rows.count + i] = like
    rows.count += levels.count
    return 0
