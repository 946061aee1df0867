cimport cython
from libc.stdint cimport int64_t

cdef class OrderIds:
    cdef object _instance, _run
    cdef int64_t _first, _sequence
    @cython.locals(sequence=cython.longlong)
    cpdef next(self)
