"""Exchange: the whole venue behind one face; synchronous, without clock or I/O, deterministic.

Engine time is what `advance` says. Everything that happens is an action with the next id: a user's
action, a batch of background rows, an hour's funding, an order of the venue itself. What streams
must tell waits in `take_changes`; whoever owns the exchange takes it, or it grows.
"""

from mmbot.exchange.engine import (
    actions,
    audit,
    background,
    clockwork,
    margin,
    prices,
    saving,
    users,
)
from mmbot.exchange.engine.margin import Margins
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import Change, User
from mmbot.exchange.params import ExchangeParams


class Exchange:
    """Accounts, orders, positions and money of many users on several markets.

    `params`, `rules`, `state` and `clobs` (by market id) are there to be read; `rules` may be
    turned while running. `venue` is the same as one bundle, for `interventions`.
    """

    def __init__(self, params: ExchangeParams, start_ns: int) -> None:
        """Open all markets, empty, at an engine time in nanoseconds."""
        self.params = params
        self.venue = Venue(params, start_ns)
        self._show()
        for market_id, market in enumerate(params.markets):
            if market.start_price is not None:
                self.set_index(market_id, market.start_price * 10**market.price_decimals)

    def _show(self) -> None:
        self.state, self.rules, self.clobs = self.venue.state, self.venue.rules, self.venue.clobs

    def act(self, body: bytes) -> bytes:
        """Carry out the body of a POST /action; return the framed receipt, whatever came in."""
        return actions.act(self.venue, body)

    def advance(self, now_ns: int) -> None:
        """Let engine time become `now_ns`: hours, sessions, triggers, margins. It may jump back."""
        clockwork.advance(self.venue, now_ns)

    def background(self, market_id: int, rows: bytes) -> None:
        """Apply packed rows of the background market; ValueError when they are not rows."""
        background.apply(self.venue, market_id, rows)

    def set_index(self, market_id: int, ticks: float) -> None:
        """Set the oracle price in ticks; ValueError when it is not a positive number."""
        prices.set_index(self.venue, market_id, ticks)

    def ensure_user(self, pubkey: bytes) -> User | None:
        """Look a wallet up; with `auto_fund_usd` an unknown one gets an account with money."""
        return users.ensure(self.venue, pubkey)

    def fund(self, account_id: int, usd_atoms: int) -> None:
        """Credit a deposit; KeyError when there is no such account."""
        users.fund(self.venue, account_id, usd_atoms)

    def margins(self, account_id: int) -> Margins:
        """Return an account's margin figures at this moment, in atoms."""
        return margin.margins(self.venue, self.state.accounts[account_id])

    def take_changes(self) -> list[Change]:
        """Return and forget what streams must publish, in engine order."""
        taken, self.venue.changes = self.venue.changes, []
        return taken

    def violations(self) -> list[str]:
        """Audit everything; what is returned must be empty."""
        return audit.violations(self.venue)

    def dump(self) -> bytes:
        """Return everything as bytes; changes not taken yet are not part of it."""
        return saving.dump(self.venue)

    def load(self, saved: bytes) -> None:
        """Become what `dump` returned; DataError, and nothing happens, when it is not that."""
        saving.load(self.venue, saved)
        self._show()
