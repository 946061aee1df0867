"""How the test doubles act: what they sign, send, ask and sweep away."""

import asyncio
from itertools import count

from mmbot.adapters.zo.rest.answers import AccountView
from mmbot.adapters.zo.wire.actions import CancelByClientId, CancelById, SessionAction
from mmbot.adapters.zo.wire.outcomes import Accepted, Outcome, Unknown
from mmbot.adapters.zo.wire.signing import SessionSigner
from mmbot.errors import Unavailable, VenueError
from mmbot.execution.order_ids import OrderIds
from tests.simulation.eyes import Eyes


class Hands:
    """Acts for one run of a double. `ids` are the run's own."""

    def __init__(self, eyes: Eyes, ids: OrderIds) -> None:
        setting = eyes.setting
        self.ids = ids
        self._eyes = eyes
        self._nonces = count(setting.rng.randrange(1 << 31))
        self._signer = SessionSigner(
            setting.keypair, setting.session, setting.account, setting.lifetime_s
        )

    def sign(self, action: SessionAction) -> tuple[bytes, int]:
        """Return the bytes of an action and their stamp; Unavailable without engine time."""
        now_ns = self._eyes.setting.clock()
        stamp = self._eyes.clock.stamp(self._eyes.setting.lifetime_s, now_ns)
        now_s = self._eyes.clock.now_s(now_ns)
        return self._signer.sign(action, stamp, next(self._nonces), max(now_s, stamp)), stamp

    async def send(self, body: bytes, action: SessionAction) -> Outcome:
        """Send bytes once."""
        try:
            return await self._eyes.http.act(body, action, self._eyes.setting.account)
        except VenueError as error:
            return Unknown(str(error))

    async def cancelled(self, client_id: int) -> bool:
        """Cancel an order by our id; whether there was one."""
        action = CancelByClientId(client_id)
        try:
            body, _ = self.sign(action)
        except Unavailable:
            return False
        return isinstance(await self.send(body, action), Accepted)

    async def account(self) -> AccountView | None:
        """Read the account; None when the venue does not say."""
        try:
            return await self._eyes.http.account(self._eyes.setting.account, self._eyes.catalog)
        except VenueError:
            return None

    async def sweep(self, after_s: float) -> None:
        """Cancel what is ours until two snapshots lack it, the last `after_s` from now or later."""
        clean, clock = 0, self._eyes.clock
        until_ns = clock.range_ns(self._eyes.setting.clock())[0] + round(after_s * 1e9)
        while clean < 2:
            view = await self.account()
            mine = (
                [each for each in view.orders if self._is_ours(each.client_order_id)]
                if view
                else []
            )
            for each in mine:
                action = CancelById(each.order_id)
                try:
                    body, _ = self.sign(action)
                except Unavailable:
                    break
                await self.send(body, action)
            late = clock.range_ns(self._eyes.setting.clock())[0] >= until_ns
            clean = clean + 1 if view is not None and not mine and late else 0
            await asyncio.sleep(0.2)

    def _is_ours(self, client_id: int | None) -> bool:
        return client_id is not None and self.ids.owns(client_id)
