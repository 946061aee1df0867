"""Audit: what must be true of the venue after every action, checked from the state alone."""

from collections import Counter
from collections.abc import Iterator

from mmbot.domain.order import Side
from mmbot.exchange.engine.margin import unpaid_funding
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import HOUSE, USDC, Account


def violations(venue: Venue) -> list[str]:
    """Return every broken invariant in words; empty when the books are right."""
    return [*_positions(venue), *_money(venue), *_books(venue), *_orders(venue), *_ids(venue)]


def _positions(venue: Venue) -> Iterator[str]:
    sums: Counter[int] = Counter()
    for account in venue.state.accounts.values():
        for market_id, position in account.positions.items():
            sums[market_id] += position.lots
            if not position.lots and position.cost_atoms:
                yield f"account {account.account_id}, market {market_id}: flat at a cost"
    for market_id, lots in sums.items():
        if lots:
            yield f"market {market_id}: positions add up to {lots} lots"


def _money(venue: Venue) -> Iterator[str]:
    state = venue.state
    held = state.fee_vault_atoms
    for account in state.accounts.values():
        held += account.balances.get(USDC, 0)
        for market_id, position in account.positions.items():
            held -= position.cost_atoms
            held += unpaid_funding(position, state.markets[market_id].funding_index)
    paid_in = state.deposited_atoms - state.withdrawn_atoms
    if held != paid_in:
        yield f"{held} atoms are held, {paid_in} were paid in"


def _books(venue: Venue) -> Iterator[str]:
    for market_id, clob in enumerate(venue.clobs):
        bid, ask = clob.best()
        if bid is not None and ask is not None and bid >= ask:
            yield f"market {market_id}: best bid {bid} is not below best ask {ask}"
        resting = [order_id for side in Side for order_id in clob.orders(side)]
        known = {
            order_id
            for account in venue.state.accounts.values()
            for order_id, order in account.orders.items()
            if order.market_id == market_id
        }
        if set(resting) != known or len(resting) != len(known):
            yield f"market {market_id}: the book has orders {sorted(set(resting) ^ known)} apart"


def _orders(venue: Venue) -> Iterator[str]:
    for account in venue.state.accounts.values():
        for order_id, order in account.orders.items():
            shown = venue.clobs[order.market_id].order(order_id)
            whose = (account.account_id, order.side, order.ticks, order.lots)
            if shown is not None and shown[:4] != whose:
                yield f"order {order_id} is {whose} for the account and {shown[:4]} in the book"
            if order.lots <= 0 or order.filled_lots < 0 or order.order_id != order_id:
                yield f"order {order_id} rests with {order.lots} lots"
        yield from _reduce_only(account)


def _reduce_only(account: Account) -> Iterator[str]:
    for order in account.orders.values():
        position = account.positions.get(order.market_id)
        held = position.lots if position else 0
        if order.reduce_only and held * order.side >= 0:
            yield f"order {order.order_id} is reduce-only beside a position of {held} lots"
        elif order.reduce_only and order.lots > abs(held):
            yield f"order {order.order_id} is reduce-only and larger than {held} lots"


def _ids(venue: Venue) -> Iterator[str]:
    state = venue.state
    resting = [i for account in state.accounts.values() for i in account.orders]
    if len(set(resting)) < len(resting):
        yield "an order rests in two accounts"
    if any(order_id >= state.next_order_id for order_id in resting):
        yield "a resting order has an id that was not given yet"
    if venue.owners != {i: a.account_id for a in state.accounts.values() for i in a.orders}:
        yield "the index of owners differs from the accounts"
    sessions = [i for user in state.users.values() for i in user.sessions]
    if sorted(sessions) != sorted(state.session_owners) or 0 in sessions:
        yield "the index of sessions differs from the users"
    if any(session_id >= state.next_session_id for session_id in sessions):
        yield "a session has an id that was not given yet"
    if HOUSE in [i for user in state.users.values() for i in user.account_ids]:
        yield "a user owns the house"
