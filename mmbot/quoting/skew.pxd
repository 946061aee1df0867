from mmbot.domain.market cimport Market

cdef class InventoryManager:
    cdef object _bias, _deadband, _exposure_ppb, _factor, _max_uusd
    cdef Market _market
    cpdef position_ratio(self, lots, half_ticks, equity_uusd)
    cpdef skew(self, position_ratio)
    cpdef reservation(self, fair_ticks, skew)
