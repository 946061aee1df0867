from mmbot.engine.desk cimport Desk
from mmbot.engine.outbox cimport Outbox
from mmbot.engine.stops cimport Stops

cdef class Answers:
    cdef object _reconciling, _risk
    cdef Outbox _outbox
    cdef Stops _stops
    cpdef take_order_update(self, Desk desk, event)
