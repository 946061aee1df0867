"""Sessions: cap, eviction, expiry, revocation, and what becomes of the orders."""

import pytest

from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.engine import interventions
from tests.unit.exchange.traders import NS, START_S, Trader, error, opened, posted


def revoke(trader: Trader, session_id: int) -> pb.Receipt:
    return trader.send(pb.Action(revoke_session=pb.RevokeSession(session_id=session_id)))


def test_the_session_that_ends_first_makes_room() -> None:
    exchange = opened(rules={"session_cap": 3})
    trader = Trader(exchange, 1)
    ids = [
        trader.open_session(lifetime).create_session_result.session_id for lifetime in (90, 70, 80)
    ]
    assert ids == [2, 3, 4]
    user = exchange.state.users[trader.pubkey]
    # Session 1 lasts 30 days; 3 came third and ends first, so it went when 4 came.
    assert sorted(user.sessions) == [1, 2, 4]
    assert trader.open_session(60).create_session_result.session_id == 5
    assert sorted(user.sessions) == [1, 2, 5]


def test_a_session_ends_on_its_second() -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    trader.session_id = trader.open_session(100).create_session_result.session_id
    exchange.advance((START_S + 99) * NS)
    order_id = posted(trader.place(pb.BID, 900, 1))
    exchange.advance((START_S + 100) * NS)
    assert error(trader.cancel(order_id)) == pb.SESSION_NOT_FOUND
    assert order_id in exchange.state.accounts[1].orders
    assert trader.open_session(1).create_session_result.session_id == 3


@pytest.mark.parametrize("lifetime", [0, -1, -START_S, -(2**40)])
def test_a_session_needs_a_future(lifetime: int) -> None:
    assert error(Trader(opened(), 1).open_session(lifetime)) == pb.EXPIRY_TIMESTAMP_IN_PAST


def test_a_longest_lifetime_is_an_option() -> None:
    exchange = opened(rules={"session_max_s": 30 * 86_400})
    trader = Trader(exchange, 1)
    assert error(trader.open_session(30 * 86_400 + 1)) == pb.INVALID
    assert error(trader.open_session(30 * 86_400)) is None


@pytest.mark.parametrize("cancels", [False, True])
def test_revoking_ends_the_session_and_perhaps_its_orders(cancels: bool) -> None:
    exchange = opened(rules={"revoke_cancels_orders": cancels})
    trader = Trader(exchange, 1)
    order_id = posted(trader.place(pb.BID, 900, 1))
    assert revoke(trader, 1).HasField("session_revoked")
    assert error(revoke(trader, 1)) == pb.SESSION_NOT_FOUND
    assert error(trader.place(pb.BID, 900, 1)) == pb.SESSION_NOT_FOUND
    assert (order_id in exchange.state.accounts[1].orders) is not cancels
    assert exchange.violations() == []


def test_a_stranger_cannot_revoke() -> None:
    exchange = opened()
    first, second = Trader(exchange, 1), Trader(exchange, 2)
    assert error(revoke(second, first.session_id)) == pb.SIGNATURE_VERIFICATION
    assert error(first.place(pb.BID, 900, 1)) is None


@pytest.mark.parametrize("survive", [True, False])
def test_whether_orders_outlive_their_session(survive: bool) -> None:
    exchange = opened(rules={"resting_survive_session": survive})
    trader = Trader(exchange, 1)
    keep = posted(trader.place(pb.BID, 900, 1))
    trader.session_id = trader.open_session(100).create_session_result.session_id
    ends = posted(trader.place(pb.BID, 901, 1))
    exchange.advance((START_S + 100) * NS)
    assert set(exchange.state.accounts[1].orders) == ({keep, ends} if survive else {keep})


def test_all_sessions_of_a_user_can_be_ended() -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    interventions.end_sessions(exchange.venue, exchange.state.users[trader.pubkey])
    assert error(trader.place(pb.BID, 900, 1)) == pb.SESSION_NOT_FOUND
    assert exchange.violations() == []


def test_one_session_can_be_ended_alone() -> None:
    exchange = opened()
    trader = Trader(exchange, 1)
    first = trader.session_id
    other = trader.open_session(100).create_session_result.session_id
    interventions.end_sessions(exchange.venue, exchange.state.users[trader.pubkey], first)
    assert error(trader.place(pb.BID, 900, 1)) == pb.SESSION_NOT_FOUND
    trader.session_id = other
    posted(trader.place(pb.BID, 900, 1))
