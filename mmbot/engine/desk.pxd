from libc.stdint cimport int64_t

from mmbot.domain.position cimport Position
from mmbot.engine.guards cimport Guards
from mmbot.execution.diff cimport Tolerance
from mmbot.execution.tracker cimport Tracker, WorkingOrder
from mmbot.quoting.state cimport QuotingState

cdef class Counts:
    cdef public object cancelled, fills, foreign_asks, foreign_bids, foreign_orders, placed
    cdef public object raced, rejected, volume_uusd

cdef class Desk:
    cdef public object answer, hedging, observer, strategy
    cdef public int64_t due_ns
    cdef public Counts counts
    cdef public Guards guards
    cdef public WorkingOrder hedge
    cdef public Position position
    cdef public Tracker tracker
    cdef public QuotingState state
    cdef public Tolerance tolerance
    cpdef exposure(self, mark)
