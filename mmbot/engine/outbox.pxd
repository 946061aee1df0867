from mmbot.engine.desk cimport Desk
from mmbot.execution.budget cimport Budget
from mmbot.execution.order_ids cimport OrderIds
from mmbot.execution.tracker cimport WorkingOrder
from mmbot.risk.limits cimport RiskManager

cdef class Outbox:
    cdef RiskManager _risk
    cdef Budget _budget
    cdef object _traits
    cdef list _notices
    cdef dict _told_ns
    cdef public list batches
    cdef public OrderIds ids
    cdef public object now_ns, submit
    cdef public bint mirrors
    cpdef pull(self, Desk desk)
    cpdef cancel(self, Desk desk, list orders)
    cpdef send(self, Desk desk, changes)
    cdef _patient(self, list pairs, places)
    cdef _replace(self, Desk desk, list pairs)
    cdef _leave(self, list batches)
    cpdef _permit(self, Desk desk, wanted, mode=*, reduce_only=*)

cdef _closing(market, WorkingOrder order)
