cimport cython

cdef class WorkingOrder:
    cdef public object order_id, side, ticks, lots, leaves, mode, placed_ns, state, known_ns
    cdef public bint rests
    cpdef land(self, now_ns)
    cpdef move(self, state)

cdef class Tracker:
    cdef public dict orders, ended
    cdef dict _seen
    cdef object _ends
    cdef public object bid_lots, ask_lots
    @cython.locals(order=WorkingOrder)
    cpdef WorkingOrder send(self, place, now_ns)
    @cython.locals(order=WorkingOrder)
    cpdef WorkingOrder update(self, event)
    @cython.locals(order=WorkingOrder)
    cpdef end(self, order_id, now_ns)
    @cython.locals(order=WorkingOrder)
    cpdef fill(self, event)
    cdef _finish(self, WorkingOrder order, now_ns)
    cdef _drop(self, WorkingOrder order, now_ns)
    cdef _count(self, side, lots)
    cpdef resting_lots(self, side, ticks)
    cpdef unknown(self)
    cpdef list cancellable(self)
    cpdef list rivals(self, side)
