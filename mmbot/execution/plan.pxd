cimport cython

from mmbot.execution.tracker cimport WorkingOrder

@cython.locals(order=WorkingOrder)
cpdef match(changes)
cdef _paired(list bids, list asks, places)
@cython.locals(
    order=WorkingOrder, lowest_ask=cython.longlong, highest_bid=cython.longlong, ticks=cython.longlong
)
cdef _in_the_way(cancels, places)
cpdef requests(int cancels, int pairs, int places, int batch_size)
@cython.locals(start=cython.int)
cpdef pack(ts_ns, actions, int batch_size)
