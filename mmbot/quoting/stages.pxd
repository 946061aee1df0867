cimport cython

from mmbot.quoting.ladder cimport Ladder
from mmbot.quoting.shares cimport Shares
from mmbot.quoting.signals cimport Signals
from mmbot.quoting.sizing cimport SizingCalculator
from mmbot.quoting.skew cimport InventoryManager
from mmbot.quoting.spread cimport SpreadCalculator
from mmbot.quoting.state cimport QuotingState

cdef class Stages:
    cdef object _index
    cdef public object portfolio
    cdef public Shares shares
    cdef InventoryManager _inventory
    cdef Ladder _ladder
    cdef SizingCalculator _sizing
    cdef SpreadCalculator _spread
    @cython.locals(inventory=InventoryManager)
    cpdef quotes(self, QuotingState state, tuple top, fair, Signals signals)
    @cython.locals(inventory=InventoryManager)
    cdef _skew(self, QuotingState state, tuple numbers, Signals signals)
    cdef _room(self, QuotingState state, ratio, Signals signals)
