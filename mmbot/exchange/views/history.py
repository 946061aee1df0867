"""Views of what happened to an account's money: profit, funding, transfers, liquidations (3.11).

Profit and funding carry the field names of both generations of clients, with the same figures.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

from mmbot.adapters.zo.wire import base58
from mmbot.domain.order import Side
from mmbot.exchange.model import (
    ATOMS_PER_USD,
    FundingPaid,
    Liquidated,
    PnlRealised,
    Transferred,
)
from mmbot.exchange.views.accounts import size_shown
from mmbot.exchange.views.asked import SIDE_NAMES, Asked, market_view
from mmbot.exchange.views.decimals import ATOMS, ratio, timestamp
from mmbot.exchange.views.markets import funding_index
from mmbot.exchange.views.paging import Keyed, OfAction, in_time, key_of, keyed, page

_OfActionT = TypeVar("_OfActionT", bound=OfAction)


def _page(
    asked: Asked,
    rows: Iterable[_OfActionT],
    show: Callable[[Keyed[_OfActionT]], object],
    keep: Callable[[Keyed[_OfActionT]], bool] | None = None,
) -> object:
    return page(asked, in_time(asked, keyed(rows)), key_of, show, keep=keep)


def pnl(asked: Asked) -> object:
    """Profit realised, per action and market."""
    account_id = asked.account().account_id

    def show(found: Keyed[PnlRealised]) -> object:
        row = found.row
        trading, funding = ATOMS(row.trading_atoms), ATOMS(row.funding_atoms)
        return {
            "time": timestamp(row.time_ns),
            "actionId": asked.id(row.action_id),
            "accountId": row.account_id,
            "marketId": row.market_id,
            "tradingPnl": trading,
            "settledFundingPnl": funding,
            "positionSize": size_shown(asked, market_view(asked.exchange, row.market_id), row.lots),
            "pricePnlDelta": trading,
            "fundingPnlDelta": funding,
            "pnl": ATOMS(row.trading_atoms + row.funding_atoms),
        }

    rows = asked.exchange.state.pnl
    return _page(asked, (row for row in rows if row.account_id == account_id), show)


def pnl_summary(asked: Asked) -> object:
    """Profit realised, summed per market."""
    account_id = asked.account().account_id
    market = asked.integer("marketId")
    sums: dict[int, tuple[int, int]] = {}
    for row in in_time(asked, asked.exchange.state.pnl):
        if row.account_id == account_id and market in (None, row.market_id):
            trading, funding = sums.get(row.market_id, (0, 0))
            sums[row.market_id] = (trading + row.trading_atoms, funding + row.funding_atoms)
    items = [
        {"marketId": market_id, "tradingPnl": ATOMS(trading), "settledFundingPnl": ATOMS(funding)}
        for market_id, (trading, funding) in sorted(sums.items())
    ]
    return {"items": items}


def funding(asked: Asked) -> object:
    """Funding of every hour a position was held; positive is received."""
    account_id = asked.account().account_id
    wanted = asked.integer("marketId")

    def show(found: Keyed[FundingPaid]) -> object:
        row = found.row
        market = market_view(asked.exchange, row.market_id)
        return {
            "time": timestamp(row.time_ns),
            "actionId": asked.id(row.action_id),
            "marketId": row.market_id,
            "positionSize": size_shown(asked, market, row.lots),
            "fundingPnl": ATOMS(row.atoms),
            "fundingRate": ratio(row.rate),
            "fundingSize": market.size(abs(row.lots)),
            "side": SIDE_NAMES[Side.BID if row.lots > 0 else Side.ASK],
            "fundingIndexChange": funding_index(market, row.index_change_atoms),
            "market": {"market_id": row.market_id, "market_symbol": market.params.symbol},
        }

    rows = asked.exchange.state.funding
    return _page(
        asked,
        (row for row in rows if row.account_id == account_id),
        show,
        lambda found: wanted in (None, found.row.market_id),
    )


def deposits(asked: Asked) -> object:
    """Money that came from outside."""
    return _page(
        asked,
        _from_outside(asked, 1),
        lambda found: {**_moved(asked, found.row), "eventIndex": found.key},
    )


def withdrawals(asked: Asked) -> object:
    """Money that left the exchange; `amount` is without the fee."""
    fee = asked.exchange.params.withdraw_fee_usd * ATOMS_PER_USD
    dest = base58.encode(asked.account().pubkey)
    return _page(
        asked,
        _from_outside(asked, -1),
        lambda found: {
            **_moved(asked, found.row),
            "amount": ATOMS(-found.row.atoms - fee),
            "fee": ATOMS(fee),
            "destPubkey": dest,
        },
    )


def _from_outside(asked: Asked, sign: int) -> list[Transferred]:
    # A transfer between accounts has a record on either side of the same action.
    account_id = asked.account().account_id
    rows = asked.exchange.state.transfers
    sides = Counter(row.action_id for row in rows)
    return [
        row
        for row in rows
        if row.account_id == account_id and row.atoms * sign > 0 and sides[row.action_id] == 1
    ]


def _moved(asked: Asked, row: Transferred) -> dict[str, object]:
    return {
        "time": timestamp(row.time_ns),
        "actionId": asked.id(row.action_id),
        "accountId": row.account_id,
        "tokenId": row.token_id,
        "amount": ATOMS(row.atoms),
        "balance": ATOMS(row.balance_atoms),
    }


def liquidations(asked: Asked) -> object:
    """What the exchange did to an account short of margin, with its margins before each step."""
    account_id = asked.account().account_id

    def show(found: Keyed[Liquidated]) -> object:
        row = found.row
        return {
            "time": timestamp(row.time_ns),
            "actionId": asked.id(row.action_id),
            "accountId": row.account_id,
            "marketId": row.market_id,
            "fee": 0.0,
            "liquidationKind": row.kind,
            "preMf": ATOMS(row.mf_atoms),
            "preOmf": ATOMS(row.omf_atoms),
            "preImf": ATOMS(row.imf_atoms),
            "preCmf": ATOMS(row.cmf_atoms),
            "preMmf": ATOMS(row.mmf_atoms),
        }

    rows = asked.exchange.state.liquidations
    return _page(asked, (row for row in rows if row.account_id == account_id), show)
