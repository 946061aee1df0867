"""The start of a run: no quotes until the runs before it are over at the venue for certain."""

from mmbot.adapters.zo.engine_time import WINDOW_S, ClockState, EngineClock, EngineSeconds
from mmbot.adapters.zo.rest.answers import AccountView
from mmbot.adapters.zo.trading.dispatch import EXPIRY_MARGIN_S
from mmbot.adapters.zo.trading.hindrances import ACCOUNT, RECOVERING, Hindrances
from mmbot.adapters.zo.trading.params import OwnIds

_CLEAN_IN_A_ROW = 2


class Recovery:
    """`recovering` from the first moment until stale orders are gone and none can land any more.

    The engine cancels what an older run left; two snapshots in a row have to be without it.
    """

    def __init__(
        self,
        ids: OwnIds,
        engine_clock: EngineClock,
        hindrances: Hindrances,
        lifetime_s: int,
        *,
        previous_run_clean: bool,
    ) -> None:
        self._ids = ids
        self._engine_clock = engine_clock
        self._hindrances = hindrances
        # What is left of the life of bytes of the run before, once engine time is known.
        self._wait_s = 0 if previous_run_clean else lifetime_s
        self._last: EngineSeconds | None = None
        self._clean = 0
        self._next_ns = 0
        self.over = False
        hindrances.begin(RECOVERING, "the run before may have left orders")
        hindrances.begin(ACCOUNT, "not known yet")

    def viewed(self, view: AccountView, asked_ns: int, now_ns: int) -> None:
        """Take a snapshot up to which everything has been told."""
        if self.over:
            return
        if any(self._is_stale(order.client_order_id) for order in view.orders):
            self._clean = 0
        elif asked_ns >= self._next_ns:
            self._clean += 1
            self._next_ns = now_ns
        self.tick(now_ns)

    def tick(self, now_ns: int) -> None:
        """End it when both are known."""
        if self.over or self._engine_clock.state(now_ns) is not ClockState.OK:
            return
        if self._last is None:
            # The latest stamp that a run before could have given, and be executed now.
            now_s = self._engine_clock.now_s(now_ns)
            self._last = EngineSeconds(now_s - WINDOW_S + self._wait_s + EXPIRY_MARGIN_S)
        late = self._wait_s == 0 or self._engine_clock.expired(self._last)
        if late and self._clean >= _CLEAN_IN_A_ROW:
            self.over = True
            self._hindrances.end(RECOVERING)

    def _is_stale(self, client_id: int | None) -> bool:
        if client_id is None or not self._ids.owns(client_id):
            return False
        return not self._ids.issued(client_id)
