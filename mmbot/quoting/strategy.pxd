cimport cython

from mmbot.domain.market cimport Market
from mmbot.quoting.fair cimport FairPrice
from mmbot.quoting.gate cimport Gate
from mmbot.quoting.ladder cimport Ladder
from mmbot.quoting.learning cimport Learning
from mmbot.quoting.shares cimport Shares
from mmbot.quoting.signals cimport Signals
from mmbot.quoting.sizing cimport SizingCalculator
from mmbot.quoting.skew cimport InventoryManager
from mmbot.quoting.spread cimport SpreadCalculator
from mmbot.quoting.state cimport QuotingState

cdef class MarketMaker:
    cdef public object params
    cdef public Learning learning
    cdef object _depth, _exclude_own, _last, _learns, _portfolio, _seen
    cdef Market _market
    cdef FairPrice _fair
    cdef Gate _gate
    cdef InventoryManager _inventory
    cdef Ladder _ladder
    cdef Shares _shares
    cdef SizingCalculator _sizing
    cdef SpreadCalculator _spread
    @cython.locals(learning=Learning, signals=Signals)
    cpdef observe(self, QuotingState state)
    cpdef take_fill(self, fill)
    @cython.locals(inventory=InventoryManager, signals=Signals)
    cpdef decide(self, QuotingState state)
    cdef _top(self, QuotingState state)
    @cython.locals(inventory=InventoryManager)
    cdef _skew(self, QuotingState state, ratio, spread, half_ticks)
    cdef _room(self, QuotingState state, ratio)
    cdef _nothing(self, reason)
