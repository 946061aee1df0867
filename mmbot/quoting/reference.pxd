from mmbot.quoting.state cimport QuotingState

cdef class Reference:
    cdef object _max_age_ns, _min_samples, _offsets, _second, _window_s
    cdef public object old
    cpdef price(self, QuotingState state, mid_ticks)
