"""What a turn writes into the histories, and how much of each history is kept."""

from collections.abc import Iterable
from typing import TypeVar

from mmbot.exchange.model import (
    Executed,
    FundingPaid,
    HourSnapshot,
    Liquidated,
    Order,
    PnlRealised,
    Trade,
    Transferred,
    TriggerEnded,
)
from mmbot.exchange.params import MemoryParams
from mmbot.exchange.state import State, keep_newest

_T = TypeVar("_T")


class Records:
    """Records of one turn, by kind; none of them counts before `write`."""

    __slots__ = (
        "actions",
        "client_ids",
        "finished",
        "funding",
        "hours",
        "liquidations",
        "pnl",
        "trades",
        "transfers",
        "triggers",
    )

    def __init__(self) -> None:
        self.actions: list[Executed] = []
        self.trades: list[Trade] = []
        self.finished: list[Order] = []
        self.pnl: list[PnlRealised] = []
        self.funding: list[FundingPaid] = []
        self.hours: list[HourSnapshot] = []
        self.liquidations: list[Liquidated] = []
        self.transfers: list[Transferred] = []
        self.triggers: list[TriggerEnded] = []
        self.client_ids: list[tuple[int, int]] = []

    def write(self, state: State, memory: MemoryParams) -> None:
        """Join the histories; the oldest records make room."""
        _append(state.trades, self.trades, memory.trades)
        _append(state.actions, self.actions, memory.actions)
        _append(state.pnl, self.pnl, memory.records)
        _append(state.funding, self.funding, memory.records)
        _append(state.hours, self.hours, memory.records)
        _append(state.liquidations, self.liquidations, memory.records)
        _append(state.transfers, self.transfers, memory.records)
        _append(state.triggers_ended, self.triggers, memory.records)
        self._write_orders(state.finished, memory.orders)
        for account_id, client_order_id in self.client_ids:
            used = state.client_ids_used.setdefault(account_id, [])
            _append(used, (client_order_id,), memory.records)

    def _write_orders(self, history: dict[int, Order], count: int) -> None:
        for order in self.finished:
            history[order.order_id] = order
        if len(history) > count + count // 10:
            for order_id in list(history)[: len(history) - count]:
                del history[order_id]


def _append(history: list[_T], written: Iterable[_T], count: int) -> None:
    if written:
        history.extend(written)
        keep_newest(history, count)
