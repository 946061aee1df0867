from mmbot.risk.losses cimport Losses

cdef class Breaker:
    cdef object _emergency, _good, _halted
    cdef dict _paused, _reducing
    cdef public Losses losses
    cpdef account_reason(self)
    cpdef stop_reason(self, market)
    cpdef reduce_reason(self, market)
