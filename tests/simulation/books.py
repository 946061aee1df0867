"""The bot's books against the exchange's, when a run has ended well: positions, and money (I10).

Money is what trades brought and cost, fees included; equal lots and equal money are equal profit at
any price. No fill may be missing, doubled or wrong by more than a hundredth of a cent in all.
"""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from mmbot.exchange.model import Trade
from mmbot.ledger.folds import books
from mmbot.ledger.reader import LedgerReader, Window
from tests.simulation.exchange import Venue

EXCHANGE_ATOMS_PER_USD = 10**12
NEAR_USD = Fraction(1, 10_000)


def wrong(venue: Venue, account: int, folder: Path) -> Iterator[str]:
    """Yield what the bot's ledger has otherwise than the exchange; nothing without a ledger."""
    lots: Counter[str] = Counter()
    cash: Counter[str] = Counter()
    forgotten = _forgets(venue)
    for trade in venue.exchange.state.trades:
        market = venue.exchange.params.markets[trade.market_id]
        atoms = 10 ** (12 - market.price_decimals - market.size_decimals)
        for side, fee_atoms in _ours(trade, account):
            lots[market.symbol] += side * trade.lots
            cash[market.symbol] -= side * trade.lots * trade.ticks * atoms + fee_atoms
    if forgotten:
        # What is held is what was traded, as nobody else trades here.
        held_now = venue.exchange.state.accounts[account].positions
        markets = venue.exchange.params.markets
        lots = Counter({markets[place].symbol: each.lots for place, each in held_now.items()})
    for path in folder.glob("*.ledger"):
        with LedgerReader(path) as reader:
            kept = {book.market.symbol: book.position for book in books(reader, Window())}
        for symbol in {*lots, *kept}:
            position = kept.get(symbol)
            held = 0 if position is None else position.lots
            money = Fraction(0)
            if position is not None:
                atoms = position.cash_atoms - position.fees_atoms
                money = Fraction(position.market.atom) * atoms
            truth = Fraction(cash[symbol], EXCHANGE_ATOMS_PER_USD)
            if held != lots[symbol]:
                yield f"{symbol}: the ledger has {held} lots, traded were {lots[symbol]}"
            elif not forgotten and abs(money - truth) > NEAR_USD:
                yield f"{symbol}: the ledger has {float(money)} USD, trades made {float(truth)}"


def _forgets(venue: Venue) -> bool:
    """Whether the exchange has forgotten trades: it keeps so many at most."""
    return len(venue.exchange.state.trades) >= venue.exchange.params.memory.trades


def _ours(trade: Trade, account: int) -> Iterator[tuple[int, int]]:
    if trade.taker_id == account:
        yield int(trade.taker_side), trade.taker_fee_atoms
    if trade.maker_id == account:
        yield -int(trade.taker_side), trade.maker_fee_atoms
