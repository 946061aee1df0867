"""The judge: the invariants of reliability 2.1, from the exchange's truth and not the bot's word.

It looks at every action as it is sent and as it is executed, at every change of the account, and,
for what has a deadline, at regular moments. Where an invariant is about belief, it asks the bot.
"""

import asyncio
from hashlib import sha256
from typing import Any

from mmbot.adapters.zo.wire import codec
from mmbot.exchange.running.journal import Kind
from tests.simulation.deadlines import Deadlines
from tests.simulation.exchange import Venue
from tests.simulation.loop import VirtualLoop
from tests.simulation.losing import Losing
from tests.simulation.process import Process
from tests.simulation.requests import Request, Tap, read_request
from tests.simulation.resting import LATE_COPY_S, Resting
from tests.simulation.sending import Executions, Sendings
from tests.simulation.terms import Surroundings, Terms, Violation

LOOK_S = 0.05
QUIET_LOOKS, QUIET_S = 6, 0.35
MOST_KEPT = 50


class Judge:
    """Watches one account of an exchange; `violations` are what it found, first ones first."""

    def __init__(
        self, loop: VirtualLoop, venue: Venue, terms: Terms, surroundings: Surroundings
    ) -> None:
        self.violations: list[Violation] = []
        self.look_s = LOOK_S
        self.truth = sha256()
        self._loop = loop
        self._venue = venue
        self._terms = terms
        self.resting = Resting(venue, terms, self.report)
        self.sendings = Sendings(loop, venue, terms, surroundings, self.report)
        self.executions = Executions(loop, venue, terms, self.report)
        self.deadlines = Deadlines(loop, venue, terms, surroundings, self.report)
        self.losing = Losing(loop, venue, terms, surroundings, self.report)
        self._seen_update = -1
        venue.operation.watches.append(self._happened)
        loop.network.taps.append(Tap(self._sent))

    def report(self, invariant: str, text: str) -> None:
        """Note a broken invariant."""
        told = any(each.invariant == invariant and each.text == text for each in self.violations)
        if len(self.violations) < MOST_KEPT and not told:
            self.violations.append(Violation(invariant, self._loop.now_s, text))

    def begin(self) -> None:
        """Look at regular moments from now on."""
        self._loop.call_later(self.look_s, self._look)

    def exited(self, code: int) -> None:
        """The bot has ended by itself: with 0 it says that nothing of it rests (I11)."""
        self.resting.must_be_none = code == 0
        if code == 0:
            self.resting.check("I11")

    def started(self) -> None:
        """A bot runs again."""
        self.resting.must_be_none = False

    async def finish(self) -> None:
        """Judge what must hold when all is quiet (I7, I19, I20), in several moments."""
        always = self.deadlines.quiet()
        for _ in range(QUIET_LOOKS):
            await asyncio.sleep(QUIET_S)
            now = self.deadlines.quiet()
            always = {key: text for key, text in always.items() if key in now}
        for (invariant, _), text in always.items():
            self.report(invariant, text)

    def _look(self) -> None:
        view = self.deadlines.belief
        self.deadlines.look(view, used_up=self.sendings.cancels_used_up())
        self.sendings.look(view)
        self.losing.look()
        self._loop.call_later(self.look_s, self._look)

    def _sent(self, process: Process, body: bytes | None) -> None:
        if not process.name.startswith("bot"):
            return
        request = None if body is None else read_request(body)
        if body is None:
            self.sendings.read(process)
        elif request is None:
            self.report("I14", "bytes that are no action were sent")
        else:
            self.sendings.sent(request, process)

    def _happened(self, kind: Kind, content: bytes, result: Any) -> None:
        if kind is Kind.ACT:
            self._acted(content, result)
        account = self._venue.exchange.state.accounts.get(self._terms.account)
        if account is not None and account.update_id != self._seen_update:
            self._seen_update = account.update_id
            self.resting.check("I11")

    def _acted(self, body: bytes, receipt: bytes) -> None:
        request = read_request(body)
        if request is None or not self._is_ours(request):
            return
        accepted = codec.decode_receipt(receipt).WhichOneof("kind") != "err"
        self.truth.update(body)
        self.truth.update(receipt)
        if self.executions.executed(request, accepted):
            late = {place.client_id for place in request.places if place.client_id is not None}
            self.resting.late |= late
            self._loop.call_later(LATE_COPY_S, self._must_be_off, late)

    def _must_be_off(self, late: set[int]) -> None:
        self.resting.late -= late
        self.resting.check("I11")

    def _is_ours(self, request: Request) -> bool:
        if request.account is not None:
            return request.account == self._terms.account
        owner = self._venue.exchange.state.session_owners.get(request.session)
        user = None if owner is None else self._venue.exchange.state.users[owner]
        return user is not None and self._terms.account in user.account_ids
