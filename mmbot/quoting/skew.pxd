from mmbot.domain.market cimport Market
from mmbot.quoting.signals cimport Signals

cdef class InventoryManager:
    cdef object _bias, _deadband, _exposure_ppb, _factor, _max_uusd, _model, _params, _risked_uusd
    cdef object _sign, _width
    cdef Market _market
    cpdef limit_uusd(self, equity_uusd, sigma_bps=*)
    cpdef position_ratio(self, lots, half_ticks, equity_uusd, sigma_bps=*)
    cpdef skew(self, position_ratio)
    cpdef shift(self, position_ratio, units, spread, Signals signals)
    cpdef units(self, lots, half_ticks)
    cpdef reservation(self, fair_ticks, skew)
