"""Funding: every full hour the longs of a market pay its shorts, or the other way (protocol 6).

rate = mean over the hour of (mark - index) / index, divided by `premium_hours`, within `cap_pct`.
The market's funding index grows by rate x value of a lot at the index, whole atoms, so that what
one side pays is what the other gets. A position is paid when it next changes; what is not paid
yet counts as equity.
"""

from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import HOUSE, Account, FundingPaid, HourSnapshot
from mmbot.exchange.params import FundingParams
from mmbot.exchange.state import HOUR_NS, Market


def projected_rate(params: FundingParams, market: Market) -> float | None:
    """Return what the hour's rate would be now, None right after a payment."""
    elapsed = market.sampled_ns % HOUR_NS
    if not elapsed:
        return None
    return rate_of(params, market.premium_ns / elapsed)


def rate_of(params: FundingParams, mean_premium: float) -> float:
    """Return the hourly rate for a mean premium, bounded."""
    cap = params.cap_pct / 100
    return min(max(mean_premium / params.premium_hours, -cap), cap)


def sample(market: Market, now_ns: int) -> None:
    """Count the premium of the time since the last sample; it stood as it is now."""
    index, mark = market.index_ticks, market.mark_ticks
    if now_ns <= market.sampled_ns:
        return
    if index and mark is not None:
        market.premium_ns += (mark - index) / index * (now_ns - market.sampled_ns)
    market.sampled_ns = now_ns


def pay_hour(venue: Venue) -> None:
    """Close the hour that ends now, every market by an action of its own."""
    params = venue.params.funding
    for market in venue.state.markets:
        turn = Turn(venue)
        market.funding_rate = rate_of(params, market.premium_ns / HOUR_NS)
        market.premium_ns = 0.0
        change = round(market.funding_rate * market.index_lot_atoms)
        market.funding_index += change
        turn.records.hours.append(_snapshot(turn, market))
        for account in venue.state.accounts.values():
            _record(turn, account, market, change)
        turn.commit()
    venue.state.margins_due = True


def _snapshot(turn: Turn, market: Market) -> HourSnapshot:
    return HourSnapshot(
        turn.now_ns,
        turn.action_id,
        market.market_id,
        market.funding_index,
        market.funding_rate,
        market.index_ticks,
        market.mark_ticks,
    )


def _record(turn: Turn, account: Account, market: Market, change: int) -> None:
    position = account.positions.get(market.market_id)
    if account.account_id == HOUSE or position is None or not position.lots:
        return
    turn.records.funding.append(
        FundingPaid(
            turn.now_ns,
            turn.action_id,
            account.account_id,
            market.market_id,
            market.funding_rate,
            change,
            position.lots,
            -position.lots * change,
        )
    )
