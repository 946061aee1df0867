from mmbot.quoting.signals cimport Signals

cdef class Shares:
    cdef object _params, _plain
    cdef public object trips
    cpdef of(self, budget, position_ratio, Signals signals)
    cpdef now(self, position_ratio, Signals signals)
