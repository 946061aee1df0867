"""Views of users and accounts: who they are, what they hold, what they owe (protocol 3.9-3.11)."""

from mmbot.adapters.zo.wire import base58
from mmbot.exchange.engine.margin import unpaid_funding
from mmbot.exchange.model import HOUSE, Account, Order, Position, Session
from mmbot.exchange.state import NS
from mmbot.exchange.views.asked import (
    SIDE_NAMES,
    Asked,
    MarketView,
    bad_query,
    market_view,
    not_found,
)
from mmbot.exchange.views.decimals import ATOMS, Number, average, timestamp
from mmbot.exchange.views.markets import funding_index
from mmbot.exchange.views.paging import page

_KEY_BYTES = 32


def user(asked: Asked) -> object:
    """Accounts and sessions of a wallet; an unknown one may get an account here."""
    try:
        pubkey = base58.decode(asked.names[0])
    except ValueError:
        bad_query()
    if len(pubkey) != _KEY_BYTES:
        bad_query()
    found = asked.exchange.ensure_user(pubkey)
    if found is None:
        not_found()
    sessions = {str(key): _session(asked, each) for key, each in found.sessions.items()}
    return {"accountIds": found.account_ids, "sessions": sessions}


def _session(asked: Asked, session: Session) -> object:
    key, expiry = base58.encode(session.pubkey), timestamp(session.expiry_s * NS)
    if asked.rules.session_fields == "long":
        return {"session_pubkey": key, "expiry_timestamp": expiry}
    return {"pubkey": key, "expiry": expiry}


def account(asked: Asked) -> object:
    """Open orders, positions, balances and margins of an account."""
    held = asked.account()
    tokens = asked.exchange.params.tokens
    return {
        "updateId": held.update_id,
        "orders": [_open_order(asked, order) for _, order in sorted(held.orders.items())],
        "positions": _positions(asked, held),
        "balances": [
            {"tokenId": token, "token": tokens[token].symbol, "amount": ATOMS(atoms)}
            for token, atoms in sorted(held.balances.items())
        ],
        "margins": _margins(asked, held),
    }


def _open_order(asked: Asked, order: Order) -> object:
    market = market_view(asked.exchange, order.market_id)
    return {
        "orderId": asked.id(order.order_id),
        "marketId": order.market_id,
        "side": SIDE_NAMES[order.side],
        "size": size_shown(asked, market, order.lots),
        "price": market.price(order.ticks),
        "originalOrderSize": size_shown(asked, market, order.placed_lots),
        "clientOrderId": order.client_order_id,
    }


def size_shown(asked: Asked, market: MarketView, lots: int) -> Number:
    """Size in base units, with the venue's binary noise when that is switched on (protocol 2)."""
    return market.size.noisy(lots) if asked.rules.float_noise else market.size(lots)


def _positions(asked: Asked, held: Account) -> list[object]:
    counts: dict[int, int] = {}
    for order in held.orders.values():
        counts[order.market_id] = counts.get(order.market_id, 0) + 1
    shown: list[object] = []
    for market_id in sorted(held.positions.keys() | counts.keys()):
        position = held.positions.get(market_id, Position())
        if position.lots or market_id in counts:
            perp = _perp(asked, market_id, position) if position.lots else None
            entry = {"marketId": market_id, "openOrders": counts.get(market_id, 0), "perp": perp}
            shown.append({**entry, "actionId": asked.id(position.action_id)})
    return shown


def _perp(asked: Asked, market_id: int, position: Position) -> object:
    market = market_view(asked.exchange, market_id)
    known = asked.exchange.state.markets[market_id]
    worth = known.index_lot_atoms * position.lots
    profit = ATOMS(worth - position.cost_atoms if known.index_lot_atoms else 0)
    return {
        "baseSize": size_shown(asked, market, abs(position.lots)),
        "price": _average(market, position),
        "updatedFundingRateIndex": funding_index(market, position.funding_index),
        "fundingPaymentPnl": ATOMS(unpaid_funding(position, known.funding_index)),
        "tradingPnl": profit,
        "sizePricePnl": profit,
        "isLong": position.lots > 0,
    }


def _average(market: MarketView, position: Position) -> Number:
    lot_atoms = abs(position.lots) * market.params.atoms_per_ticklot
    return average(abs(position.cost_atoms), lot_atoms, market.price)


def _margins(asked: Asked, held: Account) -> object:
    figures = asked.exchange.margins(held.account_id)
    return {
        "omf": ATOMS(figures.omf),
        "mf": ATOMS(figures.mf),
        "imf": ATOMS(figures.imf),
        "cmf": ATOMS(figures.cmf),
        "mmf": ATOMS(figures.mmf),
        "pon": ATOMS(figures.pon),
        "pn": ATOMS(figures.pn),
        "bankruptcy": figures.bankruptcy,
    }


def pubkey(asked: Asked) -> object:
    """Wallet of an account; the house has none."""
    held = asked.account()
    if held.account_id == HOUSE:
        not_found()
    return base58.encode(held.pubkey)


def fee_tier(asked: Asked) -> object:
    """Fee tier of an account."""
    return asked.account().fee_tier


def withdrawal_fee(asked: Asked) -> object:
    """What a withdrawal costs, USDC."""
    asked.account()
    return asked.exchange.params.withdraw_fee_usd


def count(asked: Asked) -> object:
    """How many accounts users have."""
    return len(asked.exchange.state.accounts) - 1


def fee_tiers(asked: Asked) -> object:
    """Fee tier of every account of a user."""
    accounts = asked.exchange.state.accounts
    rows = [accounts[key] for key in sorted(accounts) if key != HOUSE]
    return page(
        asked,
        rows,
        lambda held: held.account_id,
        lambda held: {"accountId": held.account_id, "feeTier": held.fee_tier},
    )
