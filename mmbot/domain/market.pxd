cdef class Market:
    cdef public object symbol, tick, lot, index, min_lots, contract, contract_size, imf, atom
    cdef object _value_numerator
    cdef tuple _atom_uusd, _usd
    cpdef unit_value(self, half_ticks)
    cpdef fee(self, ticks, lots, rate_ppb)
    cpdef notional_uusd(self, half_ticks, lots)
    cpdef lots_for(self, uusd, half_ticks)
    cpdef atoms_to_uusd(self, atoms, half_ticks)
