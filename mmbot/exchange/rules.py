"""The switches of the running engine: what the `eng.*` knobs turn, each with the venue's default.

They start from `RuleParams`; everything the protocol leaves open has both answers here.
"""

from typing import Self

from msgspec import Struct, field

from mmbot.exchange.params import ReduceRule, RuleParams, SelfTrade


class RefuseNext(Struct, frozen=True, gc=False):
    """Refuse the next action with `code`; `kind` (a name of the protocol's oneof) narrows it."""

    code: int
    kind: str | None = None


class Rules(Struct):
    """Mutable limits and options; windows in engine seconds. See RuleParams for the meanings."""

    ts_window_s: int
    stale_window_s: int | None
    dup_window_s: int
    remember_failed: bool
    max_open_orders: int
    max_atomic: int
    max_triggers: int
    max_accounts: int
    session_cap: int
    session_max_s: int | None
    price_band_bps: int
    reduce_rule: ReduceRule
    self_trade: SelfTrade
    client_id_forever: bool
    frozen_refuses_cancels: bool
    resting_survive_session: bool
    revoke_cancels_orders: bool
    triggers_survive_close: bool
    transfer_to_others: bool
    position_limit_lots: int | None
    maintenance: bool = False
    frozen_markets: set[int] = field(default_factory=set)
    immediate_only_markets: set[int] = field(default_factory=set)
    err_next: list[RefuseNext] = field(default_factory=list)

    @classmethod
    def start(cls, params: RuleParams) -> Self:
        """Return the switches as the settings give them."""
        return cls(**params.model_dump())

    def forced_error(self, kind: str) -> int | None:
        """Take the first queued refusal that fits this kind of action."""
        for place, entry in enumerate(self.err_next):
            if entry.kind in (None, kind):
                del self.err_next[place]
                return entry.code
        return None
