from mmbot.adapters.sim.account cimport SimAccount

cdef class _Order:
    cdef public object leaves, post_only, resting, side

cdef class ReplayExchange:
    cdef object _replay, _sources, _terms, _reports
    cdef list _marks
    cdef dict _orders
    cdef public SimAccount account
    cdef public object finished, now_ns
    cdef object _funding_ns, _account_ns
    cpdef advance(self, until_ns)
    cpdef submit(self, batch)
    cdef _answer(self, response)
    cdef _fill(self, response, execution)
