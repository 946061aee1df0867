from mmbot.quoting.signals cimport Signals

cdef class SpreadCalculator:
    cdef object _max, _min, _model, _params, _range
    cpdef spread(self, imbalance)
    cpdef width(self, imbalance, Signals signals)
    cpdef half_bps(self, Signals signals)
