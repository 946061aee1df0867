from mmbot.cext.orderbook import OrderBook

REACHED: int
RESPONSE: int
NEED_ROWS: int
ENDED: int

class Replay:
    """Exchange and local clock, latencies and queue positions of one run over all markets."""

    def __init__(
        self,
        books: list[OrderBook],
        *,
        queue: str = "risk",
        power: float = 0.0,
        partial: bool = True,
    ) -> None: ...
    def set_latency(
        self, entry: list[tuple[int, int]], response: list[tuple[int, int]]
    ) -> None: ...
    def feed(self, market: int, rows: bytes, last: bool) -> None: ...
    def advance(self, until_ns: int) -> int: ...
    def submit(
        self, market: int, order_id: int, side: int, ticks: int, lots: int, mode: int
    ) -> None: ...
    def cancel(self, market: int, order_id: int) -> None: ...
    def take_responses(self) -> list[tuple[int, ...]]: ...
    def take_marks(self) -> list[tuple[int, int, int]]: ...
    @property
    def now_ns(self) -> int: ...
