"""Every GET of the protocol: a path and its query in, status and body out (protocol 3)."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import json

from mmbot.exchange.exchange import Exchange
from mmbot.exchange.views import accounts as views_accounts
from mmbot.exchange.views import chart as views_chart
from mmbot.exchange.views import engine as views_engine
from mmbot.exchange.views import history as views_history
from mmbot.exchange.views import markets as views_markets
from mmbot.exchange.views import orders as views_orders
from mmbot.exchange.views.asked import AnswerError, Asked, ViewRules
from mmbot.exchange.views.described import openapi, schema_proto

JSON = "application/json"
TEXT = "text/plain"
_DEFAULT = ViewRules()

View = Callable[[Asked], object]


class Answer(NamedTuple):
    """What a GET is answered with."""

    status: int
    body: bytes
    content_type: str = JSON


VIEWS: dict[str, View] = {
    "/info": views_markets.info,
    "/market/{market_id}/orderbook": views_markets.orderbook,
    "/market/{market_id}/stats": views_markets.stats,
    "/market/{market_id}/live": views_markets.market_live,
    "/market/{market_id}/history/PT1H": views_markets.hours,
    "/market/{market_id}/price/prev": views_markets.previous_price,
    "/market/{market_id}/fees/{role}/{account_id}": views_markets.market_fee,
    "/markets/live": views_markets.markets_live,
    "/tokens/{token_id}/stats": views_markets.token_stats,
    "/fee/brackets/info": views_markets.fee_brackets,
    "/timestamp": views_engine.engine_time,
    "/event/last-acked-nonce": views_engine.last_acked_nonce,
    "/action": views_engine.actions,
    "/action/last-executed-id": views_engine.last_action,
    "/proton/v0/config": views_engine.bridge_config,
    "/user/{pubkey}": views_accounts.user,
    "/account/{account_id}": views_accounts.account,
    "/account/{account_id}/pubkey": views_accounts.pubkey,
    "/account/{account_id}/fee/tier": views_accounts.fee_tier,
    "/account/{account_id}/fees/withdrawal": views_accounts.withdrawal_fee,
    "/account/{account_id}/orders": views_orders.account_orders,
    "/account/{account_id}/triggers": views_orders.triggers,
    "/account/{account_id}/triggers/history": views_orders.trigger_history,
    "/account/{account_id}/pnl": views_history.pnl,
    "/account/{account_id}/pnl/summary": views_history.pnl_summary,
    "/account/{account_id}/history/funding": views_history.funding,
    "/account/{account_id}/history/deposit": views_history.deposits,
    "/account/{account_id}/history/withdrawal": views_history.withdrawals,
    "/account/{account_id}/history/liquidation": views_history.liquidations,
    "/account/volume": views_orders.volume,
    "/accounts/count": views_accounts.count,
    "/accounts/fee-tiers": views_accounts.fee_tiers,
    "/order/{order_id}": views_orders.order,
    "/order/{order_id}/trades": views_orders.order_trades,
    "/trades": views_orders.trades,
    "/triggers/active": views_orders.active_triggers,
    "/tv/config": views_chart.config,
    "/tv/symbols": views_chart.symbols,
    "/tv/history": views_chart.history,
}


class _Branch:
    """A place in the tree of paths; `any_name` is taken by parts no other branch is named for."""

    __slots__ = ("any_name", "named", "view")

    def __init__(self) -> None:
        self.named: dict[str, _Branch] = {}
        self.any_name: _Branch | None = None
        self.view: View | None = None


def _tree(views: Mapping[str, View]) -> _Branch:
    root = _Branch()
    for path, view in views.items():
        branch = root
        for part in path.split("/")[1:]:
            if part.startswith("{"):
                branch.any_name = branch.any_name or _Branch()
                branch = branch.any_name
            else:
                branch = branch.named.setdefault(part, _Branch())
        branch.view = view
    return root


_ROOT = _tree(VIEWS)


def answer(
    exchange: Exchange, path: str, query: Mapping[str, str], rules: ViewRules = _DEFAULT
) -> Answer:
    """Answer `GET path`; `path` is unescaped and begins with a slash. Never raises on bad input."""
    if path == "/schema.proto":
        return Answer(200, schema_proto(), TEXT)
    if path == "/openapi.json":
        return Answer(200, openapi(VIEWS))
    found = _find(path)
    if found is None:
        return Answer(404, b"null")
    view, names = found
    try:
        return Answer(200, json.encode(view(Asked(exchange, rules, names, query))))
    except AnswerError as refused:
        return Answer(refused.status, json.encode(refused.body))


def _find(path: str) -> tuple[View, list[str]] | None:
    if not path.startswith("/"):
        return None
    branch, names = _ROOT, []
    for part in path[1:].split("/"):
        following = branch.named.get(part)
        if following is None:
            following = branch.any_name
            names.append(part)
        if following is None:
            return None
        branch = following
    return (branch.view, names) if branch.view else None
