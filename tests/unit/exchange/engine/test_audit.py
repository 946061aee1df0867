"""The audit finds what is broken on purpose."""

from collections.abc import Callable

import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.state import State
from tests.unit.exchange.traders import IOC, Trader, opened


def busy() -> Exchange:
    exchange = opened()
    maker, taker = Trader(exchange, 1), Trader(exchange, 2)
    maker.place(pb.ASK, 1000, 50)
    taker.place(pb.BID, 0, 20, IOC)
    return exchange


def _other_lots(state: State) -> None:
    state.accounts[1].orders[1].lots += 1


def _lost_lot(state: State) -> None:
    state.accounts[2].positions[0].lots += 1


def _lost_atom(state: State) -> None:
    state.accounts[2].balances[0] -= 1


def _lost_funding(state: State) -> None:
    state.accounts[2].positions[0].funding_index += 1


def _lost_order(state: State) -> None:
    del state.accounts[1].orders[1]


def _opening_reduce(state: State) -> None:
    state.accounts[1].orders[1].reduce_only = True


def _future_order(state: State) -> None:
    state.next_order_id = 1


def _session_zero(state: State) -> None:
    state.session_owners[0] = next(iter(state.users))


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (_other_lots, "in the book"),
        (_lost_lot, "positions add up to 1 lots"),
        (_lost_atom, "atoms are held"),
        (_lost_funding, "atoms are held"),
        (_lost_order, "apart"),
        (_opening_reduce, "reduce-only"),
        (_future_order, "not given yet"),
        (_session_zero, "index of sessions"),
    ],
)
def test_damage_is_found(damage: Callable[[State], None], text: str) -> None:
    exchange = busy()
    assert exchange.violations() == []
    damage(exchange.state)
    assert any(text in found for found in exchange.violations())
