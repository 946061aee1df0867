from mmbot.adapters.zo.trading.dispatch cimport Dispatch
from mmbot.adapters.zo.trading.health cimport Health
from mmbot.adapters.zo.trading.known_orders cimport KnownOrders

cdef class Sender:
    cdef public object ack_ns, repeats, resend_ns, split_ns, stopping
    cdef Dispatch _dispatch
    cdef KnownOrders _orders
    cdef Health _health
    cdef object _cancels, _verdicts
    cdef list _flights
    cpdef submit(self, batch, tuple market_ids)
    cpdef _refusal(self, now_ns, list alone)
    cpdef _send(self, list cancelled, list placed, tuple market_ids, now_ns)
    cpdef _hand_over(self, flight)
