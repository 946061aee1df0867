"""The trades of one account since a known one, put together from two public lists."""

from collections.abc import AsyncIterator

from mmbot.adapters.zo.rest.answers import Catalog, OwnTrade, Trade
from mmbot.adapters.zo.rest.http import TradeQuery, ZoHttp
from mmbot.domain.order import Side
from mmbot.errors import ProtocolViolation

MOST_PAGES_COUNT = 2_000


async def own_trades(
    http: ZoHttp, account_id: int, catalog: Catalog, after_trade_id: int, since: str | None = None
) -> list[OwnTrade]:
    """Return the account's trades newer than `after_trade_id`, oldest first (protocol 3.12).

    A trade with itself comes twice, once for each side. `since` (RFC 3339) bounds how far the
    venue searches. Raises ProtocolViolation when its pages lead nowhere, or a VenueError.
    """
    found: list[OwnTrade] = []
    made = TradeQuery(maker_id=account_id, since=since)
    async for trade in _newer(http, made, catalog, after_trade_id):
        if trade.maker_id != account_id:
            raise ProtocolViolation("/trades: makerId is not the one asked for")
        found.append(OwnTrade(trade, Side(-trade.taker_side), is_maker=True))
    taken = TradeQuery(taker_id=account_id, since=since)
    async for trade in _newer(http, taken, catalog, after_trade_id):
        if trade.taker_id != account_id:
            raise ProtocolViolation("/trades: takerId is not the one asked for")
        found.append(OwnTrade(trade, trade.taker_side, is_maker=False))
    return sorted(found, key=lambda own: (own.trade.trade_id, own.is_maker))


async def _newer(
    http: ZoHttp, query: TradeQuery, catalog: Catalog, after_trade_id: int
) -> AsyncIterator[Trade]:
    seen: set[int] = set()
    cursors: set[int | str] = set()
    start: int | str | None = None
    for _ in range(MOST_PAGES_COUNT):
        page = await http.trades(query, catalog, start)
        fresh = [each for each in page.items if each.trade_id not in seen]
        seen.update(each.trade_id for each in fresh)
        for trade in fresh:
            if trade.trade_id > after_trade_id:
                yield trade
        start = page.following
        reached = any(each.trade_id <= after_trade_id for each in page.items)
        if start is None or reached:
            return
        if start in cursors or not fresh:
            raise ProtocolViolation("/trades: the pages go round in circles")
        cursors.add(start)
    raise ProtocolViolation(f"/trades: more than {MOST_PAGES_COUNT} pages")
