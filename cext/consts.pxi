# Constants shared by the kernels; no code.
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef enum:
    BID = 1
    ASK = -1

# Row flags: the same bits as the public event files use, so those load unchanged.
cdef enum:
    KIND_DEPTH = 1       # absolute size at a price, 0 removes it
    KIND_TRADE = 2       # side is the aggressor's
    KIND_CLEAR = 3       # remove a side's levels from the best down to `ticks`, inclusive
    KIND_SNAPSHOT = 4    # like depth, part of a snapshot
    KIND_TAKE = 5        # synthetic flow: a taker with a limit price walks the book
    KIND_MASK = 0xFF

cdef uint32_t FLAG_EXCH = 0x80000000u
cdef uint32_t FLAG_LOCAL = 0x40000000u
cdef uint32_t FLAG_BUY = 0x20000000u
cdef uint32_t FLAG_SELL = 0x10000000u

# One event of a market. Little-endian, 40 bytes, no padding: struct format "<qqqqII".
cdef struct Row:
    int64_t exch_ns
    int64_t local_ns
    int64_t ticks
    int64_t lots
    uint32_t flags
    uint32_t market
