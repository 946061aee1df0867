"""One round of cancels: atomics of four in parallel, split into single ones when they fail.

A batch is all or nothing, so one order that is already gone would keep three others alive. An
atomic without an answer is split too, without waiting for the end of its time.
"""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from mmbot.rescue.crew import Crew, Done
from mmbot.rescue.reading import Resting

if TYPE_CHECKING:
    from mmbot.adapters.zo.wire.actions import SessionAction
    from mmbot.adapters.zo.wire.outcomes import Outcome
    from mmbot.rescue.session import Pen

PARTS = 4
SPLIT_S = 0.6
# A round in which nothing is answered for so long is over: a look says more then.
STANDSTILL_S = 3.0
_TICK_S = 0.1


class Told:
    """What the venue has said of cancels in all rounds."""

    def __init__(self) -> None:
        self.gone: set[int] = set()
        self.key_refused = False
        self._readers: dict[int, Callable[[Done], None]] = {}

    def expect(self, number: int, read: Callable[[Done], None]) -> None:
        """Know what to do with the answer of a request."""
        self._readers[number] = read

    def hear(self, done: Done) -> None:
        """Take an answer, in its round or long after it."""
        read = self._readers.pop(done.number, None)
        if read is not None:
            read(done)


class Round:
    """Cancels orders as of one look."""

    def __init__(self, crew: Crew, pen: "Pen", engine_s: int, told: Told) -> None:
        self._crew = crew
        self._pen = pen
        self._engine_s = engine_s
        self._told = told
        self._open: dict[int, Sequence[Resting]] = {}
        self._single: set[int] = set()
        self._running = True
        self.trouble = ""

    def run(self, orders: Sequence[Resting], sought: Sequence[int]) -> None:
        """Cancel orders by the venue's ids and `sought` by the client's; returns when answered."""
        from mmbot.adapters.zo.wire.actions import CancelByClientId

        groups = [orders[at : at + PARTS] for at in range(0, len(orders), PARTS)]
        for group in groups:
            self._together(group)
        for client_id in sought:
            self._send(CancelByClientId(client_id), ())
        until = monotonic() + STANDSTILL_S
        while self._open and monotonic() < until:
            done = self._crew.take(_TICK_S)
            if done is not None:
                until = monotonic() + STANDSTILL_S
                self._open.pop(done.number, None)
                self._told.hear(done)
            for number, group in list(self._open.items()):
                if self._crew.waited_s(number) > SPLIT_S:
                    self._apart(group)
        self._running = False

    def _together(self, group: Sequence[Resting]) -> None:
        from mmbot.adapters.zo.wire.actions import Atomic, CancelById

        if len(group) == 1:
            self._alone(group[0])
            return
        parts = tuple(CancelById(each.order_id, each.market_id) for each in group)
        self._send(Atomic(parts), group)

    def _apart(self, group: Sequence[Resting]) -> None:
        if len(group) > 1:
            for order in group:
                self._alone(order)

    def _alone(self, order: Resting) -> None:
        from mmbot.adapters.zo.wire.actions import CancelById

        if order.order_id in self._told.gone or order.order_id in self._single:
            return
        self._single.add(order.order_id)
        self._send(CancelById(order.order_id, order.market_id), (order,))

    def _send(self, action: "SessionAction", orders: Sequence[Resting]) -> None:
        number = self._crew.send("/action", self._pen.sign(action, self._engine_s))
        self._open[number] = orders
        self._told.expect(number, lambda done: self._answered(done, action, orders))

    def _answered(self, done: Done, action: "SessionAction", orders: Sequence[Resting]) -> None:
        from mmbot.adapters.zo.wire.outcomes import Accepted, Cancelled, Rejected, read_outcome
        from mmbot.adapters.zo.wire.refusals import Group

        if done.answer is None:
            self.trouble = str(done.error)
        else:
            outcome: Outcome = read_outcome(done.answer.body, action, self._pen.account_id)
            if isinstance(outcome, Accepted):
                gone = [each for each in outcome.results if isinstance(each, Cancelled)]
                self._told.gone.update(each.order_id for each in gone)
                self._told.key_refused = False
                return
            if isinstance(outcome, Rejected):
                if outcome.refusal.group is Group.G3:
                    self._told.key_refused = True
                if outcome.refusal.group is not Group.G4:
                    self.trouble = f"refused: {outcome.refusal.name}"
            else:
                self.trouble = outcome.reason
        if self._running:
            self._apart(orders)
