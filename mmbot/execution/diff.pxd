from mmbot.execution.tracker cimport Tracker, WorkingOrder

cdef class Tolerance:
    cdef tuple _ratios
    cdef public object cancel_when_near, interval_ns, max_age_ns, slack
    cpdef within(self, Tracker tracker, room)

cpdef diff(quotes, Tracker tracker, Tolerance tolerance, room, now_ns)

cdef _sorted(Tracker tracker, oldest_ns)
