cdef class KnownOrder:
    cdef public object market, order_id, side, ticks, lots, leaves, immediate, told, landed, stamp
    cdef public object action_id, venue_id, probed_ns, wanted, cancel_due_ns, cancel_tries

cdef class KnownOrders:
    cdef object _outlet
    cdef dict _live, _ended, _by_venue_id
    cpdef KnownOrder place(self, place)
    cpdef KnownOrder get(self, order_id)
    cpdef identify(self, KnownOrder order, venue_id)
    cpdef tell(self, KnownOrder order, state, reason=*)
    cdef _end(self, KnownOrder order)
