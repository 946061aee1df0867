cimport cython

from mmbot.quoting.fair cimport FairPrice
from mmbot.quoting.gate cimport Gate
from mmbot.quoting.ladder cimport Ladder
from mmbot.quoting.sizing cimport SizingCalculator
from mmbot.quoting.skew cimport InventoryManager
from mmbot.quoting.spread cimport SpreadCalculator
from mmbot.quoting.state cimport QuotingState

cdef class MarketMaker:
    cdef public object params
    cdef object _depth, _exclude_own, _last
    cdef FairPrice _fair
    cdef Gate _gate
    cdef InventoryManager _inventory
    cdef Ladder _ladder
    cdef SizingCalculator _sizing
    cdef SpreadCalculator _spread
    @cython.locals(inventory=InventoryManager)
    cpdef decide(self, QuotingState state)
    cdef _nothing(self, reason)
