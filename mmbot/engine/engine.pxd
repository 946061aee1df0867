cimport cython
from libc.stdint cimport int64_t

from mmbot.engine.answers cimport Answers
from mmbot.engine.deciding cimport Decider
from mmbot.engine.desk cimport Desk
from mmbot.engine.outbox cimport Outbox
from mmbot.engine.stops cimport Stops
from mmbot.quoting.state cimport QuotingState
from mmbot.risk.limits cimport RiskManager

cdef class Engine:
    cdef Answers _answers
    cdef object _breaker_state, _reconciling
    cdef Decider _decider
    cdef dict _desk_of
    cdef int64_t _due_ns
    cdef Outbox _outbox
    cdef public object budget
    cdef public tuple desks
    cdef public RiskManager risk
    cdef public Stops stops
    cpdef next_wakeup_ns(self)
    @cython.locals(outbox=Outbox, desk=Desk, now_ns=cython.longlong)
    cpdef handle(self, event)
    @cython.locals(state=QuotingState)
    cdef _take_book(self, Desk desk, int64_t now_ns)
    @cython.locals(stops=Stops, desk=Desk, soonest_ns=cython.longlong, due_ns=cython.longlong)
    cdef _decide_due(self, int64_t now_ns)
