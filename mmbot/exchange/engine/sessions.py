"""Sessions: opening, evicting, revoking and ending the keys that act for a wallet (5.4)."""

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine.admission import PUBKEY_BYTES
from mmbot.exchange.engine.refusals import RefusalError, refuse_unless
from mmbot.exchange.engine.settlement import cancel
from mmbot.exchange.engine.turn import Turn
from mmbot.exchange.engine.venue import Venue
from mmbot.exchange.model import Account, Session, User


def new_account(turn: Turn, user: User) -> Account:
    """Give a user one more account."""
    state = turn.state
    account = Account(state.next_account_id, user.pubkey)
    state.next_account_id += 1
    state.accounts[account.account_id] = account
    user.account_ids.append(account.account_id)
    return account


def create(turn: Turn, user: User | None, asked: pb.CreateSession) -> int:
    """Open a session and return its id; those that end first make room when the cap is reached."""
    venue, state, rules = turn.venue, turn.state, turn.venue.rules
    if user is None:
        raise RefusalError(pb.USER_NOT_FOUND)
    sized = len(asked.session_pubkey) == PUBKEY_BYTES
    refuse_unless(sized, pb.SIGNATURE_VERIFICATION_MALFORMED_PUBLIC_KEY)
    refuse_unless(asked.expiry_timestamp > state.now_s, pb.EXPIRY_TIMESTAMP_IN_PAST)
    if rules.session_max_s is not None:
        refuse_unless(asked.expiry_timestamp - state.now_s <= rules.session_max_s, pb.INVALID)
    while len(user.sessions) >= rules.session_cap:
        first = min(user.sessions.values(), key=lambda s: (s.expiry_s, s.session_id))
        close(turn, user, first.session_id, rules.revoke_cancels_orders)
    session = Session(state.next_session_id, asked.session_pubkey, asked.expiry_timestamp)
    state.next_session_id += 1
    user.sessions[session.session_id] = session
    state.session_owners[session.session_id] = user.pubkey
    if venue.expiry_s is not None:
        venue.expiry_s = min(venue.expiry_s, session.expiry_s)
    return session.session_id


def revoke(turn: Turn, user: User, session_id: int) -> None:
    """End a session at its wallet's wish."""
    close(turn, user, session_id, turn.venue.rules.revoke_cancels_orders)


def close(turn: Turn, user: User, session_id: int, cancels_orders: bool) -> None:
    """Forget a session; its id is never given again."""
    del user.sessions[session_id]
    del turn.state.session_owners[session_id]
    if not cancels_orders:
        return
    for account_id in user.account_ids:
        orders = turn.state.accounts[account_id].orders
        for order in [order for order in orders.values() if order.session_id == session_id]:
            cancel(turn, order)


def expire(venue: Venue) -> None:
    """End every session whose time has come, each by an action of the engine."""
    state = venue.state
    if venue.expiry_s is None or venue.expiry_s <= state.now_s:
        for session_id, pubkey in list(state.session_owners.items()):
            user = state.users[pubkey]
            if user.sessions[session_id].expiry_s <= state.now_s:
                turn = Turn(venue)
                close(turn, user, session_id, not venue.rules.resting_survive_session)
                turn.commit()
        expiries = [s.expiry_s for user in state.users.values() for s in user.sessions.values()]
        venue.expiry_s = min(expiries, default=2**63)
