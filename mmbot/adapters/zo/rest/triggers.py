"""The triggers of an account: flat as of old, or nested under `trigger` (protocol 3.11).

What a newer server nests may have its side, kind and market beside it or within; prices and sizes
are the raw integers of the wire in both.
"""

from mmbot.adapters.zo.rest import shapes
from mmbot.adapters.zo.rest.answers import Catalog, PastTrigger, RestingTrigger
from mmbot.adapters.zo.rest.exact import RAW_LIMIT, ident, positive, side
from mmbot.adapters.zo.rest.http import ZoHttp, found, paged
from mmbot.adapters.zo.rest.parsing import decoded, reading
from mmbot.adapters.zo.wire.actions import TriggerKind

_KINDS = {"stoploss": TriggerKind.STOP_LOSS, "takeprofit": TriggerKind.TAKE_PROFIT}
_FIRED = "success"
_NONE = b"null"


async def resting_triggers(
    http: ZoHttp, account_id: int, catalog: Catalog
) -> tuple[RestingTrigger, ...]:
    """Return all that wait for their price, none where the venue says null; or a VenueError."""
    path = f"/account/{account_id}/triggers"
    return read_resting(path, await found(http.reads, path), catalog)


async def past_triggers(http: ZoHttp, account_id: int, catalog: Catalog) -> tuple[PastTrigger, ...]:
    """Return the newest, those that are over included; or a VenueError."""
    path = f"/account/{account_id}/triggers/history"
    return read_past(path, await found(http.reads, paged(path, {})), catalog)


def read_resting(endpoint: str, body: bytes, catalog: Catalog) -> tuple[RestingTrigger, ...]:
    """Read the body of `/account/{id}/triggers`; ProtocolViolation when it makes no sense."""
    rows = [] if body.strip() == _NONE else decoded(endpoint, body, list[shapes.TriggerShape])
    with reading(endpoint):
        return tuple(_trigger(each, catalog) for each in rows)


def read_past(endpoint: str, body: bytes, catalog: Catalog) -> tuple[PastTrigger, ...]:
    """Read a page of `/account/{id}/triggers/history`; see `read_resting`."""
    rows = decoded(endpoint, body, shapes.PageShape[shapes.TriggerShape]).items
    with reading(endpoint):
        return tuple(_past(each, catalog) for each in rows)


def _trigger(row: shapes.TriggerShape, markets: Catalog) -> RestingTrigger:
    nested = row.trigger
    if nested is None:
        price, limits = row.trigger_price, shapes.TriggerLimitsShape(row.limit_price)
        market_id, side_word, kind_word = row.market_id, row.side, row.kind
    else:
        price, limits = nested.trigger_price, nested.limits or shapes.TriggerLimitsShape()
        market_id = nested.market_id if row.market_id is None else row.market_id
        side_word = row.side or nested.side or nested.key.side
        kind_word = row.kind or nested.kind or nested.key.kind
    if price is None or market_id is None or side_word is None or kind_word is None:
        raise ValueError("a trigger lacks its price, market, side or kind")
    kind = _KINDS.get(kind_word.replace("_", "").lower())
    if kind is None:
        raise ValueError("kind is neither stop loss nor take profit")
    lots = limits.base_size if row.limit_base_size is None else row.limit_base_size
    return RestingTrigger(
        markets.listing(market_id, "marketId").market_id,
        side(side_word.lower(), "side"),
        kind,
        positive(_raw(price, "triggerPrice"), "triggerPrice"),
        _raw(limits.price or 0, "limitPrice"),
        _raw(lots or 0, "limitBaseSize"),
    )


def _past(row: shapes.TriggerShape, markets: Catalog) -> PastTrigger:
    if row.status is None:
        raise ValueError("status is missing")
    ended = row.finalized_at_action_id
    return PastTrigger(
        _trigger(row, markets),
        row.status.lower() == _FIRED,
        None if ended is None else ident(ended, "finalizedAtActionId"),
    )


def _raw(value: int | str, field: str) -> int:
    raw = ident(value, field)
    if raw >= RAW_LIMIT:
        raise ValueError(f"{field} is out of range")
    return raw
