from mmbot.risk.breaker cimport Breaker
from mmbot.risk.hindrances cimport Hindrances

cdef class Stops:
    cdef object _cancels
    cdef public Breaker breaker
    cdef public Hindrances hindrances
    cpdef reason(self, market)
