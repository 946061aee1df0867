from mmbot.adapters.zo.engine_time cimport EngineClock
from mmbot.adapters.zo.trading.health cimport Health
from mmbot.adapters.zo.trading.pace cimport Pace
from mmbot.adapters.zo.wire.signing cimport SessionSigner

cdef class Dispatch:
    cdef object _barred, _line, _nonce
    cdef SessionSigner _signer
    cdef Health _health
    cdef public object account_id, clock
    cdef public EngineClock engine_clock
    cdef public Pace pace
    cpdef sign(self, action, now_ns)
    cpdef send(self, object signed, judged, urgent=*)
    cpdef no_places(self, now_ns)
    cpdef expired(self, stamp)
