from mmbot.engine.answers cimport Answers
from mmbot.engine.deciding cimport Decider
from mmbot.engine.desk cimport Desk
from mmbot.engine.outbox cimport Outbox
from mmbot.engine.stops cimport Stops
from mmbot.risk.limits cimport RiskManager

cdef class Engine:
    cdef Answers _answers
    cdef object _breaker_state, _due_ns, _reconciling
    cdef Decider _decider
    cdef dict _desk_of
    cdef Outbox _outbox
    cdef public object budget
    cdef public tuple desks
    cdef public RiskManager risk
    cdef public Stops stops
    cpdef next_wakeup_ns(self)
    cpdef handle(self, event)
    cdef _take_book(self, Desk desk, now_ns)
    cdef _decide_due(self, now_ns)
