"""What the venue does to an account in trouble (protocol 7), each step an action of the engine.

omf < cmf: its orders are cancelled, newest first, until omf >= cmf or none that could open is
left. mf < mmf: all its orders are cancelled, then positions are closed against the book with
immediate orders without a price limit, the largest first, until mf >= mmf. What the book does not
take stays and is tried again. mf < 0 with nothing left is a bankruptcy: the debt stays.
"""

from mmbot.domain.order import FillMode, Side
from mmbot.exchange.engine.limits import Asked
from mmbot.exchange.engine.margin import Margins, margins
from mmbot.exchange.engine.orders import forced_order
from mmbot.exchange.engine.settlement import cancel
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import HOUSE, Account, Liquidated, Order, Origin

CANCEL_ORDER = "cancel_order"
PLACE_ORDER = "place_order"
BANKRUPTCY = "bankruptcy"


def check_all(venue: Venue) -> None:
    """Look at the margin of every account that has something at stake."""
    for account in list(venue.state.accounts.values()):
        if account.account_id != HOUSE and (account.orders or account.positions):
            check(venue, account)


def check(venue: Venue, account: Account) -> None:
    """Do to one account what its margin calls for."""
    health = margins(venue, account)
    if health.mf < health.mmf:
        liquidate(venue, account)
    elif health.omf < health.cmf:
        cancel_orders(venue, account)


def cancel_orders(venue: Venue, account: Account, everything: bool = False) -> None:
    """Cancel resting orders, newest first, until omf reaches cmf (or everything)."""
    turn = Turn(venue)
    for order in sorted(account.orders.values(), key=_newest_first):
        health = margins(venue, account)
        if not everything and health.omf >= health.cmf:
            break
        if everything or not order.reduce_only:
            _record(turn, account, order.market_id, CANCEL_ORDER, health)
            cancel(turn, order)
    if turn.effects:
        turn.commit()


def _newest_first(order: Order) -> int:
    return -order.order_id


def liquidate(venue: Venue, account: Account, everything: bool = False) -> None:
    """Cancel all orders and close positions until mf reaches mmf (or everything is closed)."""
    cancel_orders(venue, account, everything=True)
    for market_id in _largest_first(venue, account):
        health = margins(venue, account)
        if not everything and health.mf >= health.mmf:
            return
        if market_id not in venue.rules.frozen_markets:
            _close(venue, account, market_id, health)
    health = margins(venue, account)
    if health.mf < health.mmf:
        venue.state.margins_due = True
    if health.bankruptcy and not _declared(venue, account):
        turn = Turn(venue)
        _record(turn, account, _largest_first(venue, account, 0)[0], BANKRUPTCY, health)
        turn.commit()


def _largest_first(venue: Venue, account: Account, least: int = 1) -> list[int]:
    sizes = {
        market_id: abs(position.lots) * venue.state.markets[market_id].index_lot_atoms
        for market_id, position in account.positions.items()
        if abs(position.lots) >= least
    }
    return sorted(sizes, key=lambda market_id: (-sizes[market_id], market_id))


def _close(venue: Venue, account: Account, market_id: int, health: Margins) -> None:
    turn = Turn(venue)
    lots = account.positions[market_id].lots
    side = Side.ASK if lots > 0 else Side.BID
    asked = Asked(market_id, side, FillMode.IOC, True, 0, abs(lots), None, None)
    turn.account(account.account_id)
    if not forced_order(turn, account.account_id, asked, Origin.LIQUIDATION):
        turn.rollback()
        return
    _record(turn, account, market_id, PLACE_ORDER, health)
    turn.commit()


def _record(turn: Turn, account: Account, market_id: int, kind: str, health: Margins) -> None:
    turn.records.liquidations.append(
        Liquidated(
            turn.now_ns,
            turn.action_id,
            account.account_id,
            market_id,
            kind,
            health.mf,
            health.omf,
            health.imf,
            health.cmf,
            health.mmf,
        )
    )


def _declared(venue: Venue, account: Account) -> bool:
    # One record a debt: the account's last entry says so already.
    for entry in reversed(venue.state.liquidations):
        if entry.account_id == account.account_id:
            return entry.kind == BANKRUPTCY
    return False
