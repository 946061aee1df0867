"""Settlement: an execution becomes a trade, fees, positions, balances and order fills. Final.

A position carries its cost; closing realises the proceeds less the part of the cost that belongs to
the lots closed, and pays the funding due, into the USDC balance. Fees go to the vault. Every atom
taken somewhere arrives somewhere. Account 0 pays no fees; executions of the house against itself
are trades and nothing else.
"""

from copy import copy
from typing import NamedTuple

from msgspec.structs import replace

from mmbot.domain.order import Side
from mmbot.exchange.engine.margin import PPM, unpaid_funding
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.model import (
    HOUSE,
    Account,
    AccountFill,
    Finalization,
    Order,
    Position,
    Trade,
    TriggerEnd,
    TriggerEnded,
)

Fill = tuple[int, int, int, int, int]


class Taker(NamedTuple):
    """Who hit the book: the house has order id 0."""

    account_id: int
    order_id: int
    side: Side
    tracking_id: int | None = None


def fee_atoms(notional_atoms: int, ppm: int) -> int:
    """Return the fee of an execution, rounded up to the atom."""
    return -(-notional_atoms * ppm // PPM)


def settle(turn: Turn, market_id: int, taker: Taker, fill: Fill) -> None:
    """Book one execution of a market for both sides."""
    order_id, maker_id, ticks, lots, left = fill
    value = lots * ticks * turn.venue.params.markets[market_id].atoms_per_ticklot
    taker_fee = _fee(turn, taker.account_id, value, False)
    maker_fee = _fee(turn, maker_id, value, True)
    trade = Trade(
        turn.state.next_trade_id,
        turn.action_id,
        turn.now_ns,
        market_id,
        taker.account_id,
        taker.side,
        taker.order_id,
        maker_id,
        order_id,
        ticks,
        lots,
        taker_fee,
        maker_fee,
    )
    turn.state.next_trade_id += 1
    turn.records.trades.append(trade)
    if maker_id == taker.account_id == HOUSE:
        return
    turn.fees_atoms += taker_fee + maker_fee
    _book(turn, taker.account_id, market_id, (taker.side * lots, taker.side * value, taker_fee))
    _book(turn, maker_id, market_id, (-taker.side * lots, -taker.side * value, maker_fee))
    if maker_id != HOUSE:
        _fill_maker(turn, trade, left)
    if taker.account_id != HOUSE:
        note_fill(turn, trade, (taker.order_id, taker.account_id, taker.side), taker.tracking_id)


def _fee(turn: Turn, account_id: int, notional: int, maker: bool) -> int:
    if account_id == HOUSE:
        return 0
    tier = turn.venue.params.fee_tiers[turn.state.accounts[account_id].fee_tier]
    return fee_atoms(notional, tier.maker_ppm if maker else tier.taker_ppm)


def note_fill(
    turn: Turn, trade: Trade, whose: tuple[int, int, Side], tracking_id: int | None
) -> None:
    """Add an execution to what the account's stream tells; remaining lots are set by the order."""
    order_id, account_id, side = whose
    fills = turn.effects[account_id].fills
    before = fills.get(order_id)
    fills[order_id] = AccountFill(
        order_id,
        trade.market_id,
        side,
        trade.lots + (before.lots if before else 0),
        0,
        trade.ticks * trade.lots + (before.ticklots if before else 0),
        trade.maker_id,
        trade.taker_id,
        tracking_id,
    )


def set_remaining(turn: Turn, account_id: int, order_id: int, lots: int) -> None:
    """Say how much of an order that traded in this turn is still to fill."""
    fills = turn.effects[account_id].fills
    fills[order_id] = replace(fills[order_id], remaining=lots)


def _fill_maker(turn: Turn, trade: Trade, left: int) -> None:
    account = turn.account(trade.maker_id)
    order = copy(account.orders[trade.order_id])
    order.lots = left
    order.filled_lots += trade.lots
    order.updated_ns, order.update_action_id = turn.now_ns, turn.action_id
    note_fill(turn, trade, (order.order_id, order.account_id, order.side), order.sender_tracking_id)
    if left:
        account.orders[order.order_id] = order
        effects = turn.effects[account.account_id]
        if order.order_id in effects.places:
            effects.places[order.order_id] = order
        set_remaining(turn, account.account_id, order.order_id, left)
    else:
        turn.remove(order, Finalization.FILLED)


def _book(turn: Turn, account_id: int, market_id: int, change: tuple[int, int, int]) -> None:
    # change: signed lots, what they cost (negative: brought), the fee.
    lots, value, fee = change
    account = turn.account(account_id)
    position = copy(account.positions.get(market_id)) or Position()
    before = position.lots
    funding = unpaid_funding(position, turn.state.markets[market_id].funding_index)
    realised = trade_position(position, lots, value)
    position.funding_index = turn.state.markets[market_id].funding_index
    position.action_id = turn.action_id
    account.positions[market_id] = position
    turn.pay(account_id, realised + funding - fee)
    if account_id != HOUSE and (realised or funding):
        trading, paid = turn.effects[account_id].realised.get(market_id, (0, 0))
        turn.effects[account_id].realised[market_id] = (trading + realised, paid + funding)
    turn.moved.add((account_id, market_id))
    if before * position.lots <= 0 and before and account.triggers:
        _end_triggers(turn, account, market_id)


def trade_position(position: Position, lots: int, value: int) -> int:
    """Add signed lots that cost `value` atoms to a position; return the profit realised."""
    held = position.lots
    if held * lots >= 0:
        position.lots += lots
        position.cost_atoms += value
        return 0
    if abs(lots) < abs(held):
        cost = position.cost_atoms * abs(lots) // abs(held)
        position.lots += lots
        position.cost_atoms -= cost
        return -value - cost
    closing = value * abs(held) // abs(lots)
    realised = -closing - position.cost_atoms
    position.lots += lots
    position.cost_atoms = value - closing
    return realised


def _end_triggers(turn: Turn, account: Account, market_id: int) -> None:
    if turn.venue.rules.triggers_survive_close:
        return
    ended = [trigger for trigger in account.triggers if trigger.market_id == market_id]
    account.triggers = [trigger for trigger in account.triggers if trigger not in ended]
    turn.cancelled_triggers += ended
    turn.records.triggers += [
        TriggerEnded(trigger, TriggerEnd.CANCELED, turn.action_id, turn.now_ns) for trigger in ended
    ]


def cancel(turn: Turn, order: Order) -> None:
    """Take a resting order out of its book and off its account."""
    turn.clob(order.market_id).cancel(order.order_id)
    turn.remove(order, Finalization.CANCELED)
