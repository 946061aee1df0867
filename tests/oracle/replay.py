"""The slow, obvious twin of mmbot.cext.replay: one event at a time, picked from one list."""

from bisect import bisect_right
from dataclasses import dataclass, field

from tests.oracle.matching import CLEAR, DEPTH, FILLED, SNAPSHOT, Book, Matching

REACHED, RESPONSE, NEED_ROWS, ENDED = range(4)
LOCAL_ROW, ANSWER, EXCHANGE_ROW, REQUEST = range(4)
Execution = tuple[int, int, bool, int, int, int]
Response = tuple[int, int, int, int, int, int, Execution | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One event; `at_exchange` and `at_local` say who sees it."""

    exch_ns: int
    local_ns: int
    kind: int
    side: int
    ticks: int
    lots: int
    at_exchange: bool
    at_local: bool


def delay(table: list[tuple[int, int]], now: int) -> int:
    """Interpolate a table of (time, delay)."""
    at = bisect_right([time for time, _ in table], now)
    if at in (0, len(table)):
        return table[min(at, len(table) - 1)][1]
    (t0, d0), (t1, d1) = table[at - 1], table[at]
    return d0 + int((d1 - d0) / (t1 - t0) * (now - t0))


def half_ticks(book: Book) -> int:
    """Best bid + best ask; an empty side is stood in for by the other, two are 0."""
    bid, ask = book.top[1], book.top[-1]
    bid = ask if bid is None else bid
    ask = bid if ask is None else ask
    return 0 if bid is None or ask is None else bid + ask


@dataclass(slots=True)
class Market:
    """Rows not yet seen by each side, and what each side knows."""

    exchange_rows: list[Row]
    local_rows: list[Row]
    matching: Matching
    local: Book = field(default_factory=Book)
    mids: list[tuple[int, int]] = field(default_factory=list)
    book_times: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Message:
    """A request or a response under way."""

    due_ns: int
    market: int
    content: tuple[int, ...]


class Replay:
    """Same answers as the kernel fed with everything at once."""

    def __init__(
        self,
        rows: list[list[Row]],
        rules: dict[str, object],
        *,
        entry: list[tuple[int, int]],
        response: list[tuple[int, int]],
        horizons: list[int],
    ) -> None:
        self.markets = [
            Market(
                [row for row in listed if row.at_exchange],
                [row for row in listed if row.at_local],
                Matching(**rules),  # type: ignore[arg-type]
            )
            for listed in rows
        ]
        self.entry, self.response, self.horizons = entry, response, horizons
        self.requests: list[Message] = []
        self.responses: list[Message] = []
        self.inbox: list[Response] = []
        self.fills: list[tuple[int, int]] = []
        self.now = 0

    def advance(self, until_ns: int) -> int:
        """Do the earliest thing until one stops us."""
        while True:
            due = [
                (queue[0].due_ns, kind, 0)
                for kind, queue in ((ANSWER, self.responses), (REQUEST, self.requests))
                if queue
            ]
            for number, market in enumerate(self.markets):
                due += [(row.local_ns, LOCAL_ROW, number) for row in market.local_rows[:1]]
                due += [(row.exch_ns, EXCHANGE_ROW, number) for row in market.exchange_rows[:1]]
            if not due:
                return ENDED
            now, kind, number = min(due)
            if now > until_ns:
                self.now = max(self.now, until_ns)
                return REACHED
            self.now = now
            if kind == ANSWER:
                self.answer()
                return RESPONSE
            self.happen(kind, number)

    def happen(self, kind: int, number: int) -> None:
        """Let one row pass or all requests of this instant arrive."""
        if kind == LOCAL_ROW:
            self.hear(self.markets[number])
        elif kind == EXCHANGE_ROW:
            market = self.markets[number]
            row = market.exchange_rows.pop(0)
            reports = market.matching.event(row.exch_ns, row.kind, row.side, row.ticks, row.lots)
            market.mids.append((row.exch_ns, half_ticks(market.matching.book)))
            self.send_back(number, reports)
        else:
            while self.requests and self.requests[0].due_ns == self.now:
                request = self.requests.pop(0)
                matching = self.markets[request.market].matching
                if len(request.content) == 1:
                    reports = matching.cancel(self.now, request.content[0])
                else:
                    reports = matching.submit(self.now, *request.content)
                self.send_back(request.market, reports)

    def hear(self, market: Market) -> None:
        """Apply a row to the local book."""
        row = market.local_rows.pop(0)
        market.book_times = (row.exch_ns, row.local_ns)
        if row.kind in (DEPTH, SNAPSHOT):
            market.local.set(row.side, row.ticks, row.lots)
        elif row.kind == CLEAR:
            market.local.clear_to(row.side, row.ticks)

    def send_back(self, number: int, reports: list[tuple]) -> None:  # type: ignore[type-arg]
        """Put the exchange's answers on their way."""
        mid = half_ticks(self.markets[number].matching.book)
        for kind, order_id, _, ticks, lots, leaves, maker, cause in reports:
            fill = -1
            if kind == FILLED:
                fill = len(self.fills)
                self.fills.append((number, self.now))
            content = (kind, order_id, ticks, lots, leaves, maker, cause, mid, fill, self.now)
            due = self.now + delay(self.response, self.now)
            self.post(self.responses, Message(due, number, content))

    def post(self, queue: list[Message], message: Message) -> None:
        """Nothing overtakes."""
        if queue:
            message.due_ns = max(message.due_ns, queue[-1].due_ns)
        queue.append(message)

    def answer(self) -> None:
        """Deliver all responses of this instant."""
        while self.responses and self.responses[0].due_ns == self.now:
            r = self.responses.pop(0)
            kind, order_id, ticks, lots, leaves, maker, cause, mid, fill, exch_ns = r.content
            head = (kind, r.market, order_id, exch_ns, r.due_ns, leaves)
            execution = (ticks, lots, bool(maker), cause, mid, fill) if kind == FILLED else None
            self.inbox.append((*head, execution))

    def submit(
        self, market: int, order_id: int, side: int, ticks: int, lots: int, mode: int
    ) -> None:
        """Send an order."""
        due = self.now + delay(self.entry, self.now)
        self.post(self.requests, Message(due, market, (order_id, side, ticks, lots, mode)))

    def cancel(self, market: int, order_id: int) -> None:
        """Send a cancel."""
        due = self.now + delay(self.entry, self.now)
        self.post(self.requests, Message(due, market, (order_id,)))

    def take_responses(self) -> list[Response]:
        """Hand over what was heard."""
        inbox, self.inbox = self.inbox, []
        return inbox

    def all_marks(self) -> list[tuple[int, int, int, bool]]:
        """Mids after every fill, looked up in the whole history once the run is over."""
        marks = []
        for number, (market, exch_ns) in enumerate(self.fills):
            for index, horizon in enumerate(self.horizons):
                due = exch_ns + horizon
                known = [mid for time, mid in self.markets[market].mids if time <= due]
                marks.append((number, index, known[-1] if known else 0, due <= self.now))
        return marks
