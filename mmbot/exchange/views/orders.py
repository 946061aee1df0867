"""Views of orders, triggers and trades, live and past (protocol 3.11, 3.12)."""

from collections.abc import Sequence

from mmbot.domain.order import FillMode
from mmbot.exchange.model import (
    HOUSE,
    USDC,
    Order,
    Trade,
    Trigger,
    TriggerEnded,
    TriggerKind,
)
from mmbot.exchange.views.asked import SIDE_NAMES, U64, Asked, bad_query, market_view, not_found
from mmbot.exchange.views.decimals import ATOMS, timestamp
from mmbot.exchange.views.paging import in_time, page
from mmbot.exchange.views.trade_index import trades_of

_FILL_MODES = {
    FillMode.LIMIT: "Limit",
    FillMode.POST_ONLY: "PostOnly",
    FillMode.IOC: "ImmediateOrCancel",
    FillMode.FOK: "FillOrKill",
}
_TRIGGER_KINDS = {TriggerKind.STOP_LOSS: "stopLoss", TriggerKind.TAKE_PROFIT: "takeProfit"}


def account_orders(asked: Asked) -> object:
    """All orders of an account, resting and past."""
    held = asked.account()
    past = asked.exchange.state.finished.values()
    rows = [order for order in past if order.account_id == held.account_id]
    rows += held.orders.values()
    rows.sort(key=_order_id)
    return page(asked, rows, _order_id, lambda order: _order_shown(asked, order))


def order(asked: Asked) -> object:
    """One order, resting or past."""
    return _order_shown(asked, _find(asked))


def order_trades(asked: Asked) -> object:
    """Executions of an order."""
    executions = trades_of(asked.exchange).of_order(_find(asked).order_id)
    return page(asked, executions, _trade_id, lambda trade: _trade_shown(asked, trade))


def _find(asked: Asked) -> Order:
    order_id = asked.name_id(0, U64)
    past = asked.exchange.state.finished.get(order_id)
    if past is not None:
        return past
    resting = asked.exchange.venue.order(order_id)
    return resting[1] if resting else not_found()


def _order_id(order: Order) -> int:
    return order.order_id


def _order_shown(asked: Asked, order: Order) -> object:
    market = market_view(asked.exchange, order.market_id)
    executions = trades_of(asked.exchange).of_order(order.order_id)
    return {
        "addedAt": timestamp(order.added_ns),
        "updatedAt": timestamp(order.updated_ns),
        "tradeId": asked.id(executions[-1].trade_id if executions else 0),
        "traderId": order.account_id,
        "marketId": order.market_id,
        "orderId": asked.id(order.order_id),
        "side": SIDE_NAMES[order.side],
        "placedSize": market.size(order.placed_lots),
        "filledSize": market.size(order.filled_lots),
        "updateActionId": asked.id(order.update_action_id),
        "isReduceOnly": order.reduce_only,
        "fillMode": _FILL_MODES[order.mode],
        "placedPrice": market.price(order.ticks),
        "originalSizeLimit": market.size(order.placed_lots) if order.placed_lots else None,
        "originalPriceLimit": market.price(order.ticks) if order.ticks else None,
        "placementOrigin": order.origin,
        "finalizationReason": order.finalization,
        "marketSymbol": market.params.symbol,
        "tokenSymbol": asked.exchange.params.tokens[USDC].symbol,
    }


def trades(asked: Asked) -> object:
    """Trades of everybody; by taker, maker, side of the taker, market and time."""
    taker, maker = asked.integer("takerId"), asked.integer("makerId")
    market, side = asked.integer("marketId"), asked.side("takerSide")

    def keep(trade: Trade) -> bool:
        return (
            (taker is None or trade.taker_id == taker)
            and (maker is None or trade.maker_id == maker)
            and (market is None or trade.market_id == market)
            and (side is None or trade.taker_side is side)
        )

    rows = in_time(asked, _fewest(asked, taker, maker, market))
    return page(asked, rows, _trade_id, lambda trade: _trade_shown(asked, trade), keep=keep)


def _fewest(
    asked: Asked, taker: int | None, maker: int | None, market: int | None
) -> Sequence[Trade]:
    index = trades_of(asked.exchange)
    lists = [index.of_account(each) for each in (taker, maker) if each not in (None, HOUSE)]
    if market is not None:
        lists.append(index.of_market(market))
    return min(lists, key=len, default=asked.exchange.state.trades)


def _trade_id(trade: Trade) -> int:
    return trade.trade_id


def _trade_shown(asked: Asked, trade: Trade) -> object:
    market = market_view(asked.exchange, trade.market_id)
    return {
        "time": timestamp(trade.time_ns),
        "actionId": asked.id(trade.action_id),
        "tradeId": asked.id(trade.trade_id),
        "takerId": trade.taker_id,
        "takerSide": SIDE_NAMES[trade.taker_side],
        "makerId": trade.maker_id,
        "marketId": trade.market_id,
        "orderId": asked.id(trade.order_id),
        "price": market.price(trade.ticks),
        "baseSize": market.size(trade.lots),
        "takerFee": ATOMS(trade.taker_fee_atoms),
        "makerFee": ATOMS(trade.maker_fee_atoms),
    }


def volume(asked: Asked) -> object:
    """What an account traded per market, as maker and as taker."""
    account_id = asked.integer("accountId")
    if account_id is None:
        bad_query()
    if account_id not in asked.exchange.state.accounts:
        not_found()
    wanted = _market_ids(asked)
    sums: dict[int, tuple[int, int]] = {}
    for trade in in_time(asked, trades_of(asked.exchange).of_account(account_id)):
        if not wanted or trade.market_id in wanted:
            lots, turnover = sums.get(trade.market_id, (0, 0))
            sums[trade.market_id] = (lots + trade.lots, turnover + trade.lots * trade.ticks)
    shown = []
    for market_id, (lots, turnover) in sorted(sums.items()):
        market = market_view(asked.exchange, market_id)
        base, quote = market.size(lots), market.turnover(turnover)
        shown.append({"marketId": market_id, "volumeBase": base, "volumeQuote": quote})
    return shown


def _market_ids(asked: Asked) -> set[int]:
    single = asked.integer("marketId")
    several = asked.integers("marketIds")
    return several if single is None else several | {single}


def triggers(asked: Asked) -> object:
    """Active triggers of an account."""
    return [_trigger_shown(asked, trigger) for trigger in asked.account().triggers]


def active_triggers(asked: Asked) -> object:
    """Active triggers of everybody."""
    accounts = asked.exchange.state.accounts.values()
    rows = sorted((each for held in accounts for each in held.triggers), key=_trigger_id)
    return page(asked, rows, _trigger_id, lambda trigger: _trigger_shown(asked, trigger))


def trigger_history(asked: Asked) -> object:
    """Triggers of an account, active and ended, by the time they were set."""
    held = asked.account()
    since, until = asked.time_ns("since"), asked.time_ns("until")
    ended = asked.exchange.state.triggers_ended
    rows: list[Trigger | TriggerEnded] = [*held.triggers]
    rows += [each for each in ended if each.trigger.account_id == held.account_id]
    rows.sort(key=_history_id)

    def keep(row: Trigger | TriggerEnded) -> bool:
        created_ns = _trigger(row).created_ns
        return (since is None or created_ns >= since) and (until is None or created_ns < until)

    return page(asked, rows, _history_id, lambda row: _history_shown(asked, row), keep=keep)


def _trigger(row: Trigger | TriggerEnded) -> Trigger:
    return row.trigger if isinstance(row, TriggerEnded) else row


def _trigger_id(trigger: Trigger) -> int:
    return trigger.action_id


def _history_id(row: Trigger | TriggerEnded) -> int:
    return _trigger(row).action_id


def _trigger_shown(asked: Asked, trigger: Trigger) -> dict[str, object]:
    return {
        "accountId": trigger.account_id,
        "marketId": trigger.market_id,
        "triggerPrice": trigger.trigger_ticks,
        "limitPrice": trigger.limit_ticks or None,
        "side": SIDE_NAMES[trigger.side],
        "kind": _TRIGGER_KINDS[trigger.kind],
        "actionId": asked.id(trigger.action_id),
        "createdAt": timestamp(trigger.created_ns),
    }


def _history_shown(asked: Asked, row: Trigger | TriggerEnded) -> object:
    ended = row if isinstance(row, TriggerEnded) else None
    trigger = _trigger(row)
    return {
        **_trigger_shown(asked, trigger),
        "status": ended.end if ended else "Active",
        "createdAtActionId": asked.id(trigger.action_id),
        "finalizedAtActionId": asked.id(ended.action_id) if ended else None,
        "finalizedAt": timestamp(ended.time_ns) if ended else None,
    }
