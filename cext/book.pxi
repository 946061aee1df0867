# A two-sided price level book in plain C, shared by include. Include "consts.pxi" before it.
#
# Every side keeps its levels under a key that grows from good to bad (asks: ticks, bids: ~ticks),
# so one code serves both. Levels live in pages of 512 neighbouring keys with a bitmap; pages are
# found by hash and kept once touched; `filled` lists the non-empty ones in order. Setting a level
# is O(1) but for the rare page that turns empty or not; finding the next level is a bit scan.
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memmove, memset

cdef extern from *:
    """
    #define NO_BID INT64_MIN
    #define NO_ASK INT64_MAX
    #define NO_KEY INT64_MAX
    """
    int64_t NO_BID
    int64_t NO_ASK
    int64_t NO_KEY
    int __builtin_ctzll(unsigned long long) nogil

cdef enum:
    PAGE_BITS = 9
    PAGE_SLOTS = 512
    PAGE_WORDS = 8
    FIRST_TABLE = 256

cdef struct Page:
    int64_t number
    int64_t count
    uint64_t bits[PAGE_WORDS]
    int64_t lots[PAGE_SLOTS]

cdef struct PageRef:
    int64_t number
    Page* page

cdef struct BookSide:
    int64_t flip            # -1 for bids, 0 for asks: key = ticks ^ flip
    int64_t levels
    Page* recent
    PageRef* filled
    int64_t filled_count
    int64_t filled_room
    Page** table
    uint64_t table_mask
    uint64_t table_used

cdef struct Book:
    int64_t best_bid        # NO_BID when there is none
    int64_t best_ask        # NO_ASK when there is none
    bint uncross            # a new best at or past the other side's best moves that behind it
    BookSide bids
    BookSide asks


cdef inline BookSide* book_side(Book* book, int side) noexcept nogil:
    return &book.bids if side > 0 else &book.asks


cdef inline uint64_t page_hash(int64_t number) noexcept nogil:
    return (<uint64_t>number * 0x9E3779B97F4A7C15u) >> 32


cdef inline Page* page_find(BookSide* s, int64_t number) noexcept nogil:
    cdef uint64_t at = page_hash(number) & s.table_mask
    cdef Page* page = s.table[at]
    while page is not NULL and page.number != number:
        at = (at + 1) & s.table_mask
        page = s.table[at]
    return page


cdef inline void table_put(Page** table, uint64_t mask, Page* page) noexcept nogil:
    cdef uint64_t at = page_hash(page.number) & mask
    while table[at] is not NULL:
        at = (at + 1) & mask
    table[at] = page


cdef int table_grow(BookSide* s) except -1:
    cdef uint64_t size = 2 * (s.table_mask + 1), i
    cdef Page** table = <Page**>calloc(size, sizeof(Page*))
    if table is NULL:
        raise MemoryError
    for i in range(s.table_mask + 1):
        if s.table[i] is not NULL:
            table_put(table, size - 1, s.table[i])
    free(s.table)
    s.table = table
    s.table_mask = size - 1
    return 0


cdef Page* page_add(BookSide* s, int64_t number) except NULL:
    if 2 * s.table_used > s.table_mask:
        table_grow(s)
    cdef Page* page = <Page*>calloc(1, sizeof(Page))
    if page is NULL:
        raise MemoryError
    page.number = number
    table_put(s.table, s.table_mask, page)
    s.table_used += 1
    return page


cdef inline int64_t filled_after(BookSide* s, int64_t number) noexcept nogil:
    # Index of the first non-empty page with a greater number.
    cdef int64_t low = 0, high = s.filled_count, middle
    while low < high:
        middle = (low + high) >> 1
        if s.filled[middle].number <= number:
            low = middle + 1
        else:
            high = middle
    return low


cdef int filled_insert(BookSide* s, Page* page) except -1:
    cdef int64_t at = filled_after(s, page.number)
    cdef PageRef* refs
    if s.filled_count == s.filled_room:
        refs = <PageRef*>realloc(s.filled, 2 * s.filled_room * sizeof(PageRef))
        if refs is NULL:
            raise MemoryError
        s.filled = refs
        s.filled_room *= 2
    memmove(&s.filled[at + 1], &s.filled[at], (s.filled_count - at) * sizeof(PageRef))
    s.filled[at].number = page.number
    s.filled[at].page = page
    s.filled_count += 1
    return 0


cdef void filled_remove(BookSide* s, int64_t number) noexcept nogil:
    cdef int64_t at = filled_after(s, number)
    memmove(&s.filled[at - 1], &s.filled[at], (s.filled_count - at) * sizeof(PageRef))
    s.filled_count -= 1


cdef inline int64_t page_first(Page* page, int64_t slot) noexcept nogil:
    # Key of the first level at `slot` or after it in this page, NO_KEY when there is none.
    cdef int64_t word = slot >> 6
    cdef uint64_t bits = page.bits[word] & (~<uint64_t>0 << (slot & 63))
    while bits == 0:
        word += 1
        if word == PAGE_WORDS:
            return NO_KEY
        bits = page.bits[word]
    return (page.number << PAGE_BITS) + (word << 6) + __builtin_ctzll(bits)


cdef inline int64_t key_after(BookSide* s, int64_t key) noexcept nogil:
    # The next worse level's key, NO_KEY when there is none.
    cdef int64_t number = key >> PAGE_BITS, slot = key & (PAGE_SLOTS - 1), found, at
    cdef Page* page = s.recent
    if page is NULL or page.number != number:
        page = page_find(s, number)
    if page is not NULL and slot < PAGE_SLOTS - 1:
        found = page_first(page, slot + 1)
        if found != NO_KEY:
            return found
    at = filled_after(s, number)
    return page_first(s.filled[at].page, 0) if at < s.filled_count else NO_KEY


cdef int side_open(BookSide* s, int64_t flip) except -1:
    s.flip = flip
    s.filled_room = 64
    s.filled = <PageRef*>malloc(s.filled_room * sizeof(PageRef))
    s.table = <Page**>calloc(FIRST_TABLE, sizeof(Page*))
    s.table_mask = FIRST_TABLE - 1
    if s.filled is NULL or s.table is NULL:
        raise MemoryError
    return 0


cdef void side_close(BookSide* s) noexcept nogil:
    cdef uint64_t i
    if s.table is not NULL:
        for i in range(s.table_mask + 1):
            free(s.table[i])
    free(s.table)
    free(s.filled)


cdef Book* book_new() except NULL:
    # An empty book, or MemoryError. Give it back with book_free.
    cdef Book* book = <Book*>calloc(1, sizeof(Book))
    if book is NULL:
        raise MemoryError
    book.best_bid = NO_BID
    book.best_ask = NO_ASK
    try:
        side_open(&book.bids, -1)
        side_open(&book.asks, 0)
    except MemoryError:
        book_free(book)
        raise
    return book


cdef void book_free(Book* book) noexcept:
    if book is not NULL:
        side_close(&book.bids)
        side_close(&book.asks)
        free(book)


cdef inline void book_move_best(Book* book, int side, int64_t ticks) noexcept nogil:
    if side > 0:
        book.best_bid = ticks
    else:
        book.best_ask = ticks


cdef inline int64_t book_best(Book* book, int side) noexcept nogil:
    return book.best_bid if side > 0 else book.best_ask


cdef inline int64_t book_next(Book* book, int side, int64_t ticks) noexcept nogil:
    # The next level strictly worse than `ticks` (which need not be a level), or NO_BID / NO_ASK.
    cdef BookSide* s = book_side(book, side)
    return key_after(s, ticks ^ s.flip) ^ s.flip


cdef inline int64_t book_lots(Book* book, int side, int64_t ticks) noexcept nogil:
    cdef BookSide* s = book_side(book, side)
    cdef int64_t key = ticks ^ s.flip
    cdef Page* page = s.recent
    if page is NULL or page.number != key >> PAGE_BITS:
        page = page_find(s, key >> PAGE_BITS)
        if page is NULL:
            return 0
    return page.lots[key & (PAGE_SLOTS - 1)]


cdef inline int64_t book_levels(Book* book, int side) noexcept nogil:
    return book_side(book, side).levels


cdef inline void book_improve(Book* book, int side, int64_t ticks) noexcept nogil:
    # A level better than the best has appeared.
    book_move_best(book, side, ticks)
    if book.uncross and book.best_bid >= book.best_ask:
        book_move_best(book, -side, book_next(book, -side, ticks))


cdef inline int page_drop(BookSide* s, Page* page, int64_t slot) noexcept nogil:
    page.lots[slot] = 0
    page.bits[slot >> 6] &= ~(<uint64_t>1 << (slot & 63))
    page.count -= 1
    s.levels -= 1
    if page.count == 0:
        filled_remove(s, page.number)
    return 0


cdef inline int book_set(Book* book, int side, int64_t ticks, int64_t lots) except -1:
    # The size at a price is now `lots`, 0 for none. `ticks` must not be the side's sentinel.
    cdef BookSide* s = book_side(book, side)
    cdef int64_t key = ticks ^ s.flip
    cdef int64_t number = key >> PAGE_BITS, slot = key & (PAGE_SLOTS - 1)
    cdef Page* page = s.recent
    if page is NULL or page.number != number:
        page = page_find(s, number)
        if page is NULL:
            if lots == 0:
                return 0
            page = page_add(s, number)
        s.recent = page
    if lots > 0:
        if page.lots[slot] == 0:
            if page.count == 0:
                filled_insert(s, page)
            page.bits[slot >> 6] |= <uint64_t>1 << (slot & 63)
            page.count += 1
            s.levels += 1
        page.lots[slot] = lots
        if key < (book_best(book, side) ^ s.flip):
            book_improve(book, side, ticks)
    elif page.lots[slot] != 0:
        page_drop(s, page, slot)
        if ticks == book_best(book, side):
            book_move_best(book, side, key_after(s, key) ^ s.flip)
    return 0


cdef void book_clear_to(Book* book, int side, int64_t ticks) noexcept:
    # Remove every level at `ticks` or better.
    cdef BookSide* s = book_side(book, side)
    cdef int64_t last = ticks ^ s.flip, key
    cdef Page* page
    while s.filled_count > 0:
        page = s.filled[0].page
        key = page_first(page, 0)
        if key > last:
            break
        page_drop(s, page, key & (PAGE_SLOTS - 1))
    if (book_best(book, side) ^ s.flip) <= last:
        book_move_best(book, side, key_after(s, last) ^ s.flip)


cdef void book_clear_side(Book* book, int side) noexcept:
    cdef BookSide* s = book_side(book, side)
    cdef int64_t i
    for i in range(s.filled_count):
        s.filled[i].page.count = 0
        memset(s.filled[i].page.bits, 0, sizeof(s.filled[i].page.bits))
        memset(s.filled[i].page.lots, 0, sizeof(s.filled[i].page.lots))
    s.filled_count = 0
    s.levels = 0
    book_move_best(book, side, NO_KEY ^ s.flip)


cdef void book_clear(Book* book) noexcept:
    book_clear_side(book, BID)
    book_clear_side(book, ASK)
