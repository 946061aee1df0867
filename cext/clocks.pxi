# Latencies and the messages under way, in plain C, shared by include after "orders.pxi".

cdef struct Latency:
    int64_t* at
    int64_t* delay
    int64_t count
    bint drawn
    uint64_t seed
    uint64_t draws

cdef struct Request:
    int64_t due_ns
    int64_t id
    int64_t ticks
    int64_t lots
    int market
    int side                 # 0 is a cancel
    int mode

cdef struct Response:
    int64_t due_ns
    int64_t exch_ns
    int64_t mid
    int64_t fill
    int market
    Report report

cdef struct Fifo:
    char* items
    size_t size
    int64_t head
    int64_t count
    int64_t room
    int64_t last_ns          # no message overtakes: the latest due time given out

cdef tuple execution(Response* r):
    # What only a fill has, laid out as the stub's Execution.
    cdef Report* report = &r.report
    return (report.ticks, report.lots, bool(report.maker), report.cause, r.mid, r.fill)


cdef int latency_set(Latency* l, list pairs, object seed) except -1:
    # Keep (time, delay) pairs; the caller has checked that there is one.
    cdef int64_t i
    free(l.at)
    free(l.delay)
    l.count = len(pairs)
    l.at = <int64_t*>malloc(l.count * sizeof(int64_t))
    l.delay = <int64_t*>malloc(l.count * sizeof(int64_t))
    if l.at is NULL or l.delay is NULL:
        raise MemoryError
    for i in range(l.count):
        l.at[i], l.delay[i] = pairs[i]
        if l.delay[i] < 0 or (i > 0 and l.at[i] < l.at[i - 1]):
            raise ValueError(f"latency row {i}: times must not go back, delays not be negative")
    l.drawn = seed is not None
    l.seed = <uint64_t>seed if l.drawn else 0
    l.draws = 0
    return 0


cdef int64_t latency_at(Latency* l, int64_t now) noexcept:
    cdef int64_t low = 0, high = l.count, middle
    cdef double slope
    if l.drawn:
        l.draws += 1
        return l.delay[mixed(mixed(l.seed) ^ l.draws) % <uint64_t>l.count]
    while low < high:
        middle = (low + high) >> 1
        if l.at[middle] <= now:
            low = middle + 1
        else:
            high = middle
    if low == 0 or low == l.count:
        return l.delay[0] if low == 0 else l.delay[l.count - 1]
    slope = <double>(l.delay[low] - l.delay[low - 1]) / <double>(l.at[low] - l.at[low - 1])
    return l.delay[low - 1] + <int64_t>(slope * <double>(now - l.at[low - 1]))


cdef void* fifo_push(Fifo* q, int64_t due_ns) except NULL:
    # Room for a message due then, or later if one before it is; its first field is that time.
    cdef int64_t* slot
    if q.count == q.room and q.head > q.room >> 1:
        memmove(q.items, q.items + q.head * q.size, (q.count - q.head) * q.size)
        q.count -= q.head
        q.head = 0
    if q.count == q.room:
        q.items = <char*>grown(q.items, &q.room, q.size)
    slot = <int64_t*>(q.items + q.count * q.size)
    q.count += 1
    q.last_ns = max(q.last_ns, due_ns)
    slot[0] = q.last_ns
    return slot


cdef inline int64_t fifo_due(Fifo* q) noexcept nogil:
    return (<int64_t*>(q.items + q.head * q.size))[0] if q.head < q.count else INT64_MAX


cdef inline void* fifo_pop(Fifo* q) noexcept nogil:
    # Valid until the next push.
    q.head += 1
    return q.items + (q.head - 1) * q.size
