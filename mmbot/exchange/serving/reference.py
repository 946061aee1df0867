"""The reference price: what the coins trade at elsewhere, told like Binance futures tells it.

`/reference/ws/btcusdt@bookTicker` and `/reference/stream?streams=a/b`, as the real stream's URLs.
The market BTCUSD is BTCUSDT there. Figures are sent when they change and every 500 ms.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from mmbot.exchange.exchange import Exchange
from mmbot.exchange.faults.entries import Where
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.running.framing import frame
from mmbot.exchange.running.operation import Background
from mmbot.exchange.running.pacing import MILLISECOND_NS, Pace
from mmbot.exchange.running.sockets import Hub, Subscriber

REPEAT_NS = 500 * MILLISECOND_NS
MAX_STREAMS = 64
_SIZE = "10.000"
_ENDING = "@bookTicker"


class Ticker(Struct, rename={"event": "e", "id": "u", "event_ms": "E", "trade_ms": "T"}):
    """One best quote, the field names those of the stream."""

    id: int
    event_ms: int
    trade_ms: int
    symbol: str = field(name="s")
    bid: str = field(name="b")
    bid_size: str = field(name="B")
    ask: str = field(name="a")
    ask_size: str = field(name="A")
    event: str = "bookTicker"


def binance_symbol(symbol: str) -> str:
    """Return what a market of ours is called there."""
    return (symbol if symbol.endswith("USDT") else f"{symbol.removesuffix('USD')}USDT").upper()


class Reference:
    """Publishes the outside price of every market."""

    def __init__(
        self,
        exchange: Exchange,
        background: Background | None,
        hub: Hub,
        faults: Faults,
        pace: Pace,
    ) -> None:
        self._exchange = exchange
        self._background = background
        self._hub = hub
        self._faults = faults
        self._pace = pace
        self.symbols: Mapping[str, int] = {
            binance_symbol(market.symbol).lower() + _ENDING.lower(): place
            for place, market in enumerate(exchange.params.markets)
        }
        self._topics = [
            (name, market, _topic(name, True), _topic(name, False))
            for name, market in self.symbols.items()
        ]
        self._told: dict[int, tuple[float, int]] = {}
        self._updates = 0

    def streams(self, path: str, query: Mapping[str, str]) -> tuple[str, ...] | None:
        """Return the streams a path asks for, None when it is no path of ours or names others."""
        if path.startswith("/reference/ws/"):
            names, single = path.removeprefix("/reference/ws/"), True
        elif path == "/reference/stream":
            names, single = query.get("streams", ""), False
        else:
            return None
        asked = [name.lower() for name in names.split("/")]
        if len(asked) > MAX_STREAMS or any(name not in self.symbols for name in asked):
            return None
        return tuple(_topic(name, single) for name in asked)

    def welcome(self, subscriber: Subscriber) -> None:
        """Tell whoever has just come what stands."""
        for name, market in self.symbols.items():
            price = self._price(market)
            payload = None if price is None else self._payload(market, price)
            if payload is not None:
                for topic, message in _messages(name, payload):
                    if topic in subscriber.streams:
                        subscriber.send(frame(message))

    def publish(self) -> None:
        """Tell what has changed, and what was not told for a while."""
        now_ns, hub = self._pace.now_ns, self._hub
        for name, market, alone, combined in self._topics:
            if alone in hub or combined in hub:
                price = self._price(market)
                told, at_ns = self._told.get(market, (None, 0))
                if price is not None and (price != told or now_ns - at_ns >= REPEAT_NS):
                    self._told[market] = (price, now_ns)
                    self._tell(name, market, price)

    def _price(self, market: int) -> float | None:
        ticks = None if self._background is None else self._background.outside(market)
        return self._exchange.state.markets[market].index_ticks if ticks is None else ticks

    def _tell(self, name: str, market: int, ticks: float) -> None:
        payload = self._payload(market, ticks)
        if payload is None:
            return
        lag = self._faults.holds("ref.lag", _where(market))
        if lag is None:
            self._send(name, payload)
        else:
            delay_ns = lag["ms"] * MILLISECOND_NS
            self._pace.later(delay_ns, lambda: self._send(name, payload))

    def _payload(self, market: int, ticks: float) -> bytes | None:
        """Return the message of a price, None while the reference says nothing."""
        at = _where(market)
        if self._faults.holds("ref.silence", at) is not None:
            return None
        return self._ticker(market, self._troubled(ticks, at), at)

    def _troubled(self, ticks: float, at: Where) -> float:
        spike = self._faults.fire("ref.spike", at)
        scale = self._faults.holds("ref.scale", at)
        jump = self._faults.holds("ref.jump", at)
        ticks *= 1.0 if spike is None else spike["factor"]
        ticks *= 1.0 if scale is None else scale["factor"]
        return ticks if jump is None else ticks * (1 + jump["bps"] / 10_000)

    def _ticker(self, market: int, ticks: float, at: Where) -> bytes:
        settings = self._exchange.params.markets[market]
        below = int(ticks)
        bid, ask = (
            f"{each / 10**settings.price_decimals:.{settings.price_decimals}f}"
            for each in (below, below + 1)
        )
        if self._faults.fire("ref.nan", at) is not None:
            bid = ask = "NaN"
        self._updates += 1
        now_ms = self._pace.now_ns // MILLISECOND_NS
        symbol = binance_symbol(settings.symbol)
        ticker = Ticker(self._updates, now_ms, now_ms, symbol, bid, _SIZE, ask, _SIZE)
        return msgspec.json.encode(ticker)

    def _send(self, name: str, payload: bytes) -> None:
        for topic, message in _messages(name, payload):
            self._hub.publish(topic, frame(message))


def _messages(name: str, payload: bytes) -> list[tuple[str, bytes]]:
    """Return the forms of a message, each with its topic."""
    stream = name.removesuffix(_ENDING.lower()) + _ENDING
    combined = b'{"stream":"%s","data":%s}' % (stream.encode(), payload)
    return [(_topic(name, True), payload), (_topic(name, False), combined)]


def _where(market: int) -> Where:
    return Where(frozenset(("reference",)), market)


def _topic(name: str, single: bool) -> str:
    return f"reference{'' if single else '+'}:{name}"
