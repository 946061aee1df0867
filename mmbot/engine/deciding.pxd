cimport cython

from mmbot.engine.desk cimport Desk
from mmbot.engine.guards cimport Guards
from mmbot.engine.outbox cimport Outbox
from mmbot.engine.stops cimport Stops
from mmbot.risk.limits cimport RiskManager

cdef class Decider:
    cdef RiskManager _risk
    cdef Outbox _outbox
    cdef Stops _stops
    @cython.locals(guards=Guards, risk=RiskManager)
    cpdef decide(self, Desk desk, now_ns, stop_reason)
    @cython.locals(guards=Guards, risk=RiskManager)
    cpdef _answer(self, Desk desk, now_ns)
    cpdef endangered(self, Desk desk)
    @cython.locals(guards=Guards)
    cpdef _send(self, Desk desk, changes, now_ns)
