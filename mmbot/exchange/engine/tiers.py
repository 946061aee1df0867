"""Fee tiers: each UTC day an account gets the tier of what it traded in the 30 days before.

A tier holds above its volume, strictly (protocol 6). Volumes are kept by UTC day, in atoms of
notional; an account's trade with itself counts once.
"""

from collections.abc import Sequence

from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import ATOMS_PER_USD, HOUSE, Trade
from mmbot.exchange.params import ExchangeParams, FeeTier
from mmbot.exchange.state import HOUR_NS, State

DAY_NS = 24 * HOUR_NS
WINDOW_DAYS = 30


def count(state: State, params: ExchangeParams, trades: Sequence[Trade]) -> None:
    """Add final trades to the volumes of the day."""
    day = state.now_ns // DAY_NS
    for trade in trades:
        traders = {trade.taker_id, trade.maker_id} - {HOUSE}
        for account_id in traders:
            value = trade.lots * trade.ticks * params.markets[trade.market_id].atoms_per_ticklot
            volume = state.volumes.setdefault(account_id, {})
            volume[day] = volume.get(day, 0) + value


def begin_day(venue: Venue) -> None:
    """Give every account the tier of its volume, at the start of a UTC day; forget what is older.

    Settings without volumes leave the tiers alone.
    """
    state, tiers = venue.state, venue.params.fee_tiers
    oldest = state.now_ns // DAY_NS - WINDOW_DAYS
    kept = {
        account_id: {day: atoms for day, atoms in volume.items() if day >= oldest}
        for account_id, volume in state.volumes.items()
    }
    state.volumes = {account_id: volume for account_id, volume in kept.items() if volume}
    if any(tier.from_volume_usd is not None for tier in tiers):
        for account in state.accounts.values():
            traded = sum(state.volumes.get(account.account_id, {}).values())
            account.fee_tier = tier_of(tiers, traded)


def tier_of(tiers: Sequence[FeeTier], atoms: int) -> int:
    """Return the last tier whose volume is exceeded, 0 when none is."""
    found = 0
    for place, tier in enumerate(tiers):
        if tier.from_volume_usd is not None and atoms > tier.from_volume_usd * ATOMS_PER_USD:
            found = place
    return found
