from typing import Self, final

from mmbot.cext.orderbook import OrderBook

REACHED: int
RESPONSE: int
NEED_ROWS: int
ENDED: int

ACCEPTED: int
FILLED: int
CANCELLED: int
EXPIRED: int
CANCEL_REFUSED: int
REJECTED: int

REDUCE_ONLY: int

QUEUE: int
TRADE_THROUGH: int
BOOK_CROSS: int
TAKER: int
ARRIVAL: int

# ticks, lots, maker, cause, exch_mid_half_ticks, fill_no
_Execution = tuple[int, int, bool, int, int, int]
# kind, market, order_id, exch_ns, local_ns, leaves, what only a fill has
_Response = tuple[int, int, int, int, int, int, _Execution | None]

@final
class Replay:
    def __new__(
        cls,
        books: list[OrderBook],
        *,
        queue: str = ...,
        numbers: tuple[float, ...] = ...,
        partial: bool = ...,
        prints: bool = ...,
        horizons: tuple[int, ...] = ...,
    ) -> Self: ...
    def set_latency(
        self,
        entry: list[tuple[int, int]],
        response: list[tuple[int, int]],
        seed: int | None = ...,
    ) -> None: ...
    def feed(self, market: int, rows: bytes, last: bool) -> None: ...
    def advance(self, until_ns: int) -> int: ...
    def submit(
        self, market: int, order_id: int, side: int, ticks: int, lots: int, mode: int
    ) -> None: ...
    def cancel(self, market: int, order_id: int) -> None: ...
    def take_responses(self) -> list[_Response]: ...
    def take_marks(self) -> list[tuple[int, int, int, bool]]: ...
    def take_prints(self, market: int) -> list[tuple[int, int, int, int]]: ...
    def traded(self, market: int) -> tuple[int, float]: ...
    def best(self, market: int) -> tuple[int | None, int | None]: ...
    def take_changed_books(
        self,
    ) -> list[tuple[int, int, int, int, tuple[int, int, int, int] | None]]: ...
    @property
    def now_ns(self) -> int: ...
    @property
    def start_ns(self) -> int: ...
    @property
    def needed_market(self) -> int: ...
