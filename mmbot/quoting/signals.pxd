cdef class Signals:
    cdef public double deviation_bps, edge_bps, floor_bps, imbalance, sigma
    cdef public bint fits, stale_reference
    cdef public object arrivals, gate, slopes, toxic
