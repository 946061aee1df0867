"""Order: the table of moves, pair by pair, and the sides' arithmetic."""

import itertools

import pytest

from mmbot.domain.order import DONE, TRANSITIONS, OrderState, Side

S = OrderState
# Every move there is, written out; all other pairs are refused.
MOVES = {
    (S.NEW, S.SENT),
    (S.SENT, S.OPEN),
    (S.SENT, S.CLOSING),
    (S.SENT, S.UNKNOWN),
    (S.OPEN, S.CLOSING),
    (S.OPEN, S.UNKNOWN),
    (S.CLOSING, S.OPEN),
    (S.CLOSING, S.UNKNOWN),
    (S.UNKNOWN, S.OPEN),
    (S.UNKNOWN, S.CLOSING),
    *itertools.product(
        (S.SENT, S.OPEN, S.CLOSING, S.UNKNOWN), (S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED)
    ),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(OrderState, OrderState)))
def test_every_pair_of_states(before: OrderState, after: OrderState) -> None:
    assert (after in TRANSITIONS[before]) == ((before, after) in MOVES)


def test_done_is_for_ever() -> None:
    assert {S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED} == DONE
    assert not any(TRANSITIONS[state] for state in DONE)


def test_sides_carry_the_sign() -> None:
    assert (Side.BID * 5, Side.ASK * 5) == (5, -5)
    assert Side(-Side.BID) is Side.ASK
