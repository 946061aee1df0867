cpdef match(changes)
cpdef requests(cancels, pairs, places, batch_size)
cpdef pack(ts_ns, cancels, pairs, places, batch_size)
