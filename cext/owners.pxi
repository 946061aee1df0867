# One market's orders of many owners over anonymous displayed size, in plain C, shared by include.
# Include "consts.pxi", "book.pxi", "orders.pxi" before it, "changes.pxi", "crossing.pxi" after it.
#
# A side keeps its orders worst first and, at a price, latest first, so that the next one to trade
# is the last and goes in O(1). Orders stay where they are in memory, whatever joins or leaves.
cdef extern from *:
    """
    typedef unsigned __int128 wide_t;
    """
    ctypedef unsigned long long wide_t

cdef enum:
    SELF_ALLOW = 0
    SELF_CANCEL_RESTING = 1
    SELF_CANCEL_TAKER = 2

cdef enum:
    UNDO_SHOWN = 0
    UNDO_ADD = 1
    UNDO_DROP = 2
    UNDO_SIZE = 3
    UNDO_FRONT = 4

cdef int64_t LARGEST = <int64_t>1 << 50   # of an order and a displayed level; sums stay in 64 bits

cdef struct Owned:
    Order order              # only id, ticks, lots, front and traded are used
    int64_t owner
    int64_t number           # of arrival
    int side

cdef struct Line:
    int64_t flip
    Owned** orders
    int64_t count
    int64_t room

cdef struct Index:
    Owned** table            # by order id, open addressing
    uint64_t mask
    uint64_t used

cdef struct Undo:
    int kind
    int side
    int64_t ticks
    int64_t lots
    Owned* owned
    double front
    double traded

cdef struct Touch:
    int64_t ticks
    int64_t lots             # total at the price when changes were last taken
    int64_t number           # earlier touches of a price know better
    int side

cdef struct Fill:
    int aggressor
    int64_t taker_owner
    int64_t taker_id
    int64_t maker_id         # 0: displayed size
    int64_t maker_owner
    int64_t ticks
    int64_t lots
    int64_t left

cdef struct Dropped:
    int64_t id
    int64_t lots

cdef struct Floor:
    Rules rules
    Book* shown              # displayed size
    Book* total              # displayed size and owned orders
    Line bids
    Line asks
    Index index
    int64_t next_number
    int64_t bid_lots         # sums of `total`
    int64_t ask_lots
    Undo* undo
    int64_t undo_count
    int64_t undo_room
    bint undoable
    Touch* touched
    int64_t touched_count
    int64_t touched_room
    Fill* fills
    int64_t fill_count
    int64_t fill_room
    Dropped* dropped         # by the self trade rule in the last walk
    int64_t dropped_count
    int64_t dropped_room
    Print* prints
    int64_t print_count
    int64_t print_room
    bint keep_prints
    int64_t now_ns           # of the last row
    int self_trade


cdef inline Line* line_of(Floor* f, int side) noexcept nogil:
    return &f.bids if side > 0 else &f.asks


cdef inline int64_t owned_key(Owned* o) noexcept nogil:
    return o.order.ticks if o.side < 0 else ~o.order.ticks


cdef inline int64_t line_place(Line* line, int64_t key, int64_t number) noexcept nogil:
    # How many orders of the line come after one with this key and number of arrival.
    cdef int64_t low = 0, high = line.count, middle, other
    while low < high:
        middle = (low + high) >> 1
        other = owned_key(line.orders[middle])
        if other > key or (other == key and line.orders[middle].number > number):
            low = middle + 1
        else:
            high = middle
    return low


cdef inline int64_t line_level(Line* line, int64_t key) noexcept nogil:
    # Where the orders at a key begin; they end at the first with another key, or at the end.
    return line_place(line, key, INT64_MAX)


cdef inline bint line_covers(Line* line, int64_t key) noexcept nogil:
    return (
        line.count > 0
        and owned_key(line.orders[0]) >= key
        and owned_key(line.orders[line.count - 1]) <= key
    )


cdef inline uint64_t index_home(Index* index, int64_t id) noexcept nogil:
    return page_hash(id) & index.mask


cdef inline Owned* index_find(Index* index, int64_t id) noexcept nogil:
    cdef uint64_t at = index_home(index, id)
    while index.table[at] is not NULL and index.table[at].order.id != id:
        at = (at + 1) & index.mask
    return index.table[at]


cdef void index_place(Index* index, Owned* o) noexcept nogil:
    cdef uint64_t at = index_home(index, o.order.id)
    while index.table[at] is not NULL:
        at = (at + 1) & index.mask
    index.table[at] = o


cdef int index_grow(Index* index) except -1:
    cdef Owned** old = index.table
    cdef uint64_t size = index.mask + 1, i
    index.table = <Owned**>calloc(2 * size, sizeof(Owned*))
    if index.table is NULL:
        index.table = old
        raise MemoryError
    index.mask = 2 * size - 1
    for i in range(size):
        if old[i] is not NULL:
            index_place(index, old[i])
    free(old)
    return 0


cdef int index_add(Index* index, Owned* o) except -1:
    if 2 * index.used > index.mask:
        index_grow(index)
    index_place(index, o)
    index.used += 1
    return 0


cdef void index_remove(Index* index, int64_t id) noexcept nogil:
    # Later entries of the run move up into the hole unless that would put them before their home.
    cdef uint64_t hole = index_home(index, id), at, home
    while index.table[hole].order.id != id:
        hole = (hole + 1) & index.mask
    at = hole
    while True:
        at = (at + 1) & index.mask
        if index.table[at] is NULL:
            break
        home = index_home(index, index.table[at].order.id)
        if ((at - home) & index.mask) >= ((at - hole) & index.mask):
            index.table[hole] = index.table[at]
            hole = at
    index.table[hole] = NULL
    index.used -= 1


cdef int floor_open(Floor* f) except -1:
    # `f` must be zeroed memory; give it back with floor_close whether this raises or not.
    f.bids.flip = -1
    f.index.table = <Owned**>calloc(64, sizeof(Owned*))
    if f.index.table is NULL:
        raise MemoryError
    f.index.mask = 63
    f.shown = book_new()
    f.total = book_new()
    return 0


cdef void floor_close(Floor* f) noexcept:
    cdef int64_t at
    undo_forget(f, 0)
    for at in range(f.bids.count):
        free(f.bids.orders[at])
    for at in range(f.asks.count):
        free(f.asks.orders[at])
    free(f.bids.orders)
    free(f.asks.orders)
    free(f.index.table)
    free(f.undo)
    free(f.touched)
    free(f.fills)
    free(f.dropped)
    free(f.prints)
    book_free(f.shown)
    book_free(f.total)
