"""Everything of ours off the venue at the end of a run, and the proof of it, by REST alone.

The proof is two snapshots in a row without an order of this instance, a round trip apart, asked for
after anything in flight could have landed (reliability 3.2 rule 8, 3.3).
"""

import asyncio

from mmbot.adapters.web.clock import NS_PER_S
from mmbot.adapters.zo.rest.answers import RestingOrder
from mmbot.adapters.zo.rest.http import ZoHttp
from mmbot.adapters.zo.trading.company import Company
from mmbot.adapters.zo.trading.dispatch import Dispatch
from mmbot.adapters.zo.trading.params import TradedAccount
from mmbot.adapters.zo.trading.proof import Look, Proof
from mmbot.adapters.zo.trading.settling import Settling
from mmbot.errors import VenueError
from mmbot.ports import Leftovers


class Sweep:
    """Cancels what rests of this run and those before it, until the proof is complete.

    What a later run of this instance has placed is its own business (reliability X09).
    """

    def __init__(
        self,
        http: ZoHttp,
        traded: TradedAccount,
        dispatch: Dispatch,
        settling: Settling,
        pauses_ms: tuple[int, int],
    ) -> None:
        self._http = http
        self._traded = traded
        self._dispatch = dispatch
        self._settling = settling
        look_ms, split_ms = pauses_ms
        self._look_s = look_ms / 1000
        self._company = Company(dispatch, split_ms)

    async def run(self, deadline_s: float) -> Leftovers:
        """Cancel until nothing is left, or the time is up."""
        end_ns = self._dispatch.clock() + round(deadline_s * NS_PER_S)
        proof, last, reason = Proof(), None, "the venue could not be read"
        while (now_ns := self._dispatch.clock()) < end_ns:
            try:
                async with asyncio.timeout((end_ns - now_ns) / NS_PER_S):
                    last = await self._look()
            except (VenueError, TimeoutError) as error:
                reason = str(error) or "no answer in time"
            else:
                reason = "" if last.settled else "an action in flight may still land"
                if proof.note(last):
                    self._settling.all_gone()
                    return Leftovers(True)
                self._company.cancel(last.own)
                if not last.own and last.settled:
                    continue
            left_s = (end_ns - self._dispatch.clock()) / NS_PER_S
            await asyncio.sleep(max(0.0, min(self._look_s, left_s)))
        left = () if last is None else tuple(order.order_id for order in last.own)
        return Leftovers(False, left, reason or "the time was up")

    async def _look(self) -> Look:
        clock, engine_clock = self._dispatch.clock, self._dispatch.engine_clock
        sample = await self._http.timestamp()
        engine_clock.observe(sample.engine_s, sample.sent_ns, sample.received_ns)
        settled = not self._settling.may_land(self._dispatch.expired)
        asked_ns = clock()
        account_id, catalog = self._traded.signer.account_id, self._traded.catalog
        view = await self._http.account(account_id, catalog)
        if view is None:
            raise VenueError("the venue does not know the account")
        own = [order for order in view.orders if self._is_ours(order)]
        return Look(own, view.update_id, asked_ns, clock(), settled)

    def _is_ours(self, order: RestingOrder) -> bool:
        client_id, ids = order.client_order_id, self._traded.ids
        return client_id is not None and ids.owns(client_id) and not ids.later(client_id)
