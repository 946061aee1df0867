from mmbot.adapters.zo.trading.pace cimport Pace

cdef class Health:
    cdef object _hindrances, _in_a_row, _limit, _quiet_until_ns
    cdef public object accepted, acks, maintained, not_sent, refused_for_rate, rejected, unknown
    cdef public Pace pace
    cpdef quiet(self, now_ns)
