"""One market of the exchange: orders of many owners and anonymous displayed size, undo, changes."""

include "consts.pxi"
include "book.pxi"
include "orders.pxi"
include "owners.pxi"
include "changes.pxi"
include "crossing.pxi"
include "saving.pxi"

cimport cython

SELF_TRADE_ALLOW = SELF_ALLOW
SELF_TRADE_CANCEL_RESTING = SELF_CANCEL_RESTING
SELF_TRADE_CANCEL_TAKER = SELF_CANCEL_TAKER
LARGEST_LOTS = LARGEST

_MOST_TICKLOTS = 1 << 126


cdef wide_t wide(object value):
    value = min(value, _MOST_TICKLOTS)
    return (<wide_t><uint64_t>(value >> 64) << 64) | <wide_t><uint64_t>(value & (2**64 - 1))


@cython.final
cdef class Clob:
    """A limit order book with owners; prices in ticks, sizes in lots. Owner 0 is the house.

    queue, numbers: how displayed size that shrinks moves the orders behind it: risk () or power
    (n,). Placing, cancelling and a row cost O(log orders) and what they trade. After every call
    the best bid is below the best ask.
    """

    cdef:
        Floor f
        bint begun
        int64_t prints_before, now_before

    def __cinit__(self, *, str queue="risk", tuple numbers=()):
        memset(&self.f, 0, sizeof(Floor))
        rules_set(&self.f.rules, queue, numbers)
        if self.f.rules.queue == QUEUE_PROBABILISTIC:
            raise ValueError("queue: a market with owners has no probabilistic fills")
        floor_open(&self.f)

    def __dealloc__(self):
        floor_close(&self.f)

    cdef list _fills(self):
        cdef int64_t i
        cdef Fill* p
        cdef list fills = []
        for i in range(self.f.fill_count):
            p = &self.f.fills[i]
            fills.append((p.maker_id, p.maker_owner, p.ticks, p.lots, p.left))
        return fills

    def rows(self, bytes rows not None):
        """Apply packed rows "<qqqqII" of the background market and return its executions.

        DEPTH and SNAPSHOT rows are absolute displayed sizes, CLEAR rows remove displayed size, TAKE
        rows are takers of the house, TRADE rows trades printed elsewhere, which resting orders get
        before they are printed. Each execution is (aggressor, taker's owner, taker's order id,
        fill). Raises ValueError, before anything is applied, for rows no market shows.
        """
        cdef int64_t i, count = len(rows) // <int64_t>sizeof(Row)
        cdef const Row* row = <const Row*><const char*>rows
        cdef Fill* p
        if count * <int64_t>sizeof(Row) != len(rows):
            raise ValueError("rows are 40 bytes each")
        for i in range(count):
            row_check(&row[i])
        self.f.fill_count = 0
        for i in range(count):
            row_apply(&self.f, &row[i])
        executions = self._fills()
        for i in range(self.f.fill_count):
            p = &self.f.fills[i]
            executions[i] = (p.aggressor, p.taker_owner, p.taker_id, executions[i])
        return executions

    cdef tuple _place(self, Taker* t, int64_t ticks, int mode):
        cdef bint rests = mode == MODE_LIMIT or mode == MODE_POST_ONLY
        if t.side not in (BID, ASK) or not MODE_LIMIT <= mode <= MODE_FOK:
            raise ValueError("a side is 1 or -1, a mode 0 to 3")
        if t.id < 1 or t.owner < 0 or not 0 <= ticks < NO_ASK or t.lots < 1:
            raise ValueError("an order needs an id, an owner, a price and a size")
        if rests and (ticks == 0 or affordable(t, ticks) > LARGEST):
            raise ValueError("what may rest needs a price and at most 2^50 lots")
        if index_find(&self.f.index, t.id) is not NULL:
            raise ValueError(f"order {t.id} already rests")
        t.key = ticks ^ book_side(self.f.total, -t.side).flip if ticks > 0 else NO_KEY
        resting = place(&self.f, t, ticks, mode)
        return self._fills(), resting

    def place(
        self, int64_t order_id, int64_t owner, int side, int64_t ticks, int64_t lots, int mode
    ):
        """Let an order arrive; return its fills, best first, and the lots of it that rest.

        ticks 0: no price limit (only IOC and FOK). A fill is (maker's order id, 0 for displayed
        size; maker's owner; the maker's price; lots; lots the maker has left, for displayed size
        what is left displayed there). A POST_ONLY order that would trade gives ([], -1), a FOK
        order that cannot be had whole ([], 0). Raises ValueError for an id that rests already and
        for what cannot be an order.
        """
        cdef Taker t
        memset(&t, 0, sizeof(Taker))
        t.id = order_id
        t.owner = owner
        t.side = side
        t.lots = lots
        return self._place(&t, ticks, mode)

    def place_quoted(
        self, int64_t order_id, int64_t owner, int side, int64_t ticks, size not None, int mode
    ):
        """Like place, with a limit on the sum of ticks x lots: of any size, or (lots, ticklots).

        What rests is bounded by what is left of it at the limit price. A FOK order is whole when
        its lots are, or when the rest of its money buys no lot at the next acceptable price (the
        last traded one if there is none).
        """
        cdef Taker t
        lots, ticklots = size if isinstance(size, tuple) else (INT64_MAX, size)
        if ticklots < 1:
            raise ValueError("a quoted order needs money")
        memset(&t, 0, sizeof(Taker))
        t.id = order_id
        t.owner = owner
        t.side = side
        t.lots = lots
        t.quoted = True
        t.ticklots = wide(ticklots)
        return self._place(&t, ticks, mode)

    def would_take(self, int side, int64_t ticks):
        """Whether an order of this side and price (0: any) would meet something to trade with."""
        if ticks == 0:
            return book_side(self.f.total, -side).levels > 0
        return crosses(&self.f, side, ticks)

    def cancel(self, int64_t order_id):
        """Take an order out; return the lots it had left, -1 when it does not rest."""
        cdef Owned* o = index_find(&self.f.index, order_id)
        if o is NULL:
            return -1
        cdef int64_t lots = o.order.lots
        owned_drop(&self.f, o)
        return lots

    def shrink(self, int64_t order_id, int64_t lots):
        """Leave `lots` of an order, in its place; False when no more than that rests of it."""
        cdef Owned* o = index_find(&self.f.index, order_id)
        if lots < 1:
            raise ValueError("an order keeps at least one lot; cancel it")
        if o is NULL or o.order.lots <= lots:
            return False
        owned_size(&self.f, o, lots)
        return True

    def order(self, int64_t order_id):
        """(owner, side, ticks, lots, displayed lots in front) of a resting order, or None."""
        cdef Owned* o = index_find(&self.f.index, order_id)
        if o is NULL:
            return None
        return (o.owner, o.side, o.order.ticks, o.order.lots, o.order.front)

    def orders(self, int side):
        """Ids of a side's resting orders, best price first, earlier first."""
        cdef Line* line = line_of(&self.f, side)
        return [line.orders[at].order.id for at in range(line.count - 1, -1, -1)]

    def begin(self):
        """Remember everything from here on for rollback; RuntimeError when that is on already."""
        if self.begun:
            raise RuntimeError("an undo is already open")
        self.begun = self.f.undoable = True
        self.prints_before = self.f.print_count
        self.now_before = self.f.now_ns

    cdef int _end(self) except -1:
        if not self.begun:
            raise RuntimeError("no undo is open")
        self.begun = self.f.undoable = False
        return 0

    def commit(self):
        """Keep what was done since begin."""
        self._end()
        undo_forget(&self.f, 0)

    def rollback(self):
        """Make everything as it was at begin."""
        self._end()
        undo_to(&self.f, 0)
        self.f.print_count = self.prints_before
        self.f.now_ns = self.now_before

    def take_changes(self):
        """Bids and asks, best first, whose total size is not what it was at the last call.

        Each is (ticks, lots), 0 lots for a level that went. RuntimeError while an undo is open.
        """
        cdef list bids = [], asks = []
        cdef int64_t at
        cdef Touch* t
        if self.begun:
            raise RuntimeError("changes that may be undone cannot be published")
        touched_settle(&self.f)
        for at in range(self.f.touched_count):
            t = &self.f.touched[at]
            level = (t.ticks, book_lots(self.f.total, t.side, t.ticks))
            (bids if t.side > 0 else asks).append(level)
        self.f.touched_count = 0
        return bids, asks

    def take_prints(self):
        """Return and forget all executions while `keep_prints` was on, whoever took.

        Each is (ns of the last row before it, aggressor, ticks, lots), as the flow kernel wants.
        RuntimeError while an undo is open.
        """
        cdef list prints = []
        cdef int64_t at
        cdef Print* p
        if self.begun:
            raise RuntimeError("executions that may be undone cannot be published")
        for at in range(self.f.print_count):
            p = &self.f.prints[at]
            prints.append((p.exch_ns, p.aggressor, p.ticks, p.lots))
        self.f.print_count = 0
        return prints

    def levels(self, int side, int64_t count):
        """The best `count` levels of a side with their total lots."""
        cdef list found = []
        cdef int64_t ticks = book_best(self.f.total, side)
        cdef int64_t left = min(count, book_side(self.f.total, side).levels)
        while left > 0:
            found.append((ticks, book_lots(self.f.total, side, ticks)))
            ticks = book_next(self.f.total, side, ticks)
            left -= 1
        return found

    def lots_at(self, int side, int64_t ticks):
        """Total lots and displayed lots at a price."""
        return (book_lots(self.f.total, side, ticks), book_lots(self.f.shown, side, ticks))

    def side_sum(self, int side):
        """Total lots of a side and the number of its levels."""
        lots = self.f.bid_lots if side > 0 else self.f.ask_lots
        return (lots, book_side(self.f.total, side).levels)

    def best(self):
        """Best bid and best ask, None for an empty side."""
        cdef int64_t bid = self.f.total.best_bid, ask = self.f.total.best_ask
        return (None if bid == NO_BID else bid, None if ask == NO_ASK else ask)

    def dump(self):
        """Everything as bytes, the same for the same state; RuntimeError while an undo is open."""
        if self.begun:
            raise RuntimeError("a market with an open undo cannot be saved")
        return floor_dump(&self.f)

    def load(self, bytes saved not None):
        """Become what dump saved (queue model and prints aside); ValueError when it is not that."""
        if self.begun:
            raise RuntimeError("a market with an open undo cannot be loaded")
        cdef Floor fresh
        memset(&fresh, 0, sizeof(Floor))
        try:
            floor_open(&fresh)
            fresh.rules = self.f.rules
            fresh.keep_prints = self.f.keep_prints
            floor_load(&fresh, saved)
        except BaseException:
            floor_close(&fresh)
            raise
        floor_close(&self.f)
        self.f = fresh

    @property
    def self_trade(self):
        """What happens when an owner's order meets another of his: SELF_TRADE_*."""
        return self.f.self_trade

    @self_trade.setter
    def self_trade(self, int rule):
        if not SELF_ALLOW <= rule <= SELF_CANCEL_TAKER:
            raise ValueError("self trade: allow 0, cancel resting 1 or cancel taker 2")
        self.f.self_trade = rule

    @property
    def self_trade_cancels(self):
        """(order id, lots) of the resting orders the last placed order cancelled by that rule."""
        return [(self.f.dropped[at].id, self.f.dropped[at].lots)
                for at in range(self.f.dropped_count)]

    @property
    def keep_prints(self):
        """Whether executions are kept for take_prints; somebody must then take them."""
        return bool(self.f.keep_prints)

    @keep_prints.setter
    def keep_prints(self, bint keep):
        self.f.keep_prints = keep
        self.f.print_count = 0
