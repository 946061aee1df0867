cimport cython

from mmbot.domain.market cimport Market

cdef class AccountGate:
    cdef object _max_age_ns, _min_free_uusd, _min_margin_ppm, _ts_ns, _verdict
    cpdef verdict(self, now_ns)

cdef class Exposure:
    cdef public object ask_lots, bid_lots, lots, mark, orders

cdef class _MarketRisk:
    cdef public object ask_lots, bid_lots, cap_ppm, cap_uusd, lots, margin_uusd, mark, orders, room
    cdef public object unpriced, worst_uusd
    cdef public Market market

cdef class RiskManager:
    cdef object _margin_uusd, _unpriced, _worst_uusd
    cdef list _reducing
    # Written by `adopt` of the same module.
    cdef public object _max_orders, _total_ppm
    cdef public list _markets
    cdef _MarketRisk _open
    cdef public AccountGate account
    cdef public object equity_uusd, free_uusd, orders
    @cython.locals(slot=_MarketRisk)
    cpdef take_exposure(self, index, Exposure exposure)
    @cython.locals(slot=_MarketRisk)
    cpdef add_order(self, place)
    cdef _turn(self, _MarketRisk slot)
    cdef _weigh(self, _MarketRisk slot)
    @cython.locals(slot=_MarketRisk)
    cpdef _forget_rooms(self, _MarketRisk spared)
    cdef _measure_free(self)
    @cython.locals(slot=_MarketRisk)
    cpdef position_ratio(self, index)
    @cython.locals(slot=_MarketRisk)
    cpdef room(self, index)
    cpdef reduce_only(self, index, on)
    cdef _measure(self, _MarketRisk slot)
    cdef _caps(self, _MarketRisk slot)
    @cython.locals(slot=_MarketRisk)
    cpdef permit(self, place)
