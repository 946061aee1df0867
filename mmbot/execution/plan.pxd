cimport cython

from mmbot.execution.tracker cimport WorkingOrder

@cython.locals(order=WorkingOrder)
cpdef match(changes)
cdef _paired(list bids, list asks, places)
@cython.locals(order=WorkingOrder)
cdef _in_the_way(cancels, places)
cpdef requests(cancels, pairs, places, batch_size)
@cython.locals(actions=list, news=list, batches=list, start=cython.int, half=cython.int)
cpdef pack(ts_ns, cancels, pairs, places, int batch_size)
