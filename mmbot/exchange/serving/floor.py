"""The trading floor: what the server's rooms share, and the turn that keeps it going.

A turn lets engine time pass, applies the faults that are due and publishes what has happened.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from mmbot.exchange import model
from mmbot.exchange.faults import AnswerFaults, EngineFaults, Faults, Outgoing, SocketFaults
from mmbot.exchange.running.operation import Operation
from mmbot.exchange.running.pacing import MILLISECOND_NS, TICK_NS, SteppedPace
from mmbot.exchange.running.sockets import MAX_UNSENT_BYTES, Hub
from mmbot.exchange.serving.reference import Reference
from mmbot.exchange.views import frames, rest

DRAIN_S = 5.0
TURNS_AT_ONCE = 10


@dataclass(slots=True)
class Floor:
    """An exchange open for business; `pongs` False leaves pings unanswered."""

    operation: Operation
    hub: Hub
    faults: Faults
    outgoing: Outgoing
    reference: Reference
    answers: AnswerFaults
    engine_faults: EngineFaults
    socket_faults: SocketFaults
    pongs: bool

    def act(self, body: bytes) -> bytes:
        """Execute an action and publish what it did."""
        receipt = self.operation.act(body)
        self.publish()
        return receipt

    def view(self, path: str, query: Mapping[str, str]) -> rest.Answer:
        """Answer a GET."""
        answer = self.operation.view(path, query, self.answers.shapes())
        self.publish()
        return answer

    def fill(self, order_id: int) -> None:
        """Let the house fill an order."""
        self.operation.force({"do": "fill", "order": order_id, "frac": 1.0})

    def publish(self) -> None:
        """Tell the streams what happened since the last time."""
        exchange, outgoing = self.operation.exchange, self.outgoing
        changes = exchange.take_changes()
        if not changes:
            return
        wanted = None if self.faults.armed("acct.replay") else self.hub
        rules = self.answers.shapes()
        for change in changes:
            market = None if isinstance(change, model.AccountChange) else change.market_id
            if isinstance(change, model.BookChange):
                self.answers.book_changed(change.market_id)
            for stream, payload in frames.encode(exchange, change, wanted, rules):
                outgoing.send(stream, payload, market)

    def turn(self) -> None:
        """Bring everything to the time it is."""
        self.operation.tick()
        self.apply_faults()
        self.publish()
        self.reference.publish()

    def apply_faults(self) -> None:
        """Do what is due of the faults that act by themselves."""
        self.engine_faults.apply()
        self.socket_faults.apply()
        self.faults.forget_past()

    async def step(self, pace: SteppedPace, span_ns: int) -> None:
        """Let engine time pass in turns; whoever waits or reads is let in every few of them."""
        until_ns = pace.now_ns + span_ns
        for number in count(1):
            pace.move(min(until_ns, pace.now_ns + TICK_NS))
            self.turn()
            called = pace.call_due()
            if called or number % TURNS_AT_ONCE == 0 or pace.now_ns == until_ns:
                await asyncio.sleep(0)
                await self._drained()
            if pace.now_ns == until_ns:
                return

    async def _drained(self) -> None:
        """Wait for readers who are behind, for so long; then they are cut off as usual."""
        deadline = asyncio.get_running_loop().time() + DRAIN_S
        while self.hub.busiest > MAX_UNSENT_BYTES // 4:
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(MILLISECOND_NS / 1e9)
