cdef class SessionSigner:
    cdef object _keypair
    cdef public object account_id, lifetime_s, session_id
    cpdef sign(self, action, timestamp_s, nonce, now_s)

cpdef check_times(timestamp_s, now_s, lifetime_s)
cpdef check_session_action(action)
cdef _check_place(order)
cdef _check_batch(parts)
cdef _signature(message, secret)
