"""The mistakes of reliability 0, as small quoting clients: the harness must see what they do.

RETRIES: a request without an answer is signed anew and sent again. FORGETS: what had no answer is
taken for not placed. WALL: a slot is free when the wall clock says that its bytes have expired.
"""

import asyncio
from enum import Enum

from mmbot.adapters.zo.wire.actions import CancelByClientId, PlaceOrder
from mmbot.adapters.zo.wire.outcomes import Accepted, Placed, Rejected
from mmbot.domain.order import FillMode
from mmbot.domain.status import Mode
from mmbot.errors import Unavailable
from tests.simulation.bot import Factory, Setting
from tests.simulation.careful import LOTS, Careful, Slot

TRIES = 5


class Mistake(Enum):
    """Which rule is broken."""

    RETRIES = "a fresh nonce and client id with every try"
    FORGETS = "an error means that nothing was placed"
    WALL = "expiry judged by the wall clock"


class Naive(Careful):
    """A careful bot but for one mistake."""

    def __init__(self, setting: Setting, mistake: Mistake) -> None:
        super().__init__(setting)
        self._mistake = mistake

    async def _place(self, slot: Slot, ticks: int) -> None:
        tries = TRIES if self._mistake is Mistake.RETRIES else 1
        for _ in range(tries):
            client_id, lots = self._hands.ids.next(), LOTS[slot.market]
            action = PlaceOrder(slot.market, slot.side, FillMode.POST_ONLY, ticks, lots, client_id)
            try:
                body, _ = self._hands.sign(action)
            except Unavailable:
                return
            slot.client_id, slot.ticks, slot.lots = client_id, ticks, lots
            sent_ns = self.setting.wall()
            outcome = await self._hands.send(body, action)
            if isinstance(outcome, Accepted):
                placed = outcome.results[0]
                assert isinstance(placed, Placed)
                slot.landed_at, slot.order_id = outcome.action_id, placed.order_id
                return
            if isinstance(outcome, Rejected):
                break
            if self._mistake is Mistake.WALL:
                await self._wait_for_wall(sent_ns, client_id)
            if self.mode is not Mode.QUOTING or self.eyes.blind(slot.market):
                break
        slot.free()

    async def _wait_for_wall(self, sent_ns: int, client_id: int) -> None:
        """Cancel once, and free the slot when the bytes must have expired by our own clock."""
        action = CancelByClientId(client_id)
        try:
            body, _ = self._hands.sign(action)
        except Unavailable:
            pass
        else:
            await self._hands.send(body, action)
        until_ns = sent_ns + (self.setting.lifetime_s + 1) * 10**9
        await asyncio.sleep(max(0, until_ns - self.setting.wall()) / 1e9)


def naive(mistake: Mistake) -> Factory:
    """Return what makes bots with a mistake."""
    return lambda setting: Naive(setting, mistake)
