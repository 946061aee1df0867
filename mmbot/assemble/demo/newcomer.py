"""A new wallet at a local exchange, with an account, money and a session; nothing is stored."""

from typing import NamedTuple

from mmbot.adapters.zo.engine_time import EngineClock
from mmbot.adapters.zo.keys.session import (
    known_user,
    read_engine_time,
    session_request,
    submit,
)
from mmbot.adapters.zo.keys.session_files import StoredSession
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.wire.signing import Keypair, WalletSigner

DAY_S = 86_400


class Newcomer(NamedTuple):
    """Whoever has just come: what signs for it, and its account."""

    session: StoredSession
    account_id: int


async def newcomer(http: ZoHttp, venue: str) -> Newcomer:
    """Make throw-away keys and a session of a day; the exchange funds whom it first sees.

    SecretError when it does not, a VenueError when it cannot be reached.
    """
    wallet = Keypair.generate()
    user = await known_user(http, wallet.public)
    clock = EngineClock()
    stamp_s = await read_engine_time(http, clock)
    request = session_request(WalletSigner(wallet), stamp_s, DAY_S)
    return Newcomer(await submit(http, venue, request), user.account_ids[0])
