from typing import Self, final

ACCEPTED: int
FILLED: int
CANCELLED: int
EXPIRED: int
CANCEL_REFUSED: int
REJECTED: int

QUEUE: int
TRADE_THROUGH: int
BOOK_CROSS: int
TAKER: int
ARRIVAL: int

DEPTH: int
TRADE: int
CLEAR: int
SNAPSHOT: int
TAKE: int

# kind, order_id, side, ticks, lots, leaves, maker, cause
_Report = tuple[int, int, int, int, int, int, bool, int]

@final
class Matching:
    def __new__(
        cls, *, queue: str = ..., numbers: tuple[float, ...] = ..., partial: bool = ...
    ) -> Self: ...
    def event(self, now_ns: int, kind: int, side: int, ticks: int, lots: int) -> list[_Report]: ...
    def submit(
        self, now_ns: int, order_id: int, side: int, ticks: int, lots: int, mode: int
    ) -> list[_Report]: ...
    def cancel(self, now_ns: int, order_id: int) -> list[_Report]: ...
    def take_prints(self) -> list[tuple[int, int, int, int]]: ...
    def front(self, order_id: int) -> float: ...
    def lots_at(self, side: int, ticks: int) -> int: ...
    def best(self) -> tuple[int | None, int | None]: ...
