"""One smallest post-only bid far below the market: placed, seen, cancelled, proven gone."""

import asyncio
import secrets
import time
from typing import NamedTuple

from mmbot.adapters.zo.engine_time import EngineClock, EngineSeconds
from mmbot.adapters.zo.keys.session import read_engine_time
from mmbot.adapters.zo.rest.answers import AccountView, Catalog, Listing, RestingOrder
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.wire.actions import CancelByClientId, CancelById, PlaceOrder, SessionAction
from mmbot.adapters.zo.wire.outcomes import Accepted, Outcome, Placed, Rejected, Unknown
from mmbot.adapters.zo.wire.signing import SessionSigner
from mmbot.domain.order import FillMode, Side
from mmbot.errors import OutcomeUnknown, ProtocolViolation, VenueError

FAR_PCT = 5
CLIENT_ID_BITS = 52
LOOKS_COUNT = 20
LOOK_EVERY_S = 0.25
CLEAN_LOOKS_COUNT = 2
# One a second, for longer than the 61 s within which a lost request may still arrive.
UNPROVEN_LOOKS_COUNT = 90


class Desk(NamedTuple):
    """With what the order is placed."""

    http: ZoHttp
    clock: EngineClock
    signer: SessionSigner
    catalog: Catalog


async def try_order(desk: Desk, listing: Listing) -> str:
    """Place and cancel; returns what was done.

    Raises a VenueError when a step fails. Whatever happened to the place, the order is gone when
    this returns or raises anything but OutcomeUnknown.
    """
    ticks = await _far_below(desk.http, listing)
    client_id = secrets.randbits(CLIENT_ID_BITS) | 1
    order = PlaceOrder(listing.market_id, Side.BID, FillMode.POST_ONLY, ticks, 1, client_id)
    stamp = await read_engine_time(desk.http, desk.clock)
    outcome: Outcome = Unknown("interrupted")
    try:
        outcome = await _send(desk, order)
        seen = await _resting(desk, client_id, outcome)
    finally:
        if not isinstance(outcome, Rejected):
            await _take_back(desk, client_id, None if isinstance(outcome, Accepted) else stamp)
    market = listing.market(0)
    return (
        f"{market.size(seen.lots)} {listing.symbol} bid at {market.price(ticks)} rested as order "
        f"{seen.order_id}, was cancelled and is gone"
    )


async def _far_below(http: ZoHttp, listing: Listing) -> int:
    book = await http.orderbook(listing)
    if not book.bids:
        raise ProtocolViolation(f"{listing.symbol} has no bids to stay behind")
    ticks = book.bids[0].ticks * (100 - FAR_PCT) // 100
    if ticks < 1:
        raise ProtocolViolation(f"{listing.symbol} has no price {FAR_PCT} % below its best bid")
    return ticks


async def _send(desk: Desk, action: SessionAction) -> Outcome:
    now_ns = time.monotonic_ns()
    stamp = desk.clock.stamp(desk.signer.lifetime_s, now_ns)
    now_s = desk.clock.now_s(now_ns)
    body = desk.signer.sign(action, stamp, secrets.randbits(32), now_s)
    return await desk.http.act(body, action, desk.signer.account_id)


async def _resting(desk: Desk, client_id: int, outcome: Outcome) -> RestingOrder:
    """Return the order as the account shows it; VenueError when the place did not succeed."""
    if isinstance(outcome, Rejected):
        refusal = outcome.refusal
        raise VenueError(f"the order was refused: {refusal.name} ({refusal.number})")
    if isinstance(outcome, Unknown):
        # Only told when the order was taken back: that raises when it cannot be proven.
        raise VenueError(f"no sound answer to the order, which is gone now: {outcome.reason}")
    (placed,) = outcome.results
    for _ in range(LOOKS_COUNT):
        found = _by_client_id(await _account(desk), client_id)
        if found is not None:
            if isinstance(placed, Placed) and found.order_id == placed.order_id:
                return found
            raise ProtocolViolation("the account shows another order id than the receipt")
        await asyncio.sleep(LOOK_EVERY_S)
    raise ProtocolViolation("the account does not show the order that was accepted")


async def _take_back(desk: Desk, client_id: int, unproven: EngineSeconds | None) -> None:
    """Cancel until the account shows the order no more, twice.

    `unproven` is the stamp of a place whose outcome is unknown: until it has expired the order
    may still appear. OutcomeUnknown when its absence cannot be proven in time.
    """
    clean = 0
    looks, pause_s = (
        (LOOKS_COUNT, LOOK_EVERY_S) if unproven is None else (UNPROVEN_LOOKS_COUNT, 1.0)
    )
    for _ in range(looks):
        try:
            await read_engine_time(desk.http, desk.clock)
            found = _by_client_id(await _account(desk), client_id)
            if found is not None:
                # It has landed: what else may arrive of it is a duplicate.
                clean, unproven = 0, None
                await _send(desk, CancelById(found.order_id))
            elif unproven is not None and not desk.clock.expired(unproven):
                await _send(desk, CancelByClientId(client_id))
            else:
                clean += 1
        except VenueError:
            clean = 0
        if clean >= CLEAN_LOOKS_COUNT:
            return
        await asyncio.sleep(pause_s)
    raise OutcomeUnknown(
        f"the order with client id {client_id} may still rest: look at the account and cancel it"
    )


async def _account(desk: Desk) -> AccountView:
    found = await desk.http.account(desk.signer.account_id, desk.catalog)
    if found is None:
        raise ProtocolViolation("the account is not there any more")
    return found


def _by_client_id(account: AccountView, client_id: int) -> RestingOrder | None:
    return next((each for each in account.orders if each.client_order_id == client_id), None)
