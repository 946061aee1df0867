cimport cython
from libc.stdint cimport int64_t

from mmbot.adapters.sim.account cimport SimAccount

cdef class _Order:
    cdef public object leaves, side
    cdef public bint post_only, resting

cdef class ReplayExchange:
    cdef object _replay, _sources, _terms, _reports
    cdef list _marks
    cdef dict _orders
    cdef public SimAccount account
    cdef public bint finished, tells_trades
    cdef public int64_t now_ns
    cdef int64_t _funding_ns, _account_ns
    @cython.locals(stop_ns=cython.longlong, events=list)
    cpdef advance(self, int64_t until_ns)
    cpdef submit(self, batch)
    @cython.locals(order=_Order)
    cdef _answer(self, response)
    @cython.locals(order=_Order)
    cdef _fill(self, response, execution)
    cdef _forget(self, market, order_id, _Order order)
