"""JSON bodies of the venue into answers, or a ProtocolViolation that names endpoint and field.

Tolerant of the variants that protocol section 3 lists, strict about the rest: types, finite
numbers, ranges, prices and sizes on their market's grid.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

import msgspec

from mmbot.adapters.zo.rest import shapes
from mmbot.adapters.zo.rest.answers import (
    BookView,
    Catalog,
    Cursor,
    FeeRates,
    Listing,
    MarketView,
    Token,
    User,
    VenueSession,
)
from mmbot.adapters.zo.rest.exact import (
    NS_PER_S,
    finite,
    ident,
    nearest,
    on_grid,
    positive,
    time_ns,
)
from mmbot.adapters.zo.wire import base58
from mmbot.domain.order import Level
from mmbot.errors import ProtocolViolation

Shape = TypeVar("Shape")

_MAX_DECIMALS = 18
_MAX_SYMBOL = 32
_PPM_PER_BPS = 100
_PUBKEY_BYTES = 32


@contextmanager
def reading(endpoint: str) -> Iterator[None]:
    """Turn what is wrong with a body into one ProtocolViolation without any of its content."""
    try:
        yield
    except msgspec.ValidationError as error:
        raise ProtocolViolation(f"{endpoint}: {error}") from None
    except (msgspec.DecodeError, RecursionError):
        raise ProtocolViolation(f"{endpoint}: the answer is not sound JSON") from None
    except ValueError as error:
        raise ProtocolViolation(f"{endpoint}: {error}") from None


def decoded(endpoint: str, body: bytes, shape: type[Shape]) -> Shape:
    """Decode a body into a shape; ProtocolViolation when it does not fit."""
    with reading(endpoint):
        return msgspec.json.decode(body, type=shape)


def catalog(endpoint: str, body: bytes) -> Catalog:
    """Read `/info` (protocol 3.3)."""
    found = decoded(endpoint, body, shapes.CatalogShape)
    with reading(endpoint):
        return Catalog(map(_listing, found.markets), map(_token, found.tokens))


def engine_second(endpoint: str, body: bytes) -> int:
    """Read `/timestamp`: a bare integer, Unix seconds (protocol 3.7)."""
    found = decoded(endpoint, body, int)
    if not 0 < found < 1 << 40:
        raise ProtocolViolation(f"{endpoint}: the time is out of range")
    return found


def user(endpoint: str, body: bytes) -> User:
    """Read `/user/{pubkey}`; sessions are optional and opaque (protocol 3.9)."""
    found = decoded(endpoint, body, shapes.UserShape)
    with reading(endpoint):
        return User(
            tuple(ident(each, "accountIds") for each in found.account_ids),
            tuple(_session(key, each) for key, each in (found.sessions or {}).items()),
        )


def book(endpoint: str, body: bytes, listing: Listing) -> BookView:
    """Read `/market/{id}/orderbook`, best prices first on both sides (protocol 3.4)."""
    found = decoded(endpoint, body, shapes.BookShape)
    with reading(endpoint):
        bids = tuple(_level(each, listing, "bids") for each in found.bids)
        asks = tuple(_level(each, listing, "asks") for each in found.asks)
        _ordered([-level.ticks for level in bids], "bids")
        _ordered([level.ticks for level in asks], "asks")
        return BookView(ident(found.update_id, "updateId"), bids, asks)


def stats(endpoint: str, body: bytes, listing: Listing) -> MarketView:
    """Read `/market/{id}/stats`; prices are null for a new market (protocol 3.5)."""
    found = decoded(endpoint, body, shapes.StatsShape)
    perp = found.perp_stats or shapes.PerpStatsShape(None, None)
    with reading(endpoint):
        return MarketView(
            listing.market_id,
            bool(found.frozen),
            _price(found.index_price, "indexPrice"),
            _price(perp.mark_price, "mark_price"),
            _finite(perp.funding_rate, "funding_rate"),
            _moment(perp.next_funding_time, "next_funding_time"),
            _lots(perp.open_interest, listing, "open_interest"),
        )


def lives(endpoint: str, body: bytes, markets: Catalog) -> tuple[MarketView, ...]:
    """Read `/markets/live`, flat or nested (protocol 3.6)."""
    found = decoded(endpoint, body, shapes.LivesShape)
    with reading(endpoint):
        return tuple(_live(each, markets) for each in found.markets)


def fee_brackets(endpoint: str, body: bytes) -> dict[int, FeeRates]:
    """Read `/fee/brackets/info`: fees by tier, in ppm or in bps (protocol 3.13)."""
    found = decoded(endpoint, body, list[tuple[int, shapes.BracketShape]])
    with reading(endpoint):
        rates = {tier: _rates(bracket) for tier, bracket in found}
        if len(rates) != len(found):
            raise ValueError("a tier comes twice")
        return rates


def fee_tier(endpoint: str, body: bytes) -> int:
    """Read `/account/{id}/fee/tier`."""
    found = decoded(endpoint, body, int)
    with reading(endpoint):
        return ident(found, "tier")


def cursor(value: Cursor | None) -> Cursor | None:
    """Return a page cursor as it came; ValueError when it is nothing to send back."""
    if isinstance(value, str) and not (value.isascii() and 0 < len(value) <= 100):
        raise ValueError("nextStartInclusive is not a cursor")
    return value


def _listing(found: shapes.MarketShape) -> Listing:
    for name in ("price_decimals", "size_decimals"):
        if not 0 <= getattr(found, name) <= _MAX_DECIMALS:
            raise ValueError(f"markets: {name} is out of range")
    for name in ("imf", "mmf", "cmf"):
        if not 0 < finite(getattr(found, name), f"markets: {name}") <= 1:
            raise ValueError(f"markets: {name} is not above 0 and up to 1")
    return Listing(
        ident(found.market_id, "marketId"),
        _symbol(found.symbol),
        found.price_decimals,
        found.size_decimals,
        found.base_token_id,
        found.quote_token_id,
        found.imf,
        found.mmf,
        found.cmf,
    )


def _token(found: shapes.TokenShape) -> Token:
    if not 0 <= found.decimals <= _MAX_DECIMALS:
        raise ValueError("tokens: decimals is out of range")
    token_id = ident(found.token_id, "tokenId")
    return Token(token_id, _symbol(found.symbol), found.decimals, found.weight_bps)


def _symbol(text: str) -> str:
    # It becomes a part of addresses and of stream names.
    plain = text.replace("-", "").replace("_", "").replace(".", "").replace("/", "")
    if not (plain.isascii() and plain.isalnum() and len(text) <= _MAX_SYMBOL):
        raise ValueError("symbol is not a plain name")
    return text


def _session(key: str, found: shapes.SessionShape) -> VenueSession:
    pubkey = found.pubkey or found.session_pubkey
    return VenueSession(
        ident(key, "sessions"),
        pubkey if isinstance(pubkey, str) and _is_pubkey(pubkey) else None,
        _expiry_s(found.expiry or found.expiry_timestamp),
    )


def _is_pubkey(text: str) -> bool:
    try:
        return len(base58.decode(text)) == _PUBKEY_BYTES
    except ValueError:
        return False


def _expiry_s(found: object) -> int | None:
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    if not isinstance(found, str):
        return None
    if found.isascii() and found.isdecimal() and len(found) < 20:
        return int(found)
    try:
        return time_ns(found, "expiry") // NS_PER_S
    except ValueError:
        return None


def _level(found: shapes.LevelForm, listing: Listing, field: str) -> Level:
    price, size = found if isinstance(found, tuple) else (found.price, found.size)
    ticks = on_grid(price, listing.price_decimals, f"{field}: price")
    lots = on_grid(size, listing.size_decimals, f"{field}: size")
    return Level(positive(ticks, f"{field}: price"), positive(lots, f"{field}: size"))


def _ordered(ticks: Sequence[int], field: str) -> None:
    if any(later <= earlier for earlier, later in pairwise(ticks)):
        raise ValueError(f"{field} are not in order of price")


def _live(found: shapes.LiveShape, markets: Catalog) -> MarketView:
    listing = markets.listing(found.market_id, "markets: marketId")
    forms: Iterable[shapes.PerpetualsShape] = (found.perpetuals or found, found)
    rate = _first(form.projected_funding_rate for form in forms)
    moment = next((form.next_funding_time for form in forms if form.next_funding_time), None)
    return MarketView(
        listing.market_id,
        bool(found.frozen),
        _price(found.index_price, "indexPrice"),
        _price(_first(form.mark_price for form in forms), "markPrice"),
        _finite(rate, "projectedFundingRate"),
        _moment(moment, "nextFundingTime"),
        _lots(_first(form.open_interest for form in forms), listing, "openInterest"),
    )


def _first(values: Iterable[Decimal | None]) -> Decimal | None:
    return next((value for value in values if value is not None), None)


def _price(value: Decimal | None, field: str) -> Decimal | None:
    if value is not None and finite(value, field) <= 0:
        raise ValueError(f"{field} is not positive")
    return value


def _finite(value: Decimal | None, field: str) -> Decimal | None:
    return None if value is None else finite(value, field)


def _moment(text: str | None, field: str) -> int | None:
    return None if text is None else time_ns(text, field)


def _lots(value: Decimal | None, listing: Listing, field: str) -> int | None:
    if value is None:
        return None
    if finite(value, field) < 0:
        raise ValueError(f"{field} is negative")
    return nearest(value, listing.size_decimals, field)


def _rates(found: shapes.BracketShape) -> FeeRates:
    return FeeRates(
        _ppm(found.maker_fee_ppm, found.maker_fee_bps, "maker_fee"),
        _ppm(found.taker_fee_ppm, found.taker_fee_bps, "taker_fee"),
    )


def _ppm(ppm: Decimal | None, bps: Decimal | None, field: str) -> int:
    if ppm is None and bps is None:
        raise ValueError(f"{field}_ppm is missing")
    given = ppm if ppm is not None else finite(bps or Decimal(0), field) * _PPM_PER_BPS
    rate = on_grid(given, 0, field)
    if not -1_000_000 < rate < 1_000_000:
        raise ValueError(f"{field} is out of range")
    return rate
