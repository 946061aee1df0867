from mmbot.domain.market cimport Market

cdef class Position:
    cdef public Market market
    cdef public object lots, cash_atoms, fees_atoms, funding_atoms, volume_lots, fills
