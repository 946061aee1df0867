# A strict scanner of JSON text that ends in NUL, so every loop stops at a byte it does not accept.
# Nothing here raises except for want of memory: a fault is left in the cursor, with its place.
# The kernel defines `skip_space(p)`, which says what may stand between tokens, before it.
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcmp, memcpy, memmove, memset, strlen

cdef enum:
    MAX_DIGITS = 18
    MAX_NESTING = 16

cdef int64_t[19] POW10
POW10[0] = 1
cdef int _power
for _power in range(1, 19):
    POW10[_power] = POW10[_power - 1] * 10

cdef struct Level:
    int64_t ticks
    int64_t lots

cdef struct Levels:
    Level* items
    Py_ssize_t count
    Py_ssize_t capacity

cdef struct Cursor:
    const char* at
    const char* why

cdef inline bint fail(Cursor* c, const char* at, const char* why) noexcept nogil:
    c.at = at
    c.why = why
    return False


cdef inline bint expect(Cursor* c, char mark, const char* why) noexcept nogil:
    cdef const char* p = skip_space(c.at)
    if p[0] != mark:
        return fail(c, p, why)
    c.at = skip_space(p + 1)
    return True


# At a backslash; leaves the cursor behind the escape.
cdef bint skip_escape(Cursor* c) noexcept nogil:
    cdef const char* p = c.at + 1
    cdef int i
    if p[0] == c'u':
        for i in range(1, 5):
            if not (c'0' <= p[i] <= c'9' or c'a' <= p[i] <= c'f' or c'A' <= p[i] <= c'F'):
                return fail(c, p + i, b"expected four hexadecimal digits")
        c.at = p + 5
        return True
    if p[0] not in (c'"', c'\\', c'/', c'b', c'f', c'n', c'r', c't'):
        return fail(c, p, b"expected an escape of JSON")
    c.at = p + 1
    return True


# At the opening quote; leaves the cursor behind the closing one.
cdef inline bint skip_string(Cursor* c) noexcept nogil:
    cdef const char* p = c.at + 1
    while p[0] != c'"':
        if <unsigned char>p[0] < 32:
            return fail(c, p, b"expected the end of a string")
        if p[0] == c'\\':
            c.at = p
            if not skip_escape(c):
                return False
            p = c.at
        else:
            p += 1
    c.at = p + 1
    return True


cdef inline const char* skip_digits(const char* p) noexcept nogil:
    while c'0' <= p[0] <= c'9':
        p += 1
    return p


cdef bint skip_number(Cursor* c) noexcept nogil:
    cdef const char* whole = c.at + 1 if c.at[0] == c'-' else c.at
    cdef const char* p = skip_digits(whole)
    cdef const char* part
    if p == whole or (whole[0] == c'0' and p > whole + 1):
        return fail(c, whole, b"expected a value")
    if p[0] == c'.':
        part = p + 1
        p = skip_digits(part)
        if p == part:
            return fail(c, p, b"expected a digit")
    if p[0] == c'e' or p[0] == c'E':
        part = p + 2 if p[1] == c'+' or p[1] == c'-' else p + 1
        p = skip_digits(part)
        if p == part:
            return fail(c, p, b"expected a digit")
    c.at = p
    return True


cdef bint skip_word(Cursor* c, const char* word) noexcept nogil:
    cdef size_t length = strlen(word)
    cdef size_t i
    for i in range(length):
        if c.at[i] != word[i]:
            return fail(c, c.at, b"expected a value")
    c.at += length
    return True


cdef bint skip_value(Cursor* c, int nesting) noexcept nogil:
    cdef char first = c.at[0]
    if first == c'"':
        return skip_string(c)
    if first == c'{' or first == c'[':
        return skip_nested(c, nesting)
    if first == c't':
        return skip_word(c, b"true")
    if first == c'f':
        return skip_word(c, b"false")
    if first == c'n':
        return skip_word(c, b"null")
    return skip_number(c)


cdef bint skip_nested(Cursor* c, int nesting) noexcept nogil:
    cdef bint members = c.at[0] == c'{'
    cdef char close = c'}' if members else c']'
    if nesting == MAX_NESTING:
        return fail(c, c.at, b"expected less nesting")
    c.at = skip_space(c.at + 1)
    if c.at[0] == close:
        c.at += 1
        return True
    while True:
        if members:
            if c.at[0] != c'"':
                return fail(c, c.at, b"expected a key")
            if not skip_string(c) or not expect(c, c':', b"expected a colon"):
                return False
        if not skip_value(c, nesting + 1):
            return False
        c.at = skip_space(c.at)
        if c.at[0] == close:
            c.at += 1
            return True
        if not expect(c, c',', b"expected a comma or the end of a list"):
            return False


cdef int grow_levels(Levels* levels) except -1:
    cdef Py_ssize_t capacity = levels.capacity * 2 + 256
    cdef Level* items = <Level*>realloc(levels.items, capacity * sizeof(Level))
    if items == NULL:
        raise MemoryError("price levels of one message")
    levels.items = items
    levels.capacity = capacity
    return 0


cdef raise_fault(Cursor* c, const char* start, Py_ssize_t length):
    """Say what was expected and what stands there instead."""
    cdef Py_ssize_t place = c.at - start
    cdef bytes found = start[place : min(place + 12, length)]
    shown = ascii(found.decode("latin-1")) if found else "the end"
    raise ValueError(f"character {place + 1}: {c.why.decode()}, found {shown}")
