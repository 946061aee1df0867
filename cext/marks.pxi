# The exchange's mid some time after every fill, in plain C, shared by include after "clocks.pxi".

cdef struct Filled:
    int64_t number
    int64_t exch_ns

cdef struct Mark:
    int64_t due_ns
    int64_t fill
    int64_t horizon
    int64_t mid
    bint matured

cdef struct Marks:
    int64_t* horizons
    int64_t* reached         # per horizon: the first fill not sampled yet
    int64_t horizon_count
    Filled* fills
    int64_t count
    int64_t room
    int64_t due_ns


cdef void marks_next(Marks* k) noexcept nogil:
    cdef int64_t h
    k.due_ns = INT64_MAX
    for h in range(k.horizon_count):
        if k.reached[h] < k.count:
            k.due_ns = min(k.due_ns, k.fills[k.reached[h]].exch_ns + k.horizons[h])


cdef int marks_add(Marks* k, int64_t number, int64_t exch_ns) except -1:
    cdef int64_t h, done = k.count
    if k.horizon_count == 0:
        return 0
    if k.count == k.room:
        for h in range(k.horizon_count):
            done = min(done, k.reached[h])
        if 2 * done > k.room:
            memmove(k.fills, k.fills + done, (k.count - done) * sizeof(Filled))
            k.count -= done
            for h in range(k.horizon_count):
                k.reached[h] -= done
        else:
            k.fills = <Filled*>grown(k.fills, &k.room, sizeof(Filled))
    k.fills[k.count].number = number
    k.fills[k.count].exch_ns = exch_ns
    k.count += 1
    marks_next(k)
    return 0


cdef int marks_take(Marks* k, int64_t horizon, int64_t mid, bint matured, Fifo* out) except -1:
    cdef Mark* mark = <Mark*>fifo_push(out, 0)
    mark.fill = k.fills[k.reached[horizon]].number
    mark.horizon = horizon
    mark.mid = mid
    mark.matured = matured
    k.reached[horizon] += 1
    return 0


cdef int marks_sample(Marks* k, int64_t before_ns, int64_t mid, Fifo* out) except -1:
    # Take every mark due earlier than `before_ns`; `mid` holds since the last row.
    cdef int64_t h, due
    while k.due_ns < before_ns:
        due = k.due_ns
        for h in range(k.horizon_count):
            while k.reached[h] < k.count and k.fills[k.reached[h]].exch_ns + k.horizons[h] == due:
                marks_take(k, h, mid, True, out)
        marks_next(k)
    return 0


cdef int marks_flush(Marks* k, int64_t now, int64_t mid, Fifo* out) except -1:
    # The end: what is due by `now` is sampled, the rest takes the last mid and is not matured.
    cdef int64_t h
    marks_sample(k, now + 1, mid, out)
    for h in range(k.horizon_count):
        while k.reached[h] < k.count:
            marks_take(k, h, mid, False, out)
    k.due_ns = INT64_MAX
    return 0
