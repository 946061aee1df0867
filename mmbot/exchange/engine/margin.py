"""Margin of an account in whole atoms at the index price (protocol 7, "in USD terms").

omf is taken as mf: resting orders lose nothing until they fill. Reduce-only orders can never add
to a position, so they are not counted as what could be opened. A market without an index price
values a position at its cost.
"""

from collections.abc import Iterable
from typing import NamedTuple

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.domain.order import Side
from mmbot.exchange.engine.refusals import RefusalError
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import USDC, Account, Order, Position

PPM = 1_000_000
_BPS = 10_000


class Margins(NamedTuple):
    """The figures of `/account`, in atoms; imf, cmf and mmf are rounded up."""

    omf: int
    mf: int
    imf: int
    cmf: int
    mmf: int
    pon: int
    pn: int
    bankruptcy: bool

    @property
    def may_open(self) -> bool:
        """Whether nothing forbids more exposure."""
        return self.omf > self.imf


def unpaid_funding(position: Position, funding_index: int) -> int:
    """Funding the position has earned (negative: owes) since it last changed, in atoms."""
    return -position.lots * (funding_index - position.funding_index)


def margins(venue: Venue, account: Account) -> Margins:
    """Value an account as it stands."""
    weight = venue.params.tokens[USDC].weight_bps
    equity = account.balances.get(USDC, 0)
    equity = equity * weight // _BPS if equity > 0 else equity
    pon = pn = imf = cmf = mmf = 0
    open_lots = _open_lots(account.orders.values())
    for market_id in account.positions.keys() | open_lots.keys():
        market, terms = venue.state.markets[market_id], venue.params.markets[market_id]
        position = account.positions.get(market_id)
        lots, price = 0, market.index_lot_atoms
        if position is not None:
            lots = position.lots
            equity += unpaid_funding(position, market.funding_index)
            if price:
                equity += lots * price - position.cost_atoms
            elif lots:
                price = abs(position.cost_atoms // lots)
        bids, asks = open_lots.get(market_id, (0, 0))
        held = abs(lots) * price
        most = max(abs(lots + bids), abs(lots - asks)) * price
        pn += held
        pon += most
        imf += most * terms.imf_ppm
        cmf += most * terms.cmf_ppm
        mmf += held * terms.mmf_ppm
    broke = equity < 0 and not pn
    return Margins(equity, equity, -(-imf // PPM), -(-cmf // PPM), -(-mmf // PPM), pon, pn, broke)


def _open_lots(orders: Iterable[Order]) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for order in orders:
        if not order.reduce_only:
            bids, asks = found.get(order.market_id, (0, 0))
            if order.side is Side.BID:
                bids += order.lots
            else:
                asks += order.lots
            found[order.market_id] = (bids, asks)
    return found


def check_opening(before: Margins, after: Margins, traded: bool) -> None:
    """Refuse an action that places when it leaves the account without margin.

    With omf > imf all is well. Otherwise the action must add nothing to positions and orders (226
    if it does); an account in need of liquidation must not get worse (228), and a trade must not
    bring a sound one to where orders are cancelled (229).
    """
    if after.may_open:
        return
    if after.pon > before.pon or after.pn > before.pn or after.pon == before.pon == 0:
        raise RefusalError(pb.RISK_OMF_LESS_THAN_OR_EQUAL_IMF)
    if after.mf < after.mmf and after.mf * before.pon < before.mf * after.pon:
        raise RefusalError(pb.RISK_UNHEALTHY_MF_AND_PON_AFTER_BETTER_OF_BEFORE)
    if traded and after.omf <= after.cmf and before.omf > before.cmf:
        raise RefusalError(pb.RISK_TRADE_OMF_LESS_THAN_OR_EQUAL_CMF)


def check_paying_out(after: Margins) -> None:
    """Refuse a payment that leaves open orders or positions without initial margin."""
    if after.imf and not after.may_open:
        raise RefusalError(pb.RISK_OMF_LESS_THAN_OR_EQUAL_IMF)
