"""What a GET asks for: the names in its path and its query, read strictly.

Whatever does not parse is refused with a status of protocol 3.1; nothing here raises anything
else. Negative, huge and textual ids are bad queries, ids that could exist are looked up.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, NoReturn

from msgspec import Struct

from mmbot.domain.order import Side
from mmbot.errors import MmbotError
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.model import Account
from mmbot.exchange.params import MarketParams
from mmbot.exchange.views.decimals import SCALES, Scale, parse_timestamp

U8, U32, U64 = 2**8 - 1, 2**32 - 1, 2**64 - 1
_DIGITS = 20
_SIDES = {"bid": Side.BID, "ask": Side.ASK}
SIDE_NAMES = {side: name for name, side in _SIDES.items()}


class ViewRules(Struct):
    """Which of the shapes seen at the venue are spoken (protocol 2, 3.6, 3.9, 4.2)."""

    ids_as_strings: bool = False
    flat_live: bool = False
    object_levels: bool = False
    session_fields: Literal["sdk", "long"] = "sdk"
    null_prices: bool = False
    float_noise: bool = False
    trade_side: Literal["taker", "maker"] = "taker"
    balance_keys: Literal["id", "symbol"] = "id"


class AnswerError(MmbotError):
    """The answer is a refusal: `status` and the JSON value `body`."""

    def __init__(self, status: int, body: object = None) -> None:
        super().__init__(f"answered with {status}")
        self.status = status
        self.body = body


def not_found() -> NoReturn:
    """Answer 404 null: no such user, account, token, order or action."""
    raise AnswerError(404)


def bad_query() -> NoReturn:
    """Answer 400 null."""
    raise AnswerError(400)


class MarketView(NamedTuple):
    """A market with the scales of its prices and sizes."""

    market_id: int
    params: MarketParams
    price: Scale
    size: Scale
    turnover: Scale


def market_view(exchange: Exchange, market_id: int) -> MarketView:
    """Return a market that exists."""
    params = exchange.params.markets[market_id]
    price, size = params.price_decimals, params.size_decimals
    return MarketView(market_id, params, SCALES[price], SCALES[size], SCALES[price + size])


class Asked:
    """One GET: the exchange, the shapes to speak, the names from the path, the query."""

    def __init__(
        self, exchange: Exchange, rules: ViewRules, names: list[str], query: Mapping[str, str]
    ) -> None:
        self.exchange = exchange
        self.rules = rules
        self.names = names
        self.query = query

    def name_id(self, place: int = 0, most: int = U32) -> int:
        """Id at a place of the path."""
        return _integer(self.names[place], most)

    def market(self, place: int = 0) -> MarketView:
        """Market whose id the path names; 404 with the id when there is none."""
        market_id = self.name_id(place)
        if market_id >= len(self.exchange.params.markets):
            raise AnswerError(404, {"market_id": market_id})
        return market_view(self.exchange, market_id)

    def account(self, place: int = 0) -> Account:
        """Account whose id the path names; 404 when there is none."""
        account = self.exchange.state.accounts.get(self.name_id(place))
        if account is None:
            not_found()
        return account

    def integer(self, key: str, most: int = U32) -> int | None:
        """Value of a query key, None when it is absent or empty."""
        text = self.query.get(key)
        return _integer(text, most) if text else None

    def integers(self, key: str) -> set[int]:
        """Values of a query key, separated by commas."""
        text = self.query.get(key)
        return {_integer(part, U32) for part in text.split(",")} if text else set()

    def side(self, key: str) -> Side | None:
        """Side in the query, None when it is absent."""
        text = self.query.get(key)
        if not text:
            return None
        side = _SIDES.get(text)
        if side is None:
            bad_query()
        return side

    def time_ns(self, key: str) -> int | None:
        """Time in the query, None when it is absent."""
        text = self.query.get(key)
        if not text:
            return None
        try:
            return parse_timestamp(text)
        except ValueError:
            bad_query()

    def id(self, number: int) -> int | str:
        """An order, action or trade id or a cursor, in the form to speak (protocol 2)."""
        return str(number) if self.rules.ids_as_strings else number


def _integer(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _DIGITS or int(text) > most:
        bad_query()
    return int(text)
