"""The trades of one account since a known one, put together from two public lists."""

from typing import NamedTuple

from mmbot.adapters.zo.rest.answers import Catalog, OwnTrade, Trade
from mmbot.adapters.zo.rest.http import TradeQuery, ZoHttp
from mmbot.domain.order import Side
from mmbot.errors import ProtocolViolation

MOST_PAGES_COUNT = 2_000


class Listed(NamedTuple):
    """What one of the lists has that is newer than a known trade, newest first.

    `reached`: it showed the known one, or an older one; else it may have been cut short.
    """

    rows: list[OwnTrade]
    reached: bool


async def own_trades(
    http: ZoHttp, account_id: int, catalog: Catalog, after_trade_id: int, since: str | None = None
) -> list[OwnTrade]:
    """Return the account's trades newer than `after_trade_id`, oldest first (protocol 3.12).

    A trade with itself comes twice, once for each side. `since` (RFC 3339) bounds how far the
    venue searches. Raises ProtocolViolation when its pages lead nowhere, or a VenueError.
    """
    made = await made_trades(http, account_id, catalog, after_trade_id, since)
    taken = await taken_trades(http, account_id, catalog, after_trade_id, since)
    return in_order([*made.rows, *taken.rows])


def in_order(rows: list[OwnTrade]) -> list[OwnTrade]:
    """Sort the rows of both lists, oldest first."""
    return sorted(rows, key=lambda own: (own.trade.trade_id, own.is_maker))


async def made_trades(
    http: ZoHttp, account_id: int, catalog: Catalog, after_trade_id: int, since: str | None = None
) -> Listed:
    """Read the list of those in which the account was the maker."""
    query = TradeQuery(maker_id=account_id, since=since)
    trades, reached = await _newer(http, query, catalog, after_trade_id)
    if any(trade.maker_id != account_id for trade in trades):
        raise ProtocolViolation("/trades: makerId is not the one asked for")
    rows = [OwnTrade(trade, Side(-trade.taker_side), is_maker=True) for trade in trades]
    return Listed(rows, reached)


async def taken_trades(
    http: ZoHttp, account_id: int, catalog: Catalog, after_trade_id: int, since: str | None = None
) -> Listed:
    """Read the list of those in which the account was the taker."""
    query = TradeQuery(taker_id=account_id, since=since)
    trades, reached = await _newer(http, query, catalog, after_trade_id)
    if any(trade.taker_id != account_id for trade in trades):
        raise ProtocolViolation("/trades: takerId is not the one asked for")
    return Listed([OwnTrade(each, each.taker_side, is_maker=False) for each in trades], reached)


async def _newer(
    http: ZoHttp, query: TradeQuery, catalog: Catalog, after_trade_id: int
) -> tuple[list[Trade], bool]:
    newer: list[Trade] = []
    seen: set[int] = set()
    cursors: set[int | str] = set()
    start: int | str | None = None
    for _ in range(MOST_PAGES_COUNT):
        page = await http.trades(query, catalog, start)
        fresh = [each for each in page.items if each.trade_id not in seen]
        seen.update(each.trade_id for each in fresh)
        newer += [each for each in fresh if each.trade_id > after_trade_id]
        start = page.following
        reached = any(each.trade_id <= after_trade_id for each in page.items)
        if start is None or reached:
            return newer, reached
        if start in cursors or not fresh:
            raise ProtocolViolation("/trades: the pages go round in circles")
        cursors.add(start)
    raise ProtocolViolation(f"/trades: more than {MOST_PAGES_COUNT} pages")
