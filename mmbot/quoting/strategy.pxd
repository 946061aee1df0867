cimport cython

from mmbot.quoting.fair cimport FairPrice
from mmbot.quoting.gate cimport Gate
from mmbot.quoting.learning cimport Learning
from mmbot.quoting.signals cimport Signals
from mmbot.quoting.stages cimport Stages
from mmbot.quoting.state cimport QuotingState

cdef class MarketMaker:
    cdef public object params
    cdef public Learning learning
    cdef public Stages stages
    cdef object _depth, _exclude_own, _last, _learns, _seen
    cdef FairPrice _fair
    cdef Gate _gate
    @cython.locals(learning=Learning, signals=Signals)
    cpdef observe(self, QuotingState state)
    cpdef take_fill(self, fill)
    cpdef decide(self, QuotingState state)
    cdef _nothing(self, reason)
