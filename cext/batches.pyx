"""Bytes of the venue's Atomic action, the hot one: a batch of cancels and places with its length.

Written from the last byte to the first, so that every length is known when it is due. Fields and
what is left out are those of the generated messages, byte for byte; every number is checked.
"""

from cpython.bool cimport PyBool_Check
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_AsUnsignedLongLong, PyLong_Check
from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef enum:
    MOST_BYTES = 1024
    MOST_PARTS = 99
    # A place with every field at its largest has 77 bytes, what surrounds the parts 45.
    ROOM = 80 * 100

cdef uint64_t U32_MAX = 0xFFFFFFFF
cdef uint64_t I63_MAX = 0x7FFFFFFFFFFFFFFF
cdef uint64_t U64_MAX = 0xFFFFFFFFFFFFFFFF


cdef uint64_t whole(object number, uint64_t most, str name) except? 0xFFFFFFFFFFFFFFFF:
    # Truth values and floats are no amounts, even where they would convert.
    if not PyLong_Check(number) or PyBool_Check(number):
        raise TypeError(f"{name} must be an int, not {number!r}")
    cdef int beyond = 0
    cdef int64_t value = PyLong_AsLongLongAndOverflow(number, &beyond)
    if not beyond and value >= 0 and <uint64_t>value <= most:
        return <uint64_t>value
    # It takes all of 64 bits, or is wrong.
    if number < 0 or number > most:
        raise ValueError(f"{name} {number} is not in 0..{most}")
    return PyLong_AsUnsignedLongLong(number)


cdef inline int varint(unsigned char* room, int at, uint64_t value) noexcept nogil:
    # Puts `value` before `at` and returns where it starts.
    cdef int size = 1
    cdef uint64_t rest = value >> 7
    while rest:
        size += 1
        rest >>= 7
    at -= size
    cdef int place = at
    while value > 0x7F:
        room[place] = <unsigned char>(value & 0x7F | 0x80)
        value >>= 7
        place += 1
    room[place] = <unsigned char>value
    return at


cdef inline int field(unsigned char* room, int at, uint32_t number, uint64_t value) noexcept nogil:
    return varint(room, varint(room, at, value), number << 3)


cdef inline int message(unsigned char* room, int at, uint32_t number, int end) noexcept nogil:
    # The bytes from `at` to `end` become the field `number`.
    return varint(room, varint(room, at, <uint64_t>(end - at)), number << 3 | 2)


cdef int limit(unsigned char* room, int at, object part) except -1:
    cdef uint64_t ticks = whole(part.ticks, U64_MAX, "price")
    cdef uint64_t lots = whole(part.lots, U64_MAX, "size")
    cdef object quote = part.quote_units
    cdef uint64_t high, low
    cdef int end = at
    if quote != 0:
        high = whole(quote >> 64, U64_MAX, "upper half of quote size")
        low = whole(quote & U64_MAX, U64_MAX, "quote size")
        if high:
            at = field(room, at, 2, high)
        if low:
            at = field(room, at, 1, low)
        at = message(room, at, 8, end)
    elif not ticks and not lots:
        raise ValueError("at least one of price, size and quote size must be set")
    if lots:
        at = field(room, at, 7, lots)
    if ticks:
        at = field(room, at, 6, ticks)
    return message(room, at, 6, end)


cdef int kind(unsigned char* room, int at, object part) except -1:
    cdef int end = at
    cdef uint64_t mode = whole(part.mode, 3, "fill mode")
    if part.reduce_only:
        at = field(room, at, 5, 1)
    if mode:
        at = field(room, at, 4, mode)
    if part.side > 0:
        at = field(room, at, 3, 1)
    return message(room, at, 3, end)


cdef int place(unsigned char* room, int at, object part) except -1:
    cdef int end = at
    cdef uint64_t market_id = whole(part.market_id, U32_MAX, "market id")
    if part.tracking_id is not None:
        raise ValueError("a place in a batch has no tracking id")
    cdef object client_id = part.client_order_id
    if client_id is not None:
        at = field(room, at, 33, whole(client_id, I63_MAX, "client order id"))
    at = kind(room, limit(room, at, part), part)
    if market_id:
        at = field(room, at, 2, market_id)
    return message(room, message(room, at, 6, end), 6, end)


cdef int cancel(unsigned char* room, int at, object part) except -1:
    cdef int end = at
    cdef uint64_t order_id = whole(part.order_id, U64_MAX, "order id")
    if order_id:
        at = field(room, at, 2, order_id)
    return message(room, message(room, at, 7, end), 6, end)


def atomic(envelope, tuple parts, place_type, cancel_type):
    """Return length and payload of an Atomic whose parts are of the two types.

    ValueError or TypeError for anything else, numbers that do not fit, and over 1024 bytes.
    """
    if len(parts) > MOST_PARTS:
        raise ValueError(f"a batch has at most {MOST_PARTS} parts, not {len(parts)}")
    cdef uint64_t timestamp_s = whole(envelope.timestamp_s, I63_MAX, "timestamp")
    cdef uint64_t nonce = whole(envelope.nonce, U32_MAX, "nonce")
    cdef uint64_t session_id = whole(envelope.session_id, U64_MAX, "session id")
    cdef unsigned char[ROOM] room
    cdef int at = ROOM
    for part in reversed(parts):
        if type(part) is place_type:
            at = place(room, at, part)
        elif type(part) is cancel_type:
            at = cancel(room, at, part)
        else:
            raise TypeError(f"{type(part).__name__} is no part of a batch")
    at = field(room, at, 2, whole(envelope.account_id, U32_MAX, "account id"))
    if session_id == 0:
        raise ValueError("session id 0 is no session")
    at = message(room, field(room, at, 1, session_id), 35, ROOM)
    if nonce:
        at = field(room, at, 2, nonce)
    if timestamp_s:
        at = field(room, at, 1, timestamp_s)
    at = varint(room, at, <uint64_t>(ROOM - at))
    if ROOM - at > MOST_BYTES:
        raise ValueError(f"the action has {ROOM - at} bytes, {MOST_BYTES} allowed")
    return PyBytes_FromStringAndSize(<char*>&room[at], ROOM - at)
