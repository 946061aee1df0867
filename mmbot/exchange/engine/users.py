"""Users: who is known, and the account with money an unknown wallet may get (issue, exchange 4)."""

from mmbot.exchange.engine.admission import PUBKEY_BYTES
from mmbot.exchange.engine.money import deposit
from mmbot.exchange.engine.sessions import new_account
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import ATOMS_PER_USD, User


def ensure(venue: Venue, pubkey: bytes) -> User | None:
    """Return the wallet's user, made and funded now when the settings say so, else None."""
    state, params = venue.state, venue.params
    user = state.users.get(pubkey)
    full = len(state.users) >= params.memory.users
    if user is not None or not params.auto_fund_usd or full or len(pubkey) != PUBKEY_BYTES:
        return user
    user = state.users[pubkey] = User(pubkey)
    turn = Turn(venue)
    account = new_account(turn, user)
    deposit(turn, account.account_id, params.auto_fund_usd * ATOMS_PER_USD)
    turn.commit()
    return user


def fund(venue: Venue, account_id: int, usd_atoms: int) -> None:
    """Credit a deposit of `usd_atoms` (not negative) to an account."""
    if usd_atoms < 0:
        raise ValueError("a deposit is not negative")
    turn = Turn(venue)
    deposit(turn, account_id, usd_atoms)
    turn.commit()
