"""GET answers under faults: refused, old, cut, looping, slow, huge, or of another venue."""

import gzip
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from mmbot.exchange.exchange import Exchange
from mmbot.exchange.faults.actions import LostError
from mmbot.exchange.faults.entries import Values, Where
from mmbot.exchange.faults.limits import RateLimit
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.faults.streams import trip_ms
from mmbot.exchange.running.pacing import MILLISECOND_NS, Pace, wait
from mmbot.exchange.views import rest
from mmbot.exchange.views.asked import ViewRules

TOUCHING = ("rest.", "http.", "rl.", "info.", "proto.", "net.", "md.snapshot_lag")
REMEMBERED_PATHS = 256
REMEMBERED_BOOKS = 1000
Json = Any
Fresh = Callable[[], rest.Answer]
_DECIMALS = {"price_decimals": "priceDecimals", "size_decimals": "sizeDecimals"}


_USUAL = ViewRules()


class Told(NamedTuple):
    """An answer as it goes out; `pause_ms` above 0 sends it byte by byte."""

    status: int
    body: bytes
    content_type: str = rest.JSON
    headers: Mapping[str, str] = {}
    pause_ms: int = 0


class AnswerFaults:
    """Leads the answer to a GET back through what is set."""

    def __init__(self, exchange: Exchange, faults: Faults, pace: Pace) -> None:
        self._exchange = exchange
        self._faults = faults
        self._pace = pace
        self._limit = RateLimit(faults)
        self._old: OrderedDict[str, tuple[int, Told]] = OrderedDict()
        self._books: dict[int, deque[bytes]] = {}

    async def answer(self, path: str, query: Mapping[str, str], fresh: Fresh) -> Told:
        """Return what the client gets; `fresh` makes the true answer."""
        at = where(self._exchange, path)
        refused = self._refused(at)
        if refused is not None:
            return refused
        await wait(self._pace, round(trip_ms(self._faults, at) * MILLISECOND_NS))
        told = self._recent(f"{path}?{sorted(query.items())}", at, fresh)
        return self._carried(self._changed(told, at), at)

    def _refused(self, at: Where) -> Told | None:
        fire = self._faults.fire
        if fire("net.loss", at) is not None:
            raise LostError("net.loss")
        retry_s = self._limit.rest(self._pace.now_ns)
        many, trouble = fire("rest.429", at), fire("rest.5xx", at)
        away = fire("http.redirect", at)
        if many is not None:
            retry_s = many["retry_after"]
        if retry_s is not None:
            return Told(429, b"too many requests", rest.TEXT, {"Retry-After": str(retry_s)})
        if trouble is not None:
            return Told(trouble["status"], b"<html><body>Bad gateway</body></html>", "text/html")
        if away is not None:
            return Told(away["status"], b"", rest.TEXT, {"Location": away["to"]})
        return None

    def _recent(self, key: str, at: Where, fresh: Fresh) -> Told:
        """Make the answer, or repeat an old one."""
        stale = self._faults.holds("rest.stale_ms", at)
        kept = self._old.get(key)
        now_ns = self._pace.now_ns
        if kept is not None and stale is not None and now_ns - kept[0] < _ns(stale["ms"]):
            return kept[1]
        told = Told(*fresh())
        if "orderbook" in at.kinds and at.market is not None:
            told = self._lagging(told, at.market, at)
        if stale is not None:
            self._old[key] = (now_ns, told)
            self._old.move_to_end(key)
            if len(self._old) > REMEMBERED_PATHS:
                self._old.popitem(last=False)
        return told

    def shapes(self) -> ViewRules:
        """Return which of the shapes seen at the venue are spoken now."""
        values = self._faults.holds("proto.shape")
        return _USUAL if values is None else msgspec.convert(values, ViewRules)

    def book_changed(self, market: int) -> None:
        """Remember a market's book while somebody may be shown an old one."""
        if self._faults.armed("md.snapshot_lag"):
            books = self._books.setdefault(market, deque(maxlen=REMEMBERED_BOOKS))
            path = f"/market/{market}/orderbook"
            books.append(rest.answer(self._exchange, path, {}, self.shapes()).body)
        elif self._books:
            self._books.clear()

    def _lagging(self, told: Told, market: int, at: Where) -> Told:
        lag = self._faults.holds("md.snapshot_lag", at)
        books = self._books.get(market)
        if lag is None or not books:
            return told
        return told._replace(body=books[max(0, len(books) - 1 - lag["n"])])

    def _changed(self, told: Told, at: Where) -> Told:
        """Apply what changes the content of a good answer."""
        if told.status != 200 or told.content_type != rest.JSON:
            return told
        for knob, change in _CHANGES.items():
            values = self._faults.fire(knob, at) if _concerns(knob, at) else None
            if values is not None:
                document = change(msgspec.json.decode(told.body), values, at)
                told = told._replace(body=msgspec.json.encode(document))
        return told

    def _carried(self, told: Told, at: Where) -> Told:
        bomb = self._faults.fire("http.bomb", at)
        slow = self._faults.fire("http.slowloris", at)
        if bomb is not None:
            return Told(200, bombed(bomb["bytes"]), rest.JSON, {"Content-Encoding": "gzip"})
        return told if slow is None else told._replace(pause_ms=slow["ms"])


def _ns(milliseconds: float) -> int:
    return round(milliseconds * MILLISECOND_NS)


def bombed(size: int) -> bytes:
    """Return that many blanks, compressed, without ever holding them."""
    block, rest = b" " * min(size, 1 << 20), size
    packed = bytearray()
    while rest > 0:
        packed += gzip.compress(block[:rest], 9)
        rest -= len(block)
    return bytes(packed)


def where(exchange: Exchange, path: str) -> Where:
    """Return what a GET is about; its kinds are the words of its path."""
    words = [word for word in path.split("/") if word]
    markets = exchange.params.markets
    market = account = None
    for name, number in pairwise(words):
        if number.isdecimal() and len(number) < 12:
            market = int(number) if name == "market" and int(number) < len(markets) else market
            account = int(number) if name == "account" else account
    kinds = frozenset(("rest", *(word for word in words if not word.isdecimal())))
    return Where(kinds, market, account, None, "out")


_INFO = frozenset(("rest", "info"))


def _concerns(knob: str, at: Where) -> bool:
    # The list of markets, not /fee/brackets/info.
    return not knob.startswith("info.") or at.kinds == _INFO


def _short_page(document: Json, values: Values, _at: Where) -> Json:
    if isinstance(document, dict) and isinstance(document.get("items"), list):
        document["items"] = document["items"][: values["n"]]
        document.pop("nextStartInclusive", None)
    return document


def _looping_page(document: Json, _values: Values, _at: Where) -> Json:
    """Make the cursor lead to the page's own first item."""
    if isinstance(document, dict) and document.get("items"):
        first = document["items"][0]
        ids = ("tradeId", "actionId", "orderId", "accountId")
        named = [first[name] for name in ids if isinstance(first, dict) and name in first]
        document["nextStartInclusive"] = named[0] if named else 0
    return document


def _other_market_list(document: Json, values: Values, _at: Where) -> Json:
    what = values["what"]
    if what == "order":
        document["markets"].reverse()
    for market in document["markets"]:
        if market["marketId"] == values["market_id"]:
            if what == "symbol":
                market["symbol"] = f"X{market['symbol']}"
            elif what != "order":
                market[_DECIMALS[what]] += 1
    return document


def _similar_market(document: Json, _values: Values, _at: Where) -> Json:
    first = document["markets"][0]
    symbol = f"{first['symbol'].removesuffix('USD')}FIUSD"
    document["markets"].insert(0, {**first, "marketId": len(document["markets"]), "symbol": symbol})
    return document


def _fewer_markets(document: Json, values: Values, _at: Where) -> Json:
    gone = values["market_id"]
    document["markets"] = [each for each in document["markets"] if each["marketId"] != gone]
    return document


def _drifted(document: Json, values: Values, _at: Where) -> Json:
    """Add a field nobody knows, or give the first field another name."""
    if isinstance(document, dict) and document:
        if values["what"] == "add":
            return {"schemaRevision": 4, **document, "extra": {"nested": [1, None]}}
        if values["what"] == "rename":
            first, *_ = document
            return {f"{first}V2" if name == first else name: document[name] for name in document}
    return document


_CHANGES: Mapping[str, Callable[[Json, Values, Where], Json]] = {
    "rest.partial_page": _short_page,
    "rest.page_loop": _looping_page,
    "info.mutate": _other_market_list,
    "info.similar_symbol": _similar_market,
    "info.delist": _fewer_markets,
    "proto.drift": _drifted,
}
