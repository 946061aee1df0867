cpdef action_of(list cancelled, list placed, tuple market_ids)
cdef _wire(place, tuple market_ids)
