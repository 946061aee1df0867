"""An operation written down is the operation: what is replayed equals what happened."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.sim.synthetic import FLAG_BUY, FLAG_EXCH, FLAG_SELL, KIND_DEPTH, ROW
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.exchange.exchange import Exchange
from mmbot.exchange.model import ATOMS_PER_USD, User
from mmbot.exchange.running.journal import Journal, read
from mmbot.exchange.running.operation import Operation, replay, thinned
from mmbot.exchange.running.pacing import SteppedPace
from mmbot.exchange.views.asked import ViewRules
from tests.unit.exchange.traders import IOC, NS, START_S, Trader, opened

_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("place"), st.sampled_from((-1, 1)), st.integers(980, 1020)),
        st.tuples(st.just("take"), st.sampled_from((-1, 1)), st.integers(1, 50)),
        st.tuples(st.just("garbage"), st.binary(max_size=90)),
        st.tuples(st.just("rows"), st.sampled_from((-1, 1)), st.integers(985, 1015)),
        st.tuples(st.just("time"), st.integers(1, 7_200)),
        st.tuples(st.just("index"), st.floats(900, 1100)),
        st.tuples(st.just("fund"), st.integers(1, 1000)),
        st.tuples(st.just("rules"), st.integers(1, 5)),
        st.tuples(st.just("force"), st.sampled_from(("liquidate", "expire_sessions"))),
        st.tuples(st.just("look"), st.integers(1, 3)),
        st.tuples(st.just("rotate"), st.none()),
    ),
    max_size=25,
)


class Written:
    """An operation that a trader of the other tests can use for an exchange."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.act = operation.act

    @property
    def state(self) -> Any:
        """The exchange's state."""
        return self.operation.exchange.state

    def ensure_user(self, pubkey: bytes) -> User:
        """Look a wallet up by the GET that makes it."""
        answer = self.operation.view(f"/user/{base58.encode(pubkey)}", {}, ViewRules())
        assert answer.status == 200
        return cast(User, self.state.users[pubkey])


def _do(operation: Operation, traders: list[Trader], step: tuple[Any, ...]) -> None:
    kind, *given_values = step
    first = given_values[0]
    if kind == "place":
        traders[first > 0].place(pb.BID if first > 0 else pb.ASK, given_values[1], 20)
    elif kind == "take":
        traders[0].place(pb.BID if first > 0 else pb.ASK, 0, given_values[1], IOC)
    elif kind == "garbage":
        operation.act(first)
    elif kind == "look":
        operation.view(f"/user/{base58.encode(bytes([first]) * 32)}", {}, ViewRules())
    else:
        _befall(operation, kind, given_values)
    operation.tick()


def _befall(operation: Operation, kind: str, given_values: list[Any]) -> None:
    first = given_values[0]
    if kind == "rows":
        side = FLAG_BUY if first > 0 else FLAG_SELL
        now_ns = operation.exchange.state.now_ns
        ticks = given_values[1] - 20 * first
        operation.rows(0, ROW.pack(now_ns, now_ns, ticks, 30, KIND_DEPTH | FLAG_EXCH | side, 0))
    elif kind == "time":
        cast(SteppedPace, operation.pace).move(operation.pace.now_ns + first * NS)
    elif kind == "index":
        operation.set_index(0, first)
    elif kind == "fund":
        operation.fund(1, first * ATOMS_PER_USD)
    elif kind == "rules":
        operation.set_rules({"max_atomic": first, "frozen_markets": [1] * (first % 2)})
    elif kind == "force":
        operation.force({"do": first})
    else:
        operation.checkpoint()


@settings(max_examples=60, deadline=None)
@given(_STEPS)
def test_a_replayed_journal_is_the_exchange(steps: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        exchange = opened()
        journal = Journal(path, exchange.dump())
        operation = Operation(exchange, SteppedPace(START_S * NS), None, journal)
        written = cast(Exchange, Written(operation))
        traders = [Trader(written, 1), Trader(written, 2)]
        for step in steps:
            _do(operation, traders, step)
        restored = opened()
        replay(restored, _records(path))
        journal.close()
        assert restored.dump() == exchange.dump()
        assert restored.violations() == []


def _records(path: Path) -> list[Any]:
    contents = read(path)
    assert contents is not None
    assert contents.torn_bytes == 0
    return contents.records


def test_an_action_is_in_the_file_before_its_receipt_is_given(tmp_path: Path) -> None:
    path = tmp_path / "state"
    exchange = opened()
    operation = Operation(exchange, SteppedPace(START_S * NS), None, Journal(path, exchange.dump()))
    trader = Trader(cast(Exchange, Written(operation)), 1)
    for number in range(3):
        trader.place(pb.BID, 990 - number, 10)
        restored = opened()
        replay(restored, _records(path))
        assert len(restored.state.accounts[trader.account_id].orders) == number + 1


def test_what_cannot_be_written_is_not_answered(tmp_path: Path) -> None:
    exchange = opened()
    journal = Journal(tmp_path / "state", exchange.dump())
    operation = Operation(exchange, SteppedPace(START_S * NS), None, journal)
    trader = Trader(cast(Exchange, Written(operation)), 1)
    journal.close()
    with pytest.raises(OSError, match="descriptor"):
        trader.place(pb.BID, 990, 10)


def test_engine_time_follows_the_pace_ahead_behind_or_not_at_all() -> None:
    exchange = opened()
    pace = SteppedPace(START_S * NS)
    operation = Operation(exchange, pace, None, None)

    def after(seconds: int) -> int:
        pace.move(pace.now_ns + seconds * NS)
        operation.tick()
        return exchange.state.now_s - START_S

    assert after(5) == 5
    operation.ahead_ns = 100 * NS
    assert after(1) == 106
    operation.ahead_ns = -50 * NS
    assert after(1) == -43
    operation.stalled = True
    assert after(10) == -43
    operation.ahead_ns, operation.stalled = 0, False
    assert after(1) == 18
    operation.time((START_S + 3) * NS)
    assert exchange.state.now_s == START_S + 18


def test_thinned_rows_show_a_share_of_depth_and_leave_the_rest_alone() -> None:
    depth, trade = KIND_DEPTH | FLAG_EXCH | FLAG_BUY, 2 | FLAG_EXCH | FLAG_BUY
    rows = [(1, 1, 100, 50, depth, 0), (1, 1, 99, 0, depth, 0), (1, 1, 98, 3, depth, 0)]
    rows.append((1, 1, 100, 50, trade, 0))
    thin = thinned(b"".join(ROW.pack(*row) for row in rows), 0.1)
    assert [row[3] for row in ROW.iter_unpack(thin)] == [5, 0, 1, 50]
