"""The slowest correct reading of delta frames: regular expressions and Decimal."""

import re
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

Levels = list[tuple[int, int]]
Found = tuple[int, int | None, int, Levels, Levels]

NUMBER = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
BLANK = re.compile(rb"[ \n\t\r]*")
IDS = re.compile(rb'(0|[1-9][0-9]*)|"(0|[1-9][0-9]*)"')
DEEPEST = 16
MOST = 2**53
# Long enough for any number of up to 18 digits and 12 decimals, whatever its exponent.
EXACT = Context(prec=60, Emin=-(10**9), Emax=10**9)


class Refused(Exception):  # noqa: N818 - it is what the oracle answers
    """This is no delta frame."""


class Text:
    """Bytes with a place in them."""

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self.at = 0

    def take(self, pattern: re.Pattern[bytes]) -> bytes:
        found = pattern.match(self.frame, self.at)
        if found is None:
            raise Refused(self.at)
        self.at = found.end()
        return found[0]

    def mark(self, wanted: bytes) -> bool:
        self.take(BLANK)
        if self.frame[self.at : self.at + 1] != wanted:
            return False
        self.at += 1
        self.take(BLANK)
        return True

    def need(self, wanted: bytes) -> None:
        if not self.mark(wanted):
            raise Refused(self.at)

    def object(self, member: Callable[[bytes], None], *, plain_keys: bool = True) -> None:
        self.need(b"{")
        if self.mark(b"}"):
            return
        while True:
            key = self.take(STRING)[1:-1]
            if plain_keys and b"\\" in key:
                raise Refused(key)
            self.need(b":")
            member(key)
            if self.mark(b"}"):
                return
            self.need(b",")

    def list(self, item: Callable[[], None]) -> None:
        self.need(b"[")
        if self.mark(b"]"):
            return
        while True:
            item()
            if self.mark(b"]"):
                return
            self.need(b",")

    def skip(self, depth: int = 0) -> None:
        first = self.frame[self.at : self.at + 1]
        if first in (b"{", b"["):
            if depth == DEEPEST:
                raise Refused("too deep")
            if first == b"{":
                self.object(lambda _: self.skip(depth + 1), plain_keys=False)
            else:
                self.list(lambda: self.skip(depth + 1))
        elif first == b'"':
            self.take(STRING)
        elif first in (b"t", b"f", b"n"):
            self.take(re.compile(rb"true|false|null"))
        else:
            self.take(NUMBER)


class Members:
    """What the objects of a frame hold; of the levels, where they begin."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.found: dict[bytes, Any] = {}

    def outer(self, key: bytes) -> None:
        if key != b"delta":
            self.text.skip()
            return
        self.note(key, True)
        self.text.object(self.inner)

    def inner(self, key: bytes) -> None:
        text = self.text
        if key in (b"bids", b"asks"):
            self.note(key, text.at)
            text.skip()
        elif key == b"market_symbol":
            self.note(key, text.take(STRING)[1:-1].decode("latin-1"))
        elif key == b"update_id":
            self.note(key, _id(text))
        elif key == b"last_update_id":
            absent = text.frame[text.at : text.at + 4] == b"null"
            text.at += 4 * absent
            self.note(key, None if absent else _id(text))
        else:
            text.skip()

    def note(self, key: bytes, value: object) -> None:
        if key in self.found:
            raise Refused("twice")
        self.found[key] = value


def read_delta(frame: bytes, markets: dict[str, tuple[int, int]]) -> Found:
    """Return (market, last id, id, bids, asks) of a frame or raise Refused."""
    text = Text(frame)
    members = Members(text)
    text.object(members.outer)
    text.take(BLANK)
    found = members.found
    symbol = found.get(b"market_symbol")
    if text.at != len(frame) or b"update_id" not in found or symbol not in markets:
        raise Refused("not one delta of these markets")
    sides = [_side(text, found.get(key), markets[symbol]) for key in (b"bids", b"asks")]
    place = list(markets).index(symbol)
    return place, found.get(b"last_update_id"), found[b"update_id"], sides[0], sides[1]


def _side(text: Text, start: int | None, grid: tuple[int, int]) -> Levels:
    levels: Levels = []
    if start is not None:
        text.at = start
        text.list(lambda: levels.append(_level(text, grid)))
    return levels


def _id(text: Text) -> int:
    number = int(text.take(IDS).strip(b'"'))
    if number >= 2**63:
        raise Refused(number)
    return number


def _level(text: Text, grid: tuple[int, int]) -> tuple[int, int]:
    values: dict[bytes, int] = {}

    def member(key: bytes) -> None:
        if key not in (b"price", b"size"):
            text.skip(2)
            return
        if key in values:
            raise Refused("twice")
        values[key] = _steps(text, grid[key == b"size"])

    def item() -> None:
        if len(values) == 2:
            raise Refused("a pair has two numbers")
        member(b"size" if values else b"price")

    if text.frame[text.at : text.at + 1] == b"{":
        text.object(member)
    else:
        text.list(item)
    if len(values) < 2 or values[b"price"] == 0:
        raise Refused(values)
    return values[b"price"], values[b"size"]


def _steps(text: Text, decimals: int) -> int:
    written = text.take(NUMBER)
    if written.startswith(b"-"):
        raise Refused(written)
    mantissa = re.split(b"[eE]", written)[0]
    whole, _, part = mantissa.partition(b".")
    significant = (whole + part).lstrip(b"0")
    if len(whole) > 18 or significant[18:].strip(b"0"):
        raise Refused("too many digits")
    if not significant:
        return 0
    value = Decimal(significant.decode())
    exponent = int(written[len(mantissa) + 1 :] or b"0") - len(part) + decimals
    if abs(exponent) > 10**6:
        raise Refused("far off")
    scaled = value.scaleb(exponent, EXACT)
    if not Decimal("1e-100000") < scaled < MOST + 1:
        raise Refused("too large")
    steps = int(scaled.to_integral_value(context=EXACT)) if scaled > Decimal("0.1") else 0
    if abs(EXACT.subtract(scaled, Decimal(steps))) > Decimal("1e-6") or not 0 < steps <= MOST:
        raise Refused("off the grid")
    return steps
