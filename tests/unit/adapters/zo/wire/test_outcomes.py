"""Replies against the action they must answer: the true ones are believed, every change is not."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.adapters.zo.wire.actions import (
    AddTrigger,
    Atomic,
    CancelByClientId,
    CancelById,
    CreateSession,
    PlaceOrder,
    RemoveTrigger,
    RevokeSession,
    SessionAction,
    TriggerKind,
    WalletAction,
)
from mmbot.adapters.zo.wire.codec import encode_receipt
from mmbot.adapters.zo.wire.outcomes import (
    Accepted,
    Cancelled,
    Done,
    Fill,
    Outcome,
    Placed,
    Rejected,
    SessionCreated,
    Unknown,
    read_outcome,
)
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.refusals import REFUSALS
from mmbot.domain.order import FillMode, Side

CHECKED = settings(max_examples=300, deadline=None, derandomize=True)
ME = 227
BID, ASK = Side.BID, Side.ASK
LIMIT, POST, IOC, FOK = FillMode
Any_ = SessionAction | WalletAction


def read(receipt: pb.Receipt, action: Any_) -> Outcome:
    return read_outcome(encode_receipt(receipt), action, ME)


def result(
    action: PlaceOrder, resting: int = 0, fills: tuple[tuple[int, int], ...] = ()
) -> pb.PlaceOrderResult:
    """What the venue answers when `resting` lots rest and `fills` are ticks and lots."""
    made = pb.PlaceOrderResult(client_order_id=action.client_order_id)
    if resting:
        made.posted.side = pb.BID if action.side is BID else pb.ASK
        made.posted.market_id, made.posted.price = action.market_id, action.ticks
        made.posted.size, made.posted.order_id, made.posted.account_id = resting, 777, ME
    for ticks, lots in fills:
        made.fills.add(order_id=55, price=ticks, size=lots, account_id=9)
    return made


def placed(action: PlaceOrder, resting: int = 0, *fills: tuple[int, int]) -> pb.Receipt:
    return pb.Receipt(action_id=12, trade_or_place=result(action, resting, fills))


def order(mode: FillMode = LIMIT, side: Side = BID, ticks: int = 100, **more: bool) -> PlaceOrder:
    return PlaceOrder(1, side, mode, ticks, 10, client_order_id=4, **more)


@pytest.mark.parametrize(
    ("action", "resting", "fills"),
    [
        (order(), 10, ()),
        (order(), 4, ((100, 1), (99, 5))),
        (order(), 0, ((98, 10),)),
        (order(POST), 10, ()),
        (order(POST, ASK), 10, ()),
        (order(LIMIT, ASK), 4, ((100, 1), (101, 5))),
        (order(IOC), 0, ((100, 3),)),
        (order(IOC), 0, ()),
        (order(IOC, ticks=0), 0, ((1, 3), (10**9, 7))),
        (order(FOK, ASK, ticks=0), 0, ((1, 10),)),
        (order(POST, reduce_only=True), 6, ()),
        (order(POST, reduce_only=True), 0, ()),
        (PlaceOrder(1, BID, IOC, 0, 0, quote_units=500), 0, ((70, 3),)),
        (PlaceOrder(1, BID, LIMIT, 100, 10), 10, ()),
    ],
)
def test_a_place_is_believed(
    action: PlaceOrder, resting: int, fills: tuple[tuple[int, int], ...]
) -> None:
    expected = Placed(
        777 if resting else None, resting, tuple(Fill(55, ticks, lots) for ticks, lots in fills)
    )
    assert read(placed(action, resting, *fills), action) == Accepted(12, (expected,))


@pytest.mark.parametrize(
    ("action", "resting", "fills"),
    [
        (order(), 11, ()),
        (order(), 9, ()),
        (order(), 0, ()),
        (order(), 5, ((100, 6),)),
        (order(), 0, ((100, 9),)),
        (order(), 4, ((101, 6),)),
        (order(LIMIT, ASK), 4, ((99, 6),)),
        (order(), 4, ((0, 6),)),
        (order(), 10, ((100, 0),)),
        (order(POST), 0, ((100, 10),)),
        (order(POST), 9, ((100, 1),)),
        (order(POST), 0, ()),
        (order(IOC), 10, ()),
        (order(IOC), 0, ((100, 11),)),
        (order(FOK), 0, ((100, 9),)),
        (order(FOK), 0, ()),
        (order(POST, reduce_only=True), 11, ()),
    ],
)
def test_a_place_that_does_not_add_up_is_unknown(
    action: PlaceOrder, resting: int, fills: tuple[tuple[int, int], ...]
) -> None:
    assert isinstance(read(placed(action, resting, *fills), action), Unknown)


def change_kind(receipt: pb.Receipt) -> None:
    receipt.cancel_order_result.order_id = 777


def no_action_id(receipt: pb.Receipt) -> None:
    receipt.action_id = 0


POSTED_CHANGES: dict[str, int] = {
    "side": pb.ASK,
    "market_id": 2,
    "price": 101,
    "size": 9,
    "order_id": 0,
    "account_id": ME + 1,
}


@pytest.mark.parametrize("field", POSTED_CHANGES)
def test_every_field_of_a_resting_order_counts(field: str) -> None:
    receipt = placed(order(), 10)
    assert isinstance(read(receipt, order()), Accepted)
    setattr(receipt.trade_or_place.posted, field, POSTED_CHANGES[field])
    assert isinstance(read(receipt, order()), Unknown)


@pytest.mark.parametrize("spoil", [change_kind, no_action_id])
def test_the_head_of_a_receipt_counts(spoil: Callable[[pb.Receipt], None]) -> None:
    receipt = placed(order(), 10)
    spoil(receipt)
    assert isinstance(read(receipt, order()), Unknown)


def test_the_client_order_id_must_come_back() -> None:
    receipt = placed(order(), 10)
    receipt.trade_or_place.client_order_id = 5
    assert isinstance(read(receipt, order()), Unknown)
    receipt.trade_or_place.ClearField("client_order_id")
    assert isinstance(read(receipt, order()), Unknown)
    zero = PlaceOrder(1, BID, LIMIT, 100, 10, client_order_id=0)
    assert isinstance(read(receipt, zero), Unknown)
    receipt.trade_or_place.client_order_id = 0
    assert isinstance(read(receipt, zero), Accepted)


def cancelled(**changes: int) -> pb.Receipt:
    receipt = pb.Receipt(action_id=12)
    for field, value in {"order_id": 777, "account_id": ME, **changes}.items():
        setattr(receipt.cancel_order_result, field, value)
    return receipt


@pytest.mark.parametrize(
    ("receipt", "by_id", "by_client_id"),
    [
        (cancelled(), True, True),
        (cancelled(client_order_id=4), True, True),
        (cancelled(client_order_id=5), True, False),
        (cancelled(order_id=776), False, True),
        (cancelled(order_id=0), False, False),
        (cancelled(account_id=1), False, False),
    ],
)
def test_a_cancel(receipt: pb.Receipt, by_id: bool, by_client_id: bool) -> None:
    done = Accepted(12, (Cancelled(receipt.cancel_order_result.order_id),))
    for action, believed in ((CancelById(777), by_id), (CancelByClientId(4), by_client_id)):
        outcome = read(receipt, action)
        assert outcome == done if believed else isinstance(outcome, Unknown)


BATCH = Atomic((CancelById(1), CancelById(2), order(POST), order(POST, ASK, 110)))


def batch_receipt() -> pb.Receipt:
    receipt = pb.Receipt(action_id=12)
    results = receipt.atomic.results
    for part in BATCH.parts:
        if isinstance(part, PlaceOrder):
            results.add(place_order_result=result(part, 10))
        else:
            results.add(cancel_order=pb.CancelOrderResult(order_id=part.order_id, account_id=ME))
    return receipt


def test_a_batch_is_believed_part_by_part() -> None:
    rests = Placed(777, 10, ())
    assert read(batch_receipt(), BATCH) == Accepted(12, (Cancelled(1), Cancelled(2), rests, rests))


@CHECKED
@given(st.permutations(range(4)))
def test_results_in_another_order_are_unknown(places: list[int]) -> None:
    receipt = batch_receipt()
    results = list(receipt.atomic.results)
    receipt.atomic.ClearField("results")
    receipt.atomic.results.extend(results[place] for place in places)
    assert isinstance(read(receipt, BATCH), Accepted if places == sorted(places) else Unknown)


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_another_number_of_results_is_unknown(count: int) -> None:
    receipt = batch_receipt()
    if count > 4:
        receipt.atomic.results.add(place_order_result=result(order(POST), 10))
    del receipt.atomic.results[count:]
    assert isinstance(read(receipt, BATCH), Unknown)


def test_a_result_of_no_kind_is_unknown() -> None:
    receipt = batch_receipt()
    receipt.atomic.results[1].Clear()
    assert isinstance(read(receipt, BATCH), Unknown)


KEY = bytes(32)
PLAIN: list[tuple[Any_, pb.Receipt]] = [
    (AddTrigger(0, BID, TriggerKind.STOP_LOSS, 5), pb.Receipt(trigger_added=pb.TriggerAdded())),
    (RemoveTrigger(0, BID, TriggerKind.STOP_LOSS), pb.Receipt(trigger_removed=pb.TriggerRemoved())),
    (RevokeSession(5), pb.Receipt(session_revoked=pb.SessionRevoked())),
]


@pytest.mark.parametrize(("action", "receipt"), PLAIN)
def test_what_only_happens(action: Any_, receipt: pb.Receipt) -> None:
    receipt.action_id = 12
    assert read(receipt, action) == Accepted(12, (Done(),))
    others = [other for other, _ in PLAIN if other is not action]
    assert all(isinstance(read(receipt, other), Unknown) for other in others)


def test_a_session_has_an_id() -> None:
    receipt = pb.Receipt(action_id=12)
    receipt.create_session_result.session_id = 99
    action = CreateSession(KEY, KEY, 10)
    assert read(receipt, action) == Accepted(12, (SessionCreated(99),))
    receipt.create_session_result.session_id = 0
    assert isinstance(read(receipt, action), Unknown)


@pytest.mark.parametrize("number", [*REFUSALS, 2, 4242])
def test_every_error_is_a_rejection_but_those_that_settle_nothing(number: int) -> None:
    receipt = pb.Receipt(action_id=12, err=pb.Error.ValueType(number))
    outcome = read(receipt, BATCH)
    # Nobody knows what a number of a later schema means (reliability 3.2 rule 5, P14).
    if number in (pb.DROPPED, pb.MAINTENANCE) or number not in REFUSALS:
        assert isinstance(outcome, Unknown)
        assert outcome.number == number
        return
    assert isinstance(outcome, Rejected)
    assert outcome.refusal == REFUSALS[number]


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x02\x08\x05", b"<html>502</html>", b"\xff" * 99])
def test_a_reply_that_is_no_receipt_is_unknown(body: bytes) -> None:
    assert isinstance(read_outcome(body, BATCH, ME), Unknown)
