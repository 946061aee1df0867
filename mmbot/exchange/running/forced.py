"""What may be forced on the exchange from outside, by name: the deeds of the eng. and acct. knobs.

A deed is plain values, so that it can be written down and done again.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mmbot.domain.order import FillMode, Side
from mmbot.exchange.engine import interventions, orders
from mmbot.exchange.engine.limits import Asked
from mmbot.exchange.engine.refusals import RefusalError
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.model import ATOMS_PER_USD, HOUSE, Account, Order

BPS = 10_000
Deed = Mapping[str, Any]


def do(exchange: Exchange, deed: Deed) -> None:
    """Do a deed to what it names; what is not there is left alone."""
    _DEEDS[deed["do"]](exchange, deed)


def _accounts(exchange: Exchange, deed: Deed) -> Iterator[Account]:
    for account in list(exchange.state.accounts.values()):
        if account.account_id != HOUSE and deed.get("account") in (None, account.account_id):
            yield account


def _cancel_orders(exchange: Exchange, deed: Deed) -> None:
    for account in _accounts(exchange, deed):
        interventions.cancel_orders(exchange.venue, account.account_id)


def _liquidate(exchange: Exchange, deed: Deed) -> None:
    for account in _accounts(exchange, deed):
        interventions.liquidate(exchange.venue, account.account_id)


def _transfer(exchange: Exchange, deed: Deed) -> None:
    for account in _accounts(exchange, deed):
        exchange.fund(account.account_id, deed["usd"] * ATOMS_PER_USD)


def _fill(exchange: Exchange, deed: Deed) -> None:
    """Fill one order by id (`order`), or the oldest that fits, by a share of it."""
    order = _resting(exchange, deed)
    if order is not None:
        lots = max(1, int(order.lots * deed["frac"]))
        interventions.fill(exchange.venue, order.order_id, lots)


def _resting(exchange: Exchange, deed: Deed) -> Order | None:
    found = [
        order
        for account in _accounts(exchange, deed)
        for order in account.orders.values()
        if deed.get("market") in (None, order.market_id)
        and deed.get("order") in (None, order.order_id)
    ]
    return min(found, key=lambda order: order.order_id, default=None)


def _expire_sessions(exchange: Exchange, deed: Deed) -> None:
    wanted, account = deed.get("session"), deed.get("account")
    for user in list(exchange.state.users.values()):
        mine = account is None or account in user.account_ids
        if user.sessions and mine and (wanted is None or wanted in user.sessions):
            interventions.end_sessions(exchange.venue, user, wanted)


def _place(exchange: Exchange, deed: Deed) -> None:
    """Place a limit order as if the account's owner had done it elsewhere."""
    market = deed.get("market", 0)
    index = exchange.state.markets[market].index_ticks
    account = next(_accounts(exchange, deed), None)
    if index is None or account is None:
        return
    side = Side.BID if deed["side"] == "bid" else Side.ASK
    ticks = max(1, round(index * (1 - side * deed["offset_bps"] / BPS)))
    client_id = deed.get("client_order_id")
    asked = Asked(market, side, FillMode.LIMIT, False, ticks, deed["lots"], None, client_id)
    turn = Turn(exchange.venue)
    try:
        orders.guarded(turn, account.account_id, lambda: _placed(turn, account.account_id, asked))
    except RefusalError:
        turn.rollback()
    else:
        turn.commit()


def _placed(turn: Turn, account_id: int, asked: Asked) -> None:
    orders.place(turn, account_id, asked, 0)


_DEEDS: Mapping[str, Callable[[Exchange, Deed], None]] = {
    "cancel_orders": _cancel_orders,
    "liquidate": _liquidate,
    "transfer": _transfer,
    "fill": _fill,
    "expire_sessions": _expire_sessions,
    "place": _place,
}
