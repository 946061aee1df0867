"""An action goes out: stamped with the engine's time, signed, written; its answer is judged.

The stamp is dated back so that the venue itself refuses the bytes after `lifetime_s`
(reliability 0.2); the host's clock is in none of it.
"""

from collections.abc import Callable
from functools import partial
from random import Random

from msgspec import Struct

from mmbot.adapters.web.clock import Clock
from mmbot.adapters.zo.engine_time import WINDOW_S, ClockState, EngineClock, EngineSeconds
from mmbot.adapters.zo.rest.action_line import Answer, Lost
from mmbot.adapters.zo.rest.gateway import judge
from mmbot.adapters.zo.trading.health import Answered, Health
from mmbot.adapters.zo.trading.params import Line
from mmbot.adapters.zo.wire.actions import (
    CancelByClientId,
    CancelById,
    PlaceOrder,
    SessionAction,
)
from mmbot.adapters.zo.wire.outcomes import Accepted, NotSent, Unknown
from mmbot.adapters.zo.wire.signing import SessionSigner
from mmbot.errors import Unavailable

# Members of an enum are slow to look up.
_OK = ClockState.OK
_NONCES = 1 << 32
# Past the last second in which bytes can run, by a second shown (reliability 3.2).
EXPIRY_MARGIN_S = 1


class Signed(Struct, frozen=True, gc=False):
    """The bytes of an action: they take effect at most once, and not after their stamp's end."""

    action: SessionAction
    body: bytes
    stamp: EngineSeconds


Judged = Callable[[Answered], None]


class Dispatch:
    """Signs and sends for one session. `engine_clock` is the engine's time as it is known."""

    __slots__ = (
        "_barred",
        "_health",
        "_line",
        "_nonce",
        "_signer",
        "account_id",
        "clock",
        "engine_clock",
        "pace",
    )

    def __init__(
        self,
        line: Line,
        signer: SessionSigner,
        clocks: tuple[Clock, EngineClock],
        rng: Random,
        health: Health,
        barred: Callable[[int], str | None],
    ) -> None:
        self.pace = health.pace
        self.clock, self.engine_clock = clocks
        self.account_id = signer.account_id
        self._line = line
        self._signer = signer
        self._nonce = rng.getrandbits(32)
        self._health = health
        self._barred = barred

    def sign(self, action: SessionAction, now_ns: int) -> Signed:
        """Make the bytes of an action.

        Raises Unavailable without the engine's time, ActionError for what is not allowed.
        """
        lifetime_s = min(self._signer.lifetime_s, WINDOW_S)
        stamp, now_s = self.engine_clock.stamp_and_now_s(lifetime_s, now_ns)
        self._nonce = (self._nonce + 1) % _NONCES
        return Signed(action, self._signer.sign(action, stamp, self._nonce, now_s), stamp)

    def send(self, signed: Signed, judged: Judged, urgent: bool = False) -> None:
        """Write the bytes; `judged` is called once, with what became of this copy of them."""
        sent_ns = self.clock()
        self._line.post(
            signed.body, partial(self._answered, signed, sent_ns, judged), urgent=urgent
        )

    def urgent(self, action: SessionAction, judged: Judged) -> None:
        """Sign and send a cancel; without the engine's time it is left to the next attempt."""
        try:
            signed = self.sign(action, self.clock())
        except Unavailable:
            return
        self.send(signed, judged, urgent=True)

    def no_places(self, now_ns: int) -> str | None:
        """Say why nothing may be placed, if so: the engine's time, or what is outside bars it.

        Bytes are stamped as of the moment this was asked for, however late they leave.
        """
        state = self.engine_clock.state(now_ns)
        if state is not _OK:
            return f"the engine's time: {state}"
        return self._barred(now_ns)

    def expired(self, stamp: EngineSeconds) -> bool:
        """Whether bytes with this stamp can take effect no more, by a second the engine showed."""
        return self.engine_clock.expired(EngineSeconds(stamp + EXPIRY_MARGIN_S))

    def _answered(self, signed: Signed, sent_ns: int, judged: Judged, answer: Answer) -> None:
        now_ns = self.clock()
        outcome: Answered
        if isinstance(answer, NotSent):
            outcome = answer
        elif isinstance(answer, Lost):
            outcome = Unknown(answer.reason)
        else:
            outcome = judge(answer, signed.action, self.account_id)
        if isinstance(outcome, Accepted):
            self.engine_clock.accepted(signed.stamp, sent_ns, now_ns)
        self._health.note(outcome, sent_ns, now_ns, _kind(signed.action))
        judged(outcome)


def _kind(action: SessionAction) -> str:
    """Return the word that acknowledgements of such an action are measured by."""
    if isinstance(action, PlaceOrder):
        return "place"
    return "cancel" if isinstance(action, CancelById | CancelByClientId) else "batch"
