"""What sends actions and judges their answers, put together: the side that acts."""

from mmbot.adapters.zo.trading.cancels import Cancels
from mmbot.adapters.zo.trading.dispatch import Dispatch
from mmbot.adapters.zo.trading.evidence import Evidence
from mmbot.adapters.zo.trading.health import Health
from mmbot.adapters.zo.trading.knowledge import Knowledge
from mmbot.adapters.zo.trading.pace import Pace
from mmbot.adapters.zo.trading.params import Access, Surroundings, TradedAccount, TradingParams
from mmbot.adapters.zo.trading.sender import Sender
from mmbot.adapters.zo.trading.verdicts import Verdicts
from mmbot.adapters.zo.wire.actions import CancelByClientId

# No order ever has this client id: a cancel of it must be answered ORDER_NOT_FOUND.
_NOBODYS = 2**63 - 1
_PROBE_NS = 1_000_000_000


class Sending:
    """Sender, cancels and the health of the way; `tick` keeps them going."""

    def __init__(
        self,
        access: Access,
        traded: TradedAccount,
        outside: Surroundings,
        params: TradingParams,
        known: Knowledge,
    ) -> None:
        self._known = known
        access.http.allowance.watch(access.line)
        self.health = Health(
            known.hindrances,
            params.unanswered,
            Pace(params.cancels_per_s, access.http.allowance),
        )
        clocks = (outside.clock, outside.engine_clock)
        self.dispatch = Dispatch(
            access.line, traded.signer, clocks, outside.rng, self.health, outside.barred
        )
        on = Evidence(known.orders, known.joins, known.settling, known.hindrances)
        self.cancels = Cancels(self.dispatch, on, self.health)
        self.verdicts = Verdicts(self.dispatch, self.cancels, on)
        self.sender = Sender(self.dispatch, known.orders, self.cancels, self.verdicts, self.health)
        self.sender.pace(params.ack_ms, params.resend_ms, params.split_ms)
        self._probed_ns: int | None = None

    def tick(self, now_ns: int) -> None:
        """Let time do what it has to; tells nothing that is not due."""
        self.health.tick(now_ns)
        self.sender.tick(now_ns)
        # Only when the cancels of everything have left.
        self.health.tell_back()
        if self._known.joins.tick(now_ns):
            self._known.settling.ask()
        self._known.settling.tick(now_ns)
        if self.health.troubled and not self.health.maintained:
            self.probe(now_ns)

    def probe(self, now_ns: int) -> None:
        """Ask something harmless, once a second at most, to hear whether actions are answered."""
        if self._probed_ns is not None and now_ns - self._probed_ns < _PROBE_NS:
            return
        if not self.dispatch.pace.has(now_ns) or not self.health.permit(now_ns):
            return
        self._probed_ns = now_ns
        self.dispatch.pace.spend(now_ns)
        self.dispatch.urgent(CancelByClientId(_NOBODYS), _ignored)

    def after_maintenance(self, now_ns: int) -> None:
        """The venue seems to be back: ask, and have everything cancelled as soon as it is.

        While it is not, one request a second is refused and not one for each order: those would use
        up the minute, and nothing could be cancelled when it is over.
        """
        for order in self._known.orders:
            self.cancels.want(order, now_ns)
        self.probe(now_ns)


def _ignored(_outcome: object) -> None:
    """Only that an answer came matters, which the health of the way has noted."""
