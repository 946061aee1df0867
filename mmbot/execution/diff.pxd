cimport cython
from libc.stdint cimport int64_t

from mmbot.execution.tracker cimport Tracker, WorkingOrder

cdef class Tolerance:
    cdef tuple _ratios
    cdef public object slack
    cdef public bint cancel_when_near
    cdef public int64_t interval_ns, max_age_ns
    cpdef within(self, Tracker tracker, room)

@cython.locals(order=WorkingOrder)
cpdef diff(quotes, Tracker tracker, Tolerance tolerance, room, now_ns)

@cython.locals(order=WorkingOrder)
cdef _sorted(Tracker tracker, oldest_ns)
cdef _interleave(list bids, list asks)
