"""Knobs of the engine: states become its switches, deeds become things forced upon it."""

from collections.abc import Callable, Mapping
from typing import Any

from mmbot.exchange.faults.entries import Fault
from mmbot.exchange.faults.schedule import Faults
from mmbot.exchange.rules import Rules
from mmbot.exchange.running.operation import Operation

_NS = 1_000_000_000
# knob -> (switch, parameter)
_SWITCHES = {
    "eng.ts_window": ("ts_window_s", "s"),
    "eng.stale_window": ("stale_window_s", "s"),
    "eng.dup_window": ("dup_window_s", "s"),
    "eng.remember_failed": ("remember_failed", "on"),
    "eng.max_open_orders": ("max_open_orders", "n"),
    "eng.max_atomic": ("max_atomic", "n"),
    "eng.self_trade": ("self_trade", "rule"),
    "eng.session_cap": ("session_cap", "n"),
    "eng.revoke_cancels_orders": ("revoke_cancels_orders", "on"),
    "eng.reduce_rule": ("reduce_rule", "rule"),
    "eng.resting_survive_session": ("resting_survive_session", "on"),
}


class EngineFaults:
    """Applies what is set of the eng. and acct. knobs that change the exchange itself."""

    def __init__(self, operation: Operation, faults: Faults) -> None:
        self._operation = operation
        self._faults = faults
        self._usual = Rules.start(operation.exchange.params.rules)
        self._jumped_s = 0
        # A restored exchange may stand under faults that are gone.
        self._touched = True
        self._deeds: Mapping[str, Callable[[Fault], None]] = {
            "eng.clock_jump": self._jump,
            "eng.err_next": self._refuse_next,
            "eng.cancel_on_margin": self._forced("cancel_orders"),
            "eng.liquidate": self._forced("liquidate"),
            "eng.partial_fill": self._forced("fill"),
            "eng.session_expire": self._forced("expire_sessions"),
            "acct.foreign_order": self._forced("place"),
            "acct.foreign_epoch": self._forced("place"),
            "acct.transfer": self._forced("transfer"),
        }

    def apply(self) -> None:
        """Bring the engine in line with what is set now, and do what is due."""
        armed = self._faults.armed("eng.", "acct.")
        if not (armed or self._touched):
            return
        self._touched = armed
        wanted: dict[str, Any] = {}
        for knob, (switch, parameter) in _SWITCHES.items():
            values = self._faults.holds(knob)
            usual = getattr(self._usual, switch)
            wanted[switch] = usual if values is None else values[parameter]
        wanted["maintenance"] = self._faults.holds("eng.maintenance") is not None
        wanted["frozen_markets"] = self._frozen()
        rules = self._operation.exchange.rules
        changed = {name: value for name, value in wanted.items() if getattr(rules, name) != value}
        if changed:
            self._operation.set_rules(changed)
        self._clock()
        for knob, deed in self._deeds.items():
            for fault in self._faults.deeds(knob):
                deed(fault)

    def _frozen(self) -> set[int]:
        everywhere = set(range(len(self._operation.exchange.params.markets)))
        frozen: set[int] = set()
        for fault in self._faults.held("eng.market_frozen"):
            frozen |= {fault.scope["market"]} if "market" in fault.scope else everywhere
        return frozen

    def _clock(self) -> None:
        offset = self._faults.holds("eng.clock_offset")
        seconds = self._jumped_s + (0 if offset is None else offset["s"])
        self._operation.ahead_ns = seconds * _NS
        self._operation.stalled = self._faults.holds("eng.clock_stall") is not None
        thin = self._faults.holds("eng.thin_book")
        self._operation.shown = 1.0 if thin is None else thin["frac"]

    def _jump(self, fault: Fault) -> None:
        self._jumped_s += fault.values["s"]
        self._clock()

    def _refuse_next(self, fault: Fault) -> None:
        queue = self._operation.exchange.rules.err_next
        entries = [{"code": entry.code, "kind": entry.kind} for entry in queue]
        entries.append({"code": fault.values["code"], "kind": fault.scope.get("kind")})
        self._operation.set_rules({"err_next": entries})

    def refuse_no_more(self) -> None:
        """Drop the refusals that still wait for their action."""
        if self._operation.exchange.rules.err_next:
            self._operation.set_rules({"err_next": []})

    def _forced(self, deed: str) -> Callable[[Fault], None]:
        def do(fault: Fault) -> None:
            self._operation.force({"do": deed, **fault.scope, **fault.values})

        return do
