from mmbot.domain.position cimport Position
from mmbot.engine.desk cimport Desk
from mmbot.engine.engine cimport Engine
from mmbot.research.record cimport Recorder

cdef class Watch:
    cdef Engine _engine
    cdef Recorder _recorder
    cdef object _hedges, _log, _venue
    cdef list _marks, _told
    cpdef batch(self, batch)
    cpdef step(self, now_ns)

cpdef sample_of(now_ns, index, Desk desk, mark, Position position)
