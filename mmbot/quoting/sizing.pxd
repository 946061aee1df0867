from mmbot.domain.market cimport Market

cdef class SizingCalculator:
    cdef object _asked, _budget, _free_ppb, _level_ppb, _max_worth, _side_ppb, _worths
    cdef public object bounds, max_lots
    cdef Market _market
    cpdef budget(self, equity_uusd, free_uusd)
