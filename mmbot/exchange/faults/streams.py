"""Messages on their way to the subscribers, and everything that may befall them there.

Knobs of the groups md., acct., ws. and net. that touch a message are functions in two tables:
some change what a message says, some change when and how often it comes.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from mmbot.domain.order import Side
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.faults.entries import Values, Where
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.running.framing import fragmented, frame
from mmbot.exchange.running.pacing import MILLISECOND_NS, Pace
from mmbot.exchange.running.sockets import Hub

ACCOUNT = "account@"
TOUCHING = ("md.", "acct.", "ws.big_frame", "ws.fragment", "net.")
REMEMBERED, REMEMBERED_ACCOUNTS = 32, 1024
CORPUS = (
    *(b"", b"{", b"null", b"[]", b'"delta"', b"NaN", b"\xff\xfe\x00", b'{"delta":null}'),
    *(b'{"delta":[]}', b'{"delta":{}}', b'{"delta":{"update_id":-1}}', b"[" * 100_000),
    b'{"delta":{"update_id":1e400,"market_symbol":"BTCUSD","asks":[],"bids":[]}}',
    b'{"delta":{"update_id":1,"update_id":2,"market_symbol":"BTCUSD","asks":[],"bids":[]}}',
    b'{"delta":{"update_id":123456789012345678901234567890,"asks":[],"bids":[]}}',
    b'{"delta":{"last_update_id":0,"update_id":1,"market_symbol":7,"asks":{},"bids":"x"}}',
)
Json = dict[str, Any]


class Outgoing:
    """What the exchange publishes passes here, one message at a time."""

    def __init__(self, exchange: Exchange, hub: Hub, faults: Faults, pace: Pace) -> None:
        self._hub = hub
        self._faults = faults
        self._pace = pace
        self._lies = Lies(exchange)
        self._held: dict[str, deque[bytes]] = {}
        self._recent: OrderedDict[str, deque[bytes]] = OrderedDict()

    def send(self, stream: str, payload: bytes, market: int | None) -> None:
        """Publish a message of a stream."""
        if stream.startswith(ACCOUNT) and self._faults.armed("acct.replay"):
            self._remember(stream, payload)
        if stream not in self._hub:
            return
        if self._faults.armed(*TOUCHING):
            self._troubled(stream, payload, where(stream, market))
        else:
            self._hub.publish(stream, frame(payload))

    def recent(self, stream: str, count: int) -> list[bytes]:
        """Return the last messages of an account's stream."""
        return list(self._recent.get(stream, ()))[-count:]

    def _remember(self, stream: str, payload: bytes) -> None:
        kept = self._recent.get(stream)
        if kept is None:
            kept = self._recent[stream] = deque(maxlen=REMEMBERED)
            if len(self._recent) > REMEMBERED_ACCOUNTS:
                self._recent.popitem(last=False)
        self._recent.move_to_end(stream)
        kept.append(payload)

    def _troubled(self, stream: str, payload: bytes, at: Where) -> None:
        fire = self._faults.fire
        group = "acct" if stream.startswith(ACCOUNT) else "md"
        if group == "md" and fire("md.drop", at) is not None:
            return
        if self._faults.holds("md.silence", at) is not None or fire("net.loss", at) is not None:
            self._lose(stream, self._faults.holds("md.silence", at) is None)
            return
        lies = self._lies.of_account if group == "acct" else self._lies.of_market
        for knob, lie in lies.items():
            values = fire(knob, at)
            if values is not None:
                payload = lie(payload, values, at)
        for each in self._in_time(stream, payload, group, at):
            self._after(stream, each, group, at)

    def _lose(self, stream: str, connection: bool) -> None:
        if connection:
            for subscriber in self._hub:
                if stream in subscriber.streams:
                    subscriber.abort()

    def _in_time(self, stream: str, payload: bytes, group: str, at: Where) -> list[bytes]:
        """Return what is to be sent now: the message, those held before it, copies, nothing."""
        fire = self._faults.fire
        held = self._held.setdefault(stream, deque())
        behind = self._faults.holds("md.snapshot_ahead", at) if group == "md" else None
        if behind is not None:
            held.append(payload)
            return [held.popleft()] if len(held) > behind["n"] else []
        if group == "acct" and fire("acct.coalesce", at) is not None:
            held.append(payload)
            return []
        if fire(f"{group}.reorder", at) is not None:
            held.append(payload)
            return []
        earlier = list(held)
        held.clear()
        if group == "acct" and earlier and self._faults.armed("acct.coalesce"):
            now = [coalesced([*earlier, payload])]
        else:
            now = [payload, *earlier]
        again = fire(f"{group}.dup", at)
        burst = fire("md.burst", at) if group == "md" else None
        copies = (again["n"] if again is not None else 0) + (burst["rate"] if burst else 0)
        return now + [payload] * copies

    def _after(self, stream: str, payload: bytes, group: str, at: Where) -> None:
        """Send a message after the delays it meets."""
        late = self._faults.fire(f"{group}.delay", at)
        delay_ms = 0.0 if late is None else float(late["ms"])
        delay_ms += trip_ms(self._faults, at) / 2
        data = self._framed(payload, at)
        if delay_ms:
            self._pace.later(
                round(delay_ms * MILLISECOND_NS), lambda: self._hub.publish(stream, data)
            )
        else:
            self._hub.publish(stream, data)

    def _framed(self, payload: bytes, at: Where) -> bytes:
        big = self._faults.fire("ws.big_frame", at)
        parts = self._faults.fire("ws.fragment", at)
        data = frame(payload) if parts is None else fragmented(payload, parts["n"])
        return data if big is None else frame(b" " * big["bytes"]) + data


def where(stream: str, market: int | None) -> Where:
    """Return what a stream is about; its kind is the word before the @."""
    kind, _, rest = stream.partition("@")
    account = int(rest) if kind == "account" else None
    return Where(frozenset((kind, "ws")), market, account, None, "out")


def trip_ms(faults: Faults, at: Where) -> float:
    """Return how long a message and its answer are on their way because of faults."""
    rtt, jitter = faults.fire("net.rtt", at), faults.fire("net.jitter", at)
    fixed = 0.0 if rtt is None else float(rtt["ms"])
    return fixed if jitter is None else fixed + jitter["ms"] * faults.draw("net.jitter")


class Lies:
    """Messages that say something else than what happened."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.of_account: Mapping[str, Callable[[bytes, Values, Where], bytes]] = {
            "acct.drop_fill": _without_fills
        }
        self.of_market: Mapping[str, Callable[[bytes, Values, Where], bytes]] = {
            "md.cross": lambda payload, _, at: self._bid_near_ask(payload, at, 1),
            "md.lock": lambda payload, _, at: self._bid_near_ask(payload, at, 0),
            "md.empty_side": self._empty_side,
            "md.sweep": self._sweep,
            "md.spoof": _spoof,
            "md.interleave": self._interleave,
            "md.bad_value": _bad_value,
            "md.malformed": lambda _, values, __: CORPUS[values["id"] % len(CORPUS)],
        }

    def _price(self, market: int, ticks: int) -> float:
        return float(ticks / 10 ** self._exchange.params.markets[market].price_decimals)

    def _bid_near_ask(self, payload: bytes, at: Where, ticks: int) -> bytes:
        document, market = _delta(payload), at.market
        if document is None or market is None:
            return payload
        ask = self._exchange.clobs[market].best()[1]
        if ask is not None:
            document["delta"]["bids"].append([self._price(market, ask + ticks), 1.0])
        return msgspec.json.encode(document)

    def _empty_side(self, payload: bytes, values: Values, at: Where) -> bytes:
        return self._gone(payload, at, {values["side"]: 1_000_000})

    def _sweep(self, payload: bytes, values: Values, at: Where) -> bytes:
        levels = int(values["levels"])
        return self._gone(payload, at, {"bids": levels, "asks": levels})

    def _gone(self, payload: bytes, at: Where, counts: Mapping[str, int]) -> bytes:
        document, market = _delta(payload), at.market
        if document is None or market is None:
            return payload
        for name, count in counts.items():
            side = Side.BID if name == "bids" else Side.ASK
            levels = self._exchange.clobs[market].levels(side, count)
            document["delta"][name] = [[self._price(market, ticks), 0.0] for ticks, _ in levels]
        return msgspec.json.encode(document)

    def _interleave(self, payload: bytes, _values: Values, at: Where) -> bytes:
        document, market = msgspec.json.decode(payload), at.market
        markets = self._exchange.params.markets
        if market is not None:
            for content in document.values():
                if isinstance(content, dict) and "market_symbol" in content:
                    content["market_symbol"] = markets[(market + 1) % len(markets)].symbol
        return msgspec.json.encode(document)


def _delta(payload: bytes) -> Json | None:
    document: Json = msgspec.json.decode(payload)
    return document if "delta" in document else None


def _spoof(payload: bytes, values: Values, _at: Where) -> bytes:
    document = _delta(payload)
    if document is None:
        return payload
    for side in ("bids", "asks"):
        document["delta"][side] = [
            [price * values["factor"], size] for price, size in document["delta"][side]
        ]
    return msgspec.json.encode(document)


def _bad_value(payload: bytes, values: Values, _at: Where) -> bytes:
    """Put the value, as it stands, for the price of the first level."""
    document = _delta(payload)
    if document is None:
        return payload
    side = "bids" if document["delta"]["bids"] else "asks"
    document["delta"][side] = [["\0", 1.0], *document["delta"][side][1:]]
    encoded = msgspec.json.encode(document)
    return encoded.replace(rb'"\u0000"', str(values["value"]).encode(), 1)


def _without_fills(payload: bytes, _values: Values, _at: Where) -> bytes:
    document: Json = msgspec.json.decode(payload)
    document["account"]["fills"] = {}
    return msgspec.json.encode(document)


def coalesced(payloads: list[bytes]) -> bytes:
    """Return messages of an account as one: fills of an order added up, the rest laid over."""
    first, *others = [msgspec.json.decode(payload)["account"] for payload in payloads]
    for other in others:
        first["update_id"] = other["update_id"]
        for name in ("places", "cancels", "balances"):
            first[name].update(other[name])
        for order, fill in other["fills"].items():
            before = first["fills"].get(order)
            more = 0.0 if before is None else before["quantity"]
            first["fills"][order] = {**fill, "quantity": fill["quantity"] + more}
    return msgspec.json.encode({"account": first})
